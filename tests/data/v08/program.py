"""Everything that the README, the docs and the changelog of mmstats 0.8 told its users, since 0.4.0.

    python program.py DIRECTORY

It runs unchanged on Python 2 with mmstats 0.8 and on Python 3 with its successor. It publishes into
DIRECTORY, writes `ready` and the names of its files, keeps them until stdin ends, and then checks that
they go. Each part says in a comment what told to do so: README and its step, a version of the changelog,
or a page of the docs.
"""

from __future__ import print_function, unicode_literals

import atexit
import glob
import os
import sys
import threading
import time

DIRECTORY = sys.argv[1]
COMMAND = os.path.basename(sys.argv[0])
PID = str(os.getpid())
# 0.3.8, and so on ever since: the environment says where files go, and what they are called.
os.environ["MMSTATS_PATH"] = DIRECTORY
os.environ["MMSTATS_FILES"] = "{CMD}-by-default-{PID}-{TID}.mmstats"

import mmstats  # noqa: E402 - after the environment, as 0.8 read it at import
from mmstats import defaults, fields, models, reader  # noqa: E402 - 0.6.0 and 0.4.0: the modules


def native(text):
    """A `str`, of UTF-8 on Python 2: it could take a label no other way."""
    return text.encode("utf-8") if str is bytes else text


