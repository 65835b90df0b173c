"""Gauges over forks and deaths; the thread that asks callables, in the process that it belongs to."""

from __future__ import annotations

import sys
import time

import pytest

import forking
import programs

pytestmark = pytest.mark.main  # the threads of a ticker are tested with the field, everywhere

TESTS = str(programs.ROOT / "tests")
POOL = f"""
import ctypes, signal, time
sys.path.append({TESTS!r})
from forking import until_others_sleep
"""
POOL += """
class Pool(mmstats.BaseMmStats):
    free = mmstats.GaugeField()
    hits = mmstats.CounterField()
for word in ('max', 'min', 'avg', 'last', 'all'):
    setattr(Pool, word, mmstats.GaugeField(aggregate=word))
stats = Pool()

def value(label, **tags):
    combined = mmstats.combined()
    assert not combined.problems, combined.problems
    return combined.value(label, default=None, **tags)

def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, 'it did not come about'
        time.sleep(0.01)

def child(work):
    "A child that does its work, tells, and lives until it is killed."
    until_others_sleep()
    reader, writer = os.pipe()
    pid = fork()
    if not pid:
        work()
        os.write(writer, b'.')
        time.sleep(60)
        os._exit(0)
    os.read(reader, 1)
    return pid

def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""
FORKS = {"os.fork": "os.fork", "libc.fork": "getattr(ctypes, 'PyDLL', ctypes.CDLL)(None).fork"}
forks = pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
under_threads = pytest.mark.parametrize("fork", list(FORKS.values())[: 1 + forking.IN_C_BESIDE_THREADS])


@forks
def test_a_child_begins_as_never_written_and_stores_nothing_into_its_parents_cell(twin, stats_dir, fork):
    programs.run(
        f"import ctypes; fork = {fork}\n"
        + POOL
        + """
stats.free = 5
stats.max = stats.min = -5
path = stats.filename
before = open(path, 'rb').read()
def work():
    assert stats.free.value == 0.0, stats.free.value
    stats.hits.incr()
other = child(work)
assert (value('free'), value('max'), value('min')) == (5.0, -5.0, -5.0), 'it wrote none'
def work():
    stats.free = 7
    assert stats.free.value == 7.0
another = child(work)
assert (value('free'), stats.free.value) == (12.0, 5.0)
assert open(path, 'rb').read() == before
end(another)
assert value('free') == 5.0, 'gone at once'
end(other)
""",
        twin,
        stats_dir,
    )


def test_processes_combine_as_it_says(twin, stats_dir):
    programs.run(
        "fork = os.fork\n"
        + POOL
        + """
def set_all(number):
    stats.free = stats.max = stats.min = stats.avg = stats.last = stats.all = number
set_all(-1)
others = [child(lambda: set_all(number)) for number in (4, 3)]
words = 'free', 'max', 'min', 'avg', 'last'
assert [value(word) for word in words] == [6.0, 4.0, -1.0, 2.0, 3.0], [value(word) for word in words]
pids = [os.getpid(), *others]
assert [value('all', pid=str(pid)) for pid in pids] == [-1.0, 4.0, 3.0]
[end(pid) for pid in others]
assert [value(word) for word in words] == [-1.0] * 5
assert value('all', pid=str(others[0])) is None
""",
        twin,
        stats_dir,
    )


def test_threads_store_whole_values_as_they_like(twin, stats_dir):
    """A reader sees one of them at any time, never a mixture."""
    programs.run(
        "fork = os.fork\n"
        + POOL
        + """
words = [float(int(str(digit) * 15)) for digit in (1, 5, 8)]
over = threading.Event()
def work(word):
    while not over.is_set():
        for _ in range(1000):
            stats.free.set(word)
        time.sleep(0.0001)  # let the reader in
threads = [threading.Thread(target=work, args=(word,)) for word in words]
[thread.start() for thread in threads]
wait_for(lambda: value('free'))
for _ in range(200):
    assert value('free') in words
over.set()
[thread.join() for thread in threads]
assert stats.free.value == value('free') in words
""",
        twin,
        stats_dir,
    )


@under_threads
def test_a_child_has_a_thread_of_its_own(twin, stats_dir, fork):
    """Without an update where the fork runs hooks that can start one, else from its first update on."""
    programs.run(
        f"import ctypes; fork = {fork}\n"
        + POOL
        + """
stats.free.track(os.getpid)
stats.max.track(lambda: 1)
wait_for(lambda: value('free') == os.getpid())
by_itself = fork is os.fork and sys.implementation.name != 'pypy'
first = child(lambda: None if by_itself else stats.hits.incr())
wait_for(lambda: value('free') == os.getpid() + first)
end(first)
assert value('free') == os.getpid()
""",
        twin,
        stats_dir,
    )


@under_threads
def test_a_child_forked_in_the_middle_of_a_callable_asks_it_all_the_same(twin, stats_dir, fork):
    programs.run(
        f"import ctypes; fork = {fork}\n"
        + POOL
        + """
from mmstats.publish import ticker
main, asked, over = os.getpid(), threading.Event(), threading.Event()
def ask():
    if os.getpid() == main:
        asked.set()
        over.wait(60)
    return os.getpid()
stats.free.track(ask)
stats.max.track(lambda: 1)
asked.wait(60)
first = child(mmstats.tick)
assert value('free') == first, value('free')
end(first)
over.set()
""",
        twin,
        stats_dir,
    )


@pytest.mark.parametrize("how", ["time.sleep(3600)", "threading.Lock().acquire() and forever.acquire()"])
def test_a_callable_that_blocks_does_not_hold_up_the_end(twin, stats_dir, how):
    begun = time.monotonic()
    programs.run(
        "fork = os.fork\n"
        + POOL
        + f"""
asked, forever = threading.Event(), threading.Lock()
forever.acquire()
def ask():
    asked.set()
    {how}
stats.free.track(ask)
stats.max.track(lambda: 1)
asked.wait(60)
""",
        twin,
        stats_dir,
    )
    assert time.monotonic() - begun < 60


def test_no_thread_is_there_unless_it_is_used(twin, stats_dir):
    """And one is, however many gauges are tracked."""
    if sys.implementation.name == "pypy":
        pytest.skip("not on PyPy: it has threads of its own")
    programs.run(
        "fork = os.fork\n"
        + POOL
        + """
def threads():
    return len(os.listdir('/proc/self/task'))
stats.free = 5
stats.hits.incr()
mmstats.tick()
assert threads() == 1
stats.free.track(lambda: 1)
for word in ('max', 'min', 'avg'):
    getattr(stats, word).track(lambda: 2)
wait_for(lambda: value('max') == 2)
wait_for(lambda: threads() == 2)
""",
        twin,
        stats_dir,
    )


def test_files_of_threads_have_a_gauge_each(twin, stats_dir):
    programs.run(
        "fork = os.fork\n"
        + POOL
        + """
stats.remove()
stats = Pool(filename='{CMD}-{PID}-{TID}.mmstats')
stats.free = 5
over, there = threading.Event(), threading.Event()
def work():
    stats.free = 2
    there.set()
    over.wait(60)
thread = threading.Thread(target=work)
thread.start()
there.wait(60)
assert (stats.free.value, value('free')) == (5.0, 7.0)
over.set()
thread.join()
""",
        twin,
        stats_dir,
    )
