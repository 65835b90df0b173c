"""What the type checkers see of a model; mypy and pyright must agree. Nobody runs this file.

A line that must be an error says so twice, once for each checker; both complain when it is none.
"""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003 - as a program has it

from typing_extensions import assert_type

import mmstats
from mmstats.cells.compound_protocol import Average, Moving
from mmstats.cells.protocol import Counter, Gauge, UpDown
from mmstats.publish.timers import Timer, TimerContext


class WebStats(mmstats.MmStats):
    """One field of each kind."""

    requests = mmstats.CounterField(label="requests", help="requests served")
    seconds = mmstats.CounterField(label="seconds", float=True)
    last_hit = mmstats.DoubleField(label="last_hit", unit="timestamp")
    load = mmstats.FloatField()
    working = mmstats.BoolField(initial=True)
    errors = mmstats.UIntField()
    level = mmstats.IntField()
    small = mmstats.ByteField()
    wide = mmstats.Int64Field(aggregate="max")
    name = mmstats.StaticTextField(value="web")
    number = mmstats.StaticUIntField(value=lambda: 7)
    share = mmstats.StaticDoubleField(value=0.5)
    body = mmstats.AverageField(unit="bytes")
    queue = mmstats.MovingAverageField(50)
    latency = mmstats.TimerField(size=20)
    phase = mmstats.StringField(size=40)
    inflight = mmstats.UpDownField(label="inflight", keep=True)
    hours = mmstats.UpDownField("hours", float=True)
    free = mmstats.GaugeField("pool.free", aggregate="max")
    mode = mmstats.EnumField(states=("starting", "ready"))
    build = mmstats.InfoField(version="1.2")
    more = mmstats.InfoField("more", value=lambda: {"n": 5})


class ApiStats(WebStats):
    """What is inherited is typed as well."""

    calls = mmstats.CounterField()


web = WebStats(label_prefix="web.")
api = ApiStats(path="/run/app", filename="{CMD}-{PID}.mmstats", group="api", strict=True)

# An instance gives what is counted with, or the value.
assert_type(web.requests, Counter)
assert_type(web.last_hit, float)
assert_type(web.load, float)
assert_type(web.working, bool)
assert_type(web.errors, int)
assert_type(web.level, int)
assert_type(web.small, int)
assert_type(web.wide, int)
assert_type(web.name, str)
assert_type(web.number, int)
assert_type(web.share, float)
assert_type(web.body, Average)
assert_type(web.queue, Moving)
assert_type(web.latency, Timer)
assert_type(web.phase, str)
assert_type(web.inflight, UpDown)
assert_type(web.hours, UpDown)
assert_type(web.free, Gauge)
assert_type(web.mode, str)
assert_type(web.build, dict[str, str])
assert_type(api.requests, Counter)
assert_type(api.calls, Counter)

# The class gives the field.
assert_type(WebStats.requests, mmstats.CounterField)
assert_type(WebStats.last_hit, mmstats.DoubleField)
assert_type(WebStats.working, mmstats.BoolField)
assert_type(WebStats.level, mmstats.IntField)
assert_type(WebStats.name, mmstats.StaticTextField)
assert_type(WebStats.body, mmstats.AverageField)
assert_type(WebStats.queue, mmstats.MovingAverageField)
assert_type(WebStats.latency, mmstats.TimerField)
assert_type(WebStats.phase, mmstats.StringField)
assert_type(WebStats.inflight, mmstats.UpDownField)
assert_type(WebStats.free, mmstats.GaugeField)
assert_type(WebStats.mode, mmstats.EnumField)
assert_type(WebStats.build, mmstats.InfoField)

# What is called in the middle of a program.
web.body.add(512)
web.queue.add(0.5)
web.latency.observe(0.25)
web.phase = "serving"
with web.latency as running:
    assert_type(running, TimerContext)
    assert_type(running.elapsed, float)
    assert_type(running.done, bool)
assert_type(web.latency.start(), TimerContext)
web.latency.stop()
assert_type(web.body.value, float)
assert_type(web.latency.last, float)
web.flush()
web.flush(async_=True)
web.remove(discard=True)