class Clock:
    """Seconds that pass as it is told: a `timer` for TimerField."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


clock = Clock()


# README, "Using", 2: a subclass of MmStats with fields as class attributes, which have labels.
class WebStats(mmstats.MmStats):
    status2xx = mmstats.CounterField(label="status.2XX")
    status3xx = mmstats.CounterField(label="status.3XX")
    status4xx = mmstats.CounterField(label="status.4XX")
    status5xx = mmstats.CounterField(label="status.5XX")
    last_hit = mmstats.DoubleField(label="timers.last_hit")


# README, 3: instantiated once, with a prefix for all labels. 0.4.0: `path`. 0.7.0: templates.
webstats = WebStats(label_prefix="web.stats.", path=DIRECTORY, filename="web-{CMD}-{PID}-{TID}.mmstats")
assert webstats.label_prefix == "web.stats."
assert os.path.dirname(webstats.filename) == DIRECTORY
assert os.path.basename(webstats.filename).split("-")[:3] == ["web", COMMAND, PID]
assert webstats.size == os.path.getsize(webstats.filename)

# README, 4: record some data. 0.7.1: `inc(n=)` is the old word, `incr(amount=)` the new one.
webstats.status2xx.inc()
webstats.status2xx.inc(n=2)
webstats.status3xx.incr()
webstats.status4xx.incr(amount=41)
webstats.status4xx.incr(1)
webstats.last_hit = 1385000000.125
assert webstats.status2xx.value == 3
assert webstats.status4xx.value == 42
assert webstats.last_hit == 1385000000.125
# 0.3.6: a counter may be set.
webstats.status5xx.value = 7
webstats.status5xx.incr()
assert webstats.status5xx.value == 8

# Docs, Models: what MmStats brings, to be read like any field. 0.4.0: sys.created. 0.3.8: one line.
assert webstats.pid == os.getpid()
assert webstats.tid > 0
assert (webstats.uid, webstats.gid) == (os.getuid(), os.getgid())
assert abs(time.time() - webstats.created) < 600
assert webstats.python_version == sys.version.replace("\n", "")


# Docs, Models: fields of plain mixins are the model's as well.
class Mixin:
    from_mixin = fields.CounterField()


# 0.6.0: the same names, from the modules they live in.
class Everything(Mixin, models.BaseMmStats):
    counter = fields.CounterField()  # a field without a label is called as its attribute
    wrapped = fields.CounterField()
    average = fields.AverageField()  # 0.5.0: that is what it is called
    nothing = fields.AverageField()
    moving = fields.MovingAverageField(size=3)  # 0.6.0: `size`
    hundred = fields.MovingAverageField()  # 0.5.0: of the last 100
    timer = fields.TimerField(timer=clock)  # 0.6.0: a moving average, and a context manager
    small = fields.TimerField(timer=clock, size=2)
    failing = fields.TimerField(timer=clock)
    idle = fields.TimerField()
    u64 = fields.UInt64Field()
    u32 = fields.UIntField()
    i32 = fields.IntField()
    u16 = fields.UShortField()
    i16 = fields.ShortField()
    i8 = fields.ByteField()
    single = fields.FloatField()
    double = fields.DoubleField()
    tenth = fields.DoubleField()
    huge = fields.DoubleField()
    whole = fields.DoubleField()
    endless = fields.DoubleField()
    no_number = fields.DoubleField()
    ready = fields.BoolField()
    failed = fields.BoolField(initial=True)
    phase = fields.StringField()  # 0.4.0: UTF-8
    cut = fields.StringField(size=5)
    cut_between = fields.StringField(size=10)
    longest = fields.StringField()
    tabbed = fields.StringField()
    static_u32 = fields.StaticUIntField(value=4000000000)
    static_u64 = fields.StaticUInt64Field(value=lambda: 2**64 - 1)  # a callable is called
    static_i64 = fields.StaticInt64Field(value=-(2**63))  # 0.3.8: it is signed
    static_single = fields.StaticFloatField(value=0.1)  # 0.4.0
    static_double = fields.StaticDoubleField(value=1.0 / 3)
    static_text = fields.StaticTextField(value="production")
    motto = fields.StaticTextField(
        value=native("\u03b3\u03bd\u1ff6\u03b8\u03b9 \u03c3\u03b5\u03b1\u03c5\u03c4\u03cc\u03bd")
    )
    inherited = fields.StaticTextField(value="of the parent")


# Subclasses of models take the fields on, and may replace them, by another kind too.
class Sub(Everything):
    inherited = fields.StaticTextField(label="inherited", value="of the child")
    own = fields.CounterField()


everything = Sub(path=DIRECTORY, filename="everything-{PID}.mmstats")
everything.counter.incr()
everything.own.incr(5)
everything.from_mixin.incr(6)
everything.wrapped.value = 2**64 - 1
everything.wrapped.incr(3)
for value in (1, 2, 6):
    everything.average.add(value)
for value in (1.0, 2.0, 3.0, 4.5):
    everything.moving.add(value)
for value in range(200):
    everything.hundred.add(value)
with everything.timer as context:
    clock.sleep(0.25)
    assert not context.done
    assert context.elapsed == 0.25
    assert everything.timer.value == 0.0
assert context.done
assert context.elapsed == 0.25
everything.timer.start()
clock.sleep(0.75)
everything.timer.stop()
assert everything.timer.value == 0.5
assert everything.timer.last == 0.75
for seconds in (8.0, 1.0):
    with everything.small:
        clock.sleep(seconds)
everything.small.add(2.0)  # 0.6.0: as a MovingAverageField does
assert everything.small.value == 1.5
try:
    with everything.failing:
        clock.sleep(4.0)
        {}["an error"]  # which does not keep it from being measured
except KeyError:
    assert everything.failing.last == 4.0
assert everything.idle.value == 0.0
assert everything.idle.last == 0.0
everything.u64 = 2**64 + 4
everything.u32 = -1
everything.i32 = 2**31
everything.u16 = 65537
everything.i16 = 32768
everything.i8 = 200
everything.u32 += 5  # plain attributes: read, written, and both
everything.single = 0.1
everything.double = 1e22
everything.tenth = 0.1 + 0.2
everything.huge = 123456789012.0
everything.whole = 7
everything.endless = float("-inf")
everything.no_number = float("nan")
everything.ready = ["what is true"]
everything.failed = ""
everything.failed = everything.ready
everything.phase = "\u2603 starting up"
everything.cut = "abcdefg"
everything.cut_between = "\u2764" * 11
everything.longest = "long " * 60
everything.tabbed = "one\ttwo"
assert everything.u32 == 4
assert everything.i32 == -(2**31)
assert everything.i8 == -56
assert everything.phase == "\u2603 starting up"
assert everything.cut == "abcde"
assert everything.cut_between == "\u2764" * 3
assert len(everything.longest) == defaults.DEFAULT_STRING_SIZE == 255
assert everything.ready is True
assert everything.failed is True
assert everything.static_text == "production"
assert everything.static_u64 == 2**64 - 1
assert everything.inherited == "of the child"


# Two instances with two filenames have nothing in common.
twin = Sub(path=DIRECTORY, filename="twin-{PID}.mmstats")
twin.counter.incr(100)
assert everything.counter.value == 1


# Docs, Fields and Models: arguments by position; a label may hold anything, an empty one is none at all.
class Positions(models.BaseMmStats):
    counter = fields.CounterField("by position")
    flag = fields.BoolField(True)
    text = fields.StringField(4)
    ring = fields.MovingAverageField(2)
    clocked = fields.TimerField(clock)
    number = fields.StaticUIntField("the number", 7)
    word = fields.StaticTextField("a::word", "seven")
    empty = fields.IntField("")
    greek = fields.IntField(native("\u03bb"))


os.mkdir(os.path.join(DIRECTORY, COMMAND))
# Docs, Models: `path` is a template, too.
positions = Positions(os.path.join(DIRECTORY, "{CMD}"), "positions-{PID}.mmstats", native("by."))
positions.counter.incr(2)
positions.text = "abcdef"
for value in (1.0, 2.0, 4.0):
    positions.ring.add(value)
positions.clocked.start()
clock.sleep(0.5)
positions.clocked.stop()
positions.empty = positions.greek = -3
assert positions.filename == os.path.join(DIRECTORY, COMMAND, "positions-" + PID + ".mmstats")


# 0.7.0: %PID% is no template any more; a name needs no suffix, and may be a full path.
class Simple(mmstats.BaseMmStats):
    errors = mmstats.UIntField(label="com.example.errors")
    degraded = mmstats.BoolField(label="com.example.degraded")


simple = Simple(filename=os.path.join(DIRECTORY, "literal-%PID%"))
simple.degraded = True
simple.errors += 1
assert simple.errors == 1
assert simple.filename == os.path.join(DIRECTORY, "literal-%PID%")


# Docs, Fields: a timer measures by itself.
class Timing(mmstats.BaseMmStats):
    timer = mmstats.TimerField()


timing = Timing(filename="timing-{PID}.mmstats")
with timing.timer as context:
    time.sleep(0.01)
    assert context.elapsed > 0.0
assert timing.timer.value > 0.0
assert timing.timer.last > 0.0
timing.remove()
assert not os.path.exists(timing.filename)


# 0.7.0: each thread has a model of its own, which is made when the thread first uses it.
class Threads(mmstats.BaseMmStats):
    jobs = mmstats.CounterField()
    current = mmstats.IntField()


threads = Threads(path=DIRECTORY, filename="threads-{PID}-{TID}.mmstats")
threads.jobs.incr(10)
threads.current = 1
leave, seen = threading.Event(), []


def work(is_done):
    assert threads.jobs.value == 0
    threads.jobs.incr(5)
    threads.current = 2
    seen.append(threads.filename)
    is_done.wait()


worker = threading.Thread(target=work, args=(leave,))
worker.start()
while not seen:
    time.sleep(0.01)
assert seen[0] != threads.filename
assert threads.jobs.value == 10
assert threads.current == 1

# README, goals: the writer may sync at any time.
everything.flush()
everything.flush(True)
everything.flush(**{"async": True})


# 0.4.0: what reads is a module, and its reader takes files and maps.
class Plain(mmstats.BaseMmStats):
    hits = mmstats.CounterField()


plain = Plain()  # where the environment says
plain.hits.incr(3)
assert os.path.dirname(plain.filename) == DIRECTORY
assert os.path.basename(plain.filename).split("-")[:4] == [COMMAND, "by", "default", PID]
for read in (reader.MmStatsReader.from_file, reader.MmStatsReader.from_mmap):
    assert [(stat.label, stat.value) for stat in read(plain.filename)] == [("hits", 3)]
    assert [(label, value) for label, value in read(plain.filename)] == [("hits", 3)]
assert list(reader.MmStatsReader(open(plain.filename, "rb"))) == [reader.Stat("hits", 3)]  # noqa: SIM115 - it closes
pairs = dict(reader.MmStatsReader.from_file(everything.filename))
for name in ("counter", "wrapped", "average", "nothing", "moving", "hundred", "timer", "small", "idle"):
    assert pairs[name] == getattr(everything, name).value
for name in ("u64", "i32", "i16", "i8", "double", "tenth", "endless", "ready", "phase", "cut", "static_i64"):
    assert pairs[name] == getattr(everything, name)
with open(os.path.join(DIRECTORY, "junk"), "wb") as junk:
    junk.write(b"junk")
try:
    reader.MmStatsReader.from_file(os.path.join(DIRECTORY, "junk"))
except reader.InvalidMmStatsVersion:
    os.remove(os.path.join(DIRECTORY, "junk"))
assert not os.path.exists(os.path.join(DIRECTORY, "junk"))

# 0.6.0: what is public is in `mmstats` itself. Docs, Defaults.
for module, name in (
    (fields, "CounterField AverageField MovingAverageField TimerField BoolField StringField"),
    (fields, "UInt64Field UIntField IntField ShortField UShortField ByteField FloatField DoubleField"),
    (fields, "StaticUIntField StaticInt64Field StaticUInt64Field StaticFloatField StaticDoubleField"),
    (fields, "StaticTextField DuplicateFieldName"),
    (models, "MmStats BaseMmStats"),
    (defaults, "DEFAULT_PATH DEFAULT_FILENAME DEFAULT_GLOB DEFAULT_STRING_SIZE"),
):
    for public in name.split():
        assert getattr(mmstats, public) == getattr(module, public)
assert defaults.DEFAULT_PATH == DIRECTORY
assert defaults.DEFAULT_GLOB == os.path.join(DIRECTORY, "*.mmstats")
assert defaults.DEFAULT_FILENAME == os.environ["MMSTATS_FILES"]
assert mmstats.version == mmstats.__version__

print("ready", *[one.filename for one in (webstats, everything, twin, positions, simple, threads, plain)])
sys.stdout.flush()
sys.stdin.read()

# 0.8.0: remove() takes the files of all threads, also of those that ended, if the name has {TID} and {PID}.
leave.set()
worker.join()
with open(os.path.join(DIRECTORY, "threads-of-another.mmstats"), "wb") as other:
    other.write(b"another")
threads.remove()
assert glob.glob(os.path.join(DIRECTORY, "threads-*")) == [other.name]
os.remove(other.name)
# 0.3.10: removing twice is no error.
for one in (webstats, everything, twin, positions, simple):
    one.remove()
    one.remove()
# 1.0 keeps what was counted, in a file of totals; that of the program itself goes.
for below in os.listdir(os.path.join(DIRECTORY, COMMAND)):
    assert below in (".fold", COMMAND + "-retired.mmstats")
    os.remove(os.path.join(DIRECTORY, COMMAND, below))
os.rmdir(os.path.join(DIRECTORY, COMMAND))
totals = (".fold", COMMAND + "-retired.mmstats")
assert [name for name in os.listdir(DIRECTORY) if name not in totals] == [os.path.basename(plain.filename)]
# The example of the docs, Getting Started: the program's end takes the file away.
atexit.register(plain.remove)
print("clean")
