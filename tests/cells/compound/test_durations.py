"""What a `with` of a timer makes, by both twins: one Duration for each block, and nothing that stays."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import threading
import weakref

import pytest

import spreading
from conftest import IS_PYPY

SIZE = 3


class Clock:
    """Seconds, one more each time that they are asked for."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


@pytest.fixture
def timer(twin, lanes):
    """A Timing whose own ways write down that they were called; `recorded()`: how many durations it has."""

    class Timer(twin.Timing):
        def __init__(self, clock=None):
            self.there = lanes(count=24)
            sizes = spreading.sizes(twin, "Timing", SIZE)
            super().__init__(self.there.segment, 1, *sizes, "x", lambda: None, clock)
            self.ways = []
            self.begun = []

        def _enter(self):
            self.ways.append("enter")
            self.begun.append(twin.Duration(self))
            return self.begun[-1]

        def _leave(self):
            self.ways.append("leave")
            self.begun.pop().stop()
            return False

        def recorded(self):
            return self.there.memories[0][1]

    return Timer


def test_a_block_runs_and_is_done(timer):
    one = timer(Clock())
    with one as block:
        assert not block.done
        assert block.elapsed == 1.0  # the clock went on
    assert (block.done, block.elapsed, one.last, one.recorded(), one.ways) == (True, 2.0, 2.0, 1, [])


def test_each_block_has_a_duration_of_its_own(timer):
    one = timer(Clock())
    with one as outer, one as inner:
        assert outer is not inner
    assert (inner.elapsed, outer.elapsed, one.recorded()) == (1.0, 3.0, 2)


def test_one_that_is_stopped_within_is_recorded_once(timer):
    one = timer(Clock())
    with one as block:
        block.stop()
        block.stop()
    assert (block.elapsed, one.recorded()) == (1.0, 1)


def test_what_is_raised_passes(timer):
    one = timer()
    with pytest.raises(KeyError), one:
        raise KeyError
    assert one.recorded() == 1


def test_the_default_clock_is_in_seconds(timer):
    one = timer()
    assert one.clock is None
    with one as block:
        assert 0 <= block.elapsed < 60
    assert 0 < one.last == block.elapsed < 60


def test_a_duration_goes_by_the_clock_that_it_began_with(timer):
    one = timer()
    with one as block:
        one.clock = Clock()
    assert block.elapsed < 60
    with one as block:
        one.clock = None
    assert block.elapsed == 1.0


def test_a_clock_that_is_none(timer):
    one = timer()
    with pytest.raises(TypeError):
        one.clock = 5
    one.clock = lambda: "noon"
    with pytest.raises(TypeError, match="'x' takes a number"), one:
        pass


def test_a_clock_that_raises(timer):
    one = timer()
    one.clock = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError), one:
        pytest.fail("it did not begin")


def test_one_half_alone_is_the_timers_own_way(timer):
    one = timer(Clock())
    assert one.__enter__() is one.begun[0]
    assert one.__exit__(None, None, None) is False
    assert (one.ways, one.recorded()) == (["enter", "leave"], 1)


def test_by_the_class_it_is_so_too(timer):
    one = timer(Clock())
    with contextlib.ExitStack() as stack:
        stack.enter_context(one)
        stack.enter_context(one)
    assert (one.ways, one.recorded()) == (["enter", "enter", "leave", "leave"], 2)


def test_looking_without_calling_changes_nothing(timer):
    one = timer(Clock())
    for _ in range(10):
        assert hasattr(one, "__enter__")
        assert hasattr(one, "__exit__")
        assert hasattr(one, "__enter__")
    with one as block:
        pass
    assert (block.elapsed, one.ways, one.recorded()) == (1.0, [], 1)


def test_one_that_was_looked_up_and_kept(timer):
    one = timer(Clock())
    kept = one.__enter__
    with one as block:
        pass
    kept()
    assert (block.elapsed, one.ways) == (1.0, ["enter"])


def test_of_a_duration_by_itself(timer, twin):
    one = timer(Clock())
    duration = twin.Duration(one)
    with duration as same:
        assert same is duration
    assert (duration.elapsed, one.recorded()) == (1.0, 1)
    with pytest.raises((TypeError, AttributeError)):
        twin.Duration(5)


def test_threads_have_blocks_of_their_own(timer):
    one = timer()
    begun, end = threading.Barrier(4), threading.Barrier(4)
    elapsed = []

    def work():
        for _ in range(200):
            with one:
                pass
        begun.wait()
        with one as block:
            end.wait()
        elapsed.append(block.done)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert elapsed == [True] * 4
    assert one.ways == []


def test_a_signal_handler_has_one_too(timer):
    one = timer()
    blocks = []

    def handler(*_):
        with one as block:
            blocks.append(block)

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        for _ in range(300):
            with one as block:
                signal.raise_signal(signal.SIGUSR1)
            assert block.done
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(blocks) == 300
    assert one.recorded() == 600


def test_interleaved_in_any_order(timer):
    """As tasks do: each generator has a block open, and they end in another order."""
    one = timer(Clock())

    def task():
        with one as block:
            yield block
        yield block

    tasks = [task() for _ in range(1_000)]
    blocks = [next(each) for each in tasks]
    for each in tasks[::2] + tasks[1::2]:
        next(each)
    assert all(block.done for block in blocks)
    assert len({id(block) for block in blocks}) == one.recorded() == 1_000


# --- what stays --------------------------------------------------------------------------------------


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy, which counts no references")
def test_a_block_leaves_no_reference(timer):
    one, clock = timer(), Clock()
    counts = []
    for _ in range(3):
        for _ in range(100):
            with one as block, one, one:
                block.stop()
            with contextlib.ExitStack() as stack:
                stack.enter_context(one)
            one.clock = clock
            with one:
                one.clock = None
            hasattr(one, "__enter__")
        del block
        counts.append((sys.getrefcount(one), sys.getrefcount(clock), sys.getrefcount(type(one))))
    assert counts[1] == counts[2]


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy, which has no tracemalloc")
def test_blocks_leave_no_memory(timer):
    import tracemalloc  # PyPy has none

    one = timer(Clock())  # always the same durations: none that needs an octave of its own

    def work():
        for _ in range(500):
            with one, one, one:
                pass

    work()
    gc.collect()
    tracemalloc.start()
    try:
        work()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(20):
            work()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 512
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy: when something is freed is not told")
def test_a_duration_that_is_kept_is_freed_with_its_timer(timer):
    """Also in a cycle: the timer has it, and it has the timer."""
    one = timer()
    with one as block:
        pass
    one.kept = block
    gone = weakref.ref(one), weakref.ref(block)
    del one, block
    gc.collect()
    assert [each() for each in gone] == [None, None]


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy: when something is freed is not told")
def test_a_clock_in_a_cycle_with_its_timer_is_freed(timer):
    class Own:
        def __call__(self):
            return 0.0

    clock = Own()
    clock.timer = timer(clock)
    with clock.timer:
        pass
    gone = weakref.ref(clock)
    del clock
    gc.collect()
    assert gone() is None


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy: when something is freed is not told")
def test_a_weak_reference_to_a_duration_ends_with_it(timer):
    """Its memory is used again; nobody may take the next one for it."""
    one = timer()
    with one as block:
        pass
    gone = weakref.ref(block)
    del block
    with one as other:
        assert gone() is None
    assert not isinstance(other, weakref.ref)