# Counting.
web.requests.incr()
web.requests.incr(3)
web.requests.inc(n=2)
web.seconds.incr(0.25)
web.requests.incr("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Up and down.
web.inflight.incr()
web.inflight.decr(2)
web.hours.decr(amount=0.5)
with web.inflight.held():
    web.inflight.dec(n=1)
web.inflight.decr("2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
web.inflight = 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]

# Gauges are set, by either way, or tracked.
web.free = 12
web.free = 0.5
web.free.set(12)
web.free.set_to_current_time()
assert_type(web.free.value, float)
assert_type(web.free.track(len("four").bit_length)(), int)


@web.free.track
def free() -> float:
    """Who uses it as a decorator keeps the function."""
    return 0.5


assert_type(free(), float)
mmstats.tick()
web.free = "many"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.free.set("many")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
web.free.track(lambda: "many")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
web.free.track(5)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]

# Around blocks and functions: what is decorated keeps its type.
with web.requests.count_exceptions(KeyError, OSError):
    pass


@web.requests.count_exceptions()
@web.latency.timed
def add(one: int, other: int = 2) -> str:
    """A function."""
    return str(one + other)


@web.latency.timed
async def fetch(name: str) -> bytes:
    """A coroutine."""
    return name.encode()


@web.latency.timed
def steps() -> Iterator[int]:
    """A generator."""
    yield 1


async def uses() -> None:
    """Who calls them."""
    assert_type(add(1), str)
    assert_type(await fetch("page"), bytes)
    assert_type(next(steps()), int)
    add("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


web.requests.count_exceptions(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
web.latency.timed(5)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]

# What comes later: by its field, or without a class.
assert_type(web.add("late", mmstats.CounterField()), Counter)
assert_type(web.add("open", mmstats.UpDownField()), UpDown)
assert_type(web.add("waiting", mmstats.GaugeField()), Gauge)
assert_type(web.add("render", mmstats.TimerField()), Timer)
assert_type(web.add("level2", mmstats.IntField()).value, int)
assert_type(web.add("load2", mmstats.FloatField()).value, float)
assert_type(web.add("on", mmstats.BoolField()).value, bool)
web.add("phase2", mmstats.StringField()).set("up")
assert_type(mmstats.counter("jobs", help="jobs"), Counter)
assert_type(mmstats.updown("jobs.open"), UpDown)
assert_type(mmstats.gauge("jobs.waiting"), Gauge)
assert_type(mmstats.timer("jobs.time", size=10), Timer)
assert_type(mmstats.text("jobs.phase").value, str)
mmstats.text("jobs.phase").set(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
mmstats.counter(5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
web.add(5, mmstats.CounterField())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]

# States are texts; infos never change.
web.mode = "ready"
assert_type(web.add("mode2", mmstats.EnumField(states=["on", "off"])).value, str)
web.mode = 1  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.build = {"version": "2"}  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
mmstats.EnumField(states=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
mmstats.InfoField(value=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# What tests use.
clock = mmstats.testing.Clock()
with mmstats.testing.isolated() as directory, clock.drives(web.latency):
    assert_type(directory, str)
    clock.turn(2.5)
    assert_type(clock(), float)
mmstats.testing.value_of("web.requests", 0, method="GET")

# Plain fields are assigned to; counters and statics are not.
web.last_hit = 1.5
web.last_hit = 2
web.working = False
web.errors += 1
web.requests = 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.errors = "five"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.body = 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.latency = 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.phase = 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.name = "api"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]

# A misspelt name is an error: the front door is lazy, and still says what it has.
mmstats.CounterFeild()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
web.reqests.incr()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

# Reading.
whole = mmstats.combined()
for snapshot in mmstats.snapshot(["/run/app", "/run/other"]):
    assert_type(snapshot.origin.pid, int)
    assert_type(snapshot.origin.state, str)
    for stat in snapshot.stats:
        assert_type(stat.label, str)
whole.value("web.requests", default=0)
