"""Averages, moving averages, timers and texts as a program uses them, and as readers see them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import math
import threading
import time

import pytest


@pytest.fixture
def model(mmstats):
    class Web(mmstats.BaseMmStats):
        size = mmstats.AverageField(unit="bytes")
        load = mmstats.MovingAverageField(size=3)
        recent = mmstats.MovingAverageField(window=3600)
        latency = mmstats.TimerField(size=3)
        phase = mmstats.StringField(size=10)
        hits = mmstats.CounterField()

    return Web


@pytest.fixture
def clock():
    """A clock in seconds that the test turns by hand."""

    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def timed(mmstats, clock):
    """A model with a timer on that clock."""

    class Timed(mmstats.BaseMmStats):
        latency = mmstats.TimerField(timer=clock, size=5)

    return Timed()


def value(mmstats, label):
    whole = mmstats.combined()
    assert [str(problem) for problem in whole.problems] == []
    return whole.value(label)


def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()  # on PyPy a thread's locals go with it


def test_averages_are_of_all_values(mmstats, model):
    stats = model()
    assert (stats.size.value, value(mmstats, "size")) == (0.0, 0.0)
    for number in (1, 2.5, -0.5):
        stats.size.add(number)
    assert stats.size.value == value(mmstats, "size") == 1.0
    in_thread(lambda: stats.size.add(5))
    assert (stats.size.value, value(mmstats, "size")) == (1.0, 2.0)


def test_a_moving_average_is_of_the_last_values(mmstats, model):
    stats = model()
    for number in (1, 2, 3, 4, 5):
        stats.load.add(number)
    assert stats.load.value == value(mmstats, "load") == 4.0
    in_thread(lambda: stats.load.add(99))
    assert stats.load.value == value(mmstats, "load") == 4.0, "a thread takes its own along"


def test_a_moving_average_over_a_window_is_of_what_threads_added_in_it(mmstats, model):
    stats = model()
    for number in (1, 2, 6):
        stats.recent.add(number)
    assert stats.recent.value == value(mmstats, "recent") == 3.0
    in_thread(lambda: stats.recent.add(99))
    assert stats.recent.value == value(mmstats, "recent") == 3.0, "a thread takes its own along"
    seen = []
    in_thread(lambda: (stats.recent.add(7), seen.append((stats.recent.value, value(mmstats, "recent")))))
    assert seen == [(7.0, 4.0)]


def test_what_has_left_the_window_counts_for_nobody_though_nobody_writes(mmstats):
    class Web(mmstats.BaseMmStats):
        recent = mmstats.MovingAverageField(window=0.2)

    stats = Web()
    begin = time.monotonic()
    stats.recent.add(5)
    seen, own = value(mmstats, "recent"), stats.recent.value
    assert time.monotonic() - begin > 0.19 or (seen, own) == (5.0, 5.0)
    time.sleep(0.2)
    assert (value(mmstats, "recent"), stats.recent.value) == (0.0, 0.0)
    ((_, old),) = mmstats.reader.MmStatsReader.from_file(stats.filename)
    assert old == 0.0


def test_a_timer_tells_count_sum_extremes_last_and_moving(mmstats, model):
    stats = model()
    for seconds in (0.25, 4.0, 1.0, 0.5):
        stats.latency.observe(seconds)
    found = value(mmstats, "latency")
    assert (found.count, found.sum, found.min, found.max, found.mean) == (4, 5.75, 0.25, 4.0, 1.4375)
    assert (found.last, found.moving) == (stats.latency.last, stats.latency.value) == (0.5, 5.5 / 3)
    (snapshot,) = mmstats.snapshot()
    assert next(stat for stat in snapshot.stats if stat.label == "latency").unit == "seconds"


def test_a_new_thread_in_an_old_lane_begins_with_nothing_of_its_own(mmstats, model):
    stats, seen = model(), []

    def first():
        stats.size.add(10)
        stats.load.add(10)
        stats.latency.observe(10)
        stats.phase = "first"

    def second():
        seen.append(
            (stats.size.value, stats.load.value, stats.latency.value, stats.latency.last, stats.phase)
        )
        stats.size.add(2)
        stats.load.add(2)
        stats.latency.observe(2)
        seen.append(
            (stats.size.value, stats.load.value, stats.latency.value, stats.latency.last, stats.phase)
        )

    in_thread(first)
    assert value(mmstats, "phase") == ""
    in_thread(second)
    assert seen == [(0.0, 0.0, 0.0, 0.0, ""), (2.0, 2.0, 2.0, 2.0, "")]
    found = value(mmstats, "latency")
    assert (found.count, found.sum, found.min, found.max) == (2, 12.0, 2.0, 10.0)
    assert (found.last, found.moving, value(mmstats, "size"), value(mmstats, "load")) == (0.0, 0.0, 6.0, 0.0)


def test_a_text_is_cut_at_a_character(mmstats, model):
    stats = model()
    assert (stats.phase, value(mmstats, "phase")) == ("", "")
    for given, kept in (
        ("up", "up"),
        ("❤❤❤❤", "❤❤❤"),
        ("", ""),
        ("a" * 11, "a" * 10),
        ("line\nend", "line\nend"),
    ):
        stats.phase = given
        assert stats.phase == value(mmstats, "phase") == kept
    with pytest.raises(TypeError, match="'phase' takes"):
        stats.phase = 5


def test_the_text_that_was_written_last_is_shown(mmstats, model):
    stats = model()
    stats.phase = "mine"
    over, written = threading.Event(), threading.Event()

    def work():
        stats.phase = "other"
        written.set()
        over.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    written.wait(60)
    assert (stats.phase, value(mmstats, "phase")) == ("mine", "other")
    stats.phase = "again"
    assert value(mmstats, "phase") == "again"
    over.set()
    thread.join()


def test_what_is_no_finite_number_is_counted_as_dropped(mmstats, model):
    stats = model()
    stats.size.add(1)
    for number in (math.nan, math.inf, -math.inf):
        stats.size.add(number)
        stats.load.add(number)
        stats.latency.observe(number)
    assert mmstats.dropped.by_reason == {"value": 9}
    assert (stats.size.value, stats.load.value, stats.latency.value) == (1.0, 0.0, 0.0)
    with pytest.raises(TypeError, match="'size' takes a number, not str: '5'"):
        stats.size.add("5")


def test_a_timer_may_be_told_as_0_8_was(mmstats, model):
    stats = model()
    stats.latency.add(0.25)
    assert stats.latency.last == 0.25


def test_they_are_no_plain_attributes(mmstats, model):
    stats = model()
    for name, verb in (("size", "add"), ("load", "add"), ("latency", "observe")):
        with pytest.raises(
            TypeError, match=rf"'{name}' is declared as .*Field of Web: call its methods, as {verb}\(\)"
        ):
            setattr(stats, name, 5)


def test_sizes_are_checked(mmstats):
    for field in (mmstats.MovingAverageField, mmstats.TimerField, mmstats.StringField):
        for size in (0, -1, 1 << 30, 2.5, True):
            with pytest.raises(mmstats.UsageError, match=r"size of .* must be an integer from 1 to"):
                field(size=size)
    for window in (0, -1, 1e10, math.nan, math.inf, "5", True):
        with pytest.raises(
            mmstats.UsageError, match=r"window of .*'recent'.* must be 0.001 to 1e\+09 seconds"
        ):
            mmstats.MovingAverageField(label="recent", window=window)
    with pytest.raises(mmstats.UsageError, match="a size or a window, not both: 5 and 60"):
        mmstats.MovingAverageField(5, window=60)
    with pytest.raises(mmstats.UsageError, match="timer must be a callable"):
        mmstats.TimerField(timer=5)
    with pytest.raises(mmstats.UsageError, match="a timer's unit is seconds: 'ms'"):
        mmstats.TimerField(unit="ms")


def test_positions_are_those_of_the_first_version(mmstats, clock):
    assert mmstats.MovingAverageField(7).size == 7
    assert mmstats.TimerField(clock).timer is clock
    assert mmstats.StringField(7).size == 7
    assert mmstats.BoolField(True).initial is True
    assert mmstats.CounterField("name").label == "name"


def test_one_label_of_two_sizes_is_two_things(mmstats, model):
    model()

    class Other(mmstats.BaseMmStats):
        load = mmstats.MovingAverageField(size=4)

    with pytest.raises(mmstats.DuplicateFieldName, match="'load'"):
        Other()


def test_one_label_of_two_windows_is_two_things(mmstats, model):
    model()

    class Other(mmstats.BaseMmStats):
        recent = mmstats.MovingAverageField(window=60)

    with pytest.raises(mmstats.DuplicateFieldName, match=r"'recent'.*slices of 3000000000 ns"):
        Other()


def test_fields_may_be_subclassed(mmstats, clock):
    """As 0.8's programs did, with their own defaults."""

    class Slow(mmstats.TimerField):
        def __init__(self, **options):
            super().__init__(timer=clock, size=2, **options)

    class Percent(mmstats.DoubleField):
        aggregate = mmstats.DoubleField(aggregate="avg").aggregate

    class Base(mmstats.BaseMmStats):
        slow = Slow(label="slow")
        full = Percent()

    class Nearer(Base):
        full = mmstats.CounterField()

    stats = Nearer()
    with stats.slow:
        clock.now += 2
    stats.full.incr()
    assert (value(mmstats, "slow").last, value(mmstats, "full")) == (2.0, 1)


# --- timers ------------------------------------------------------------------------------------------


def test_a_context_runs_and_is_done(timed, clock):
    with timed.latency as context:
        clock.now += 2
        assert (context.elapsed, context.done, timed.latency.last) == (2.0, False, 0.0)
        clock.now += 1
    assert (context.elapsed, context.done, timed.latency.last, timed.latency.value) == (3.0, True, 3.0, 3.0)


def test_start_and_stop(mmstats, timed, clock):
    timed.latency.start()
    clock.now += 2
    timed.latency.stop()
    assert timed.latency.last == 2.0
    with pytest.raises(mmstats.UsageError, match=r"'latency': stop\(\) without start\(\)"):
        timed.latency.stop()
    assert value(mmstats, "latency").count == 1


def test_contexts_may_end_in_any_order(mmstats, timed, clock):
    first = timed.latency.start()
    clock.now += 1
    second = timed.latency.start()
    clock.now += 1
    first.stop()
    clock.now += 1
    second.stop()
    first.stop()
    assert (first.elapsed, second.elapsed) == (2.0, 2.0)
    assert (value(mmstats, "latency").count, value(mmstats, "latency").sum) == (2, 4.0)


def test_a_context_that_is_stopped_inside_is_recorded_once(mmstats, timed, clock):
    with timed.latency:
        with timed.latency as inner:
            clock.now += 1
            inner.stop()
            clock.now += 1
        clock.now += 1
    found = value(mmstats, "latency")
    assert (found.count, found.min, found.max) == (2, 1.0, 3.0)


def test_start_and_stop_within_a_block(mmstats, timed, clock):
    with timed.latency:
        context = timed.latency.start()
        clock.now += 1
        timed.latency.stop()
        left = timed.latency.start()
        clock.now += 1
    assert (context.elapsed, left.done) == (1.0, False)
    clock.now += 1
    timed.latency.stop()
    found = value(mmstats, "latency")
    assert (found.count, found.sum) == (3, 1.0 + 2.0 + 2.0)


def test_nested_recursive_and_raising_blocks(mmstats, timed, clock):
    def down(depth):
        with timed.latency:
            clock.now += 1
            if depth:
                down(depth - 1)
            else:
                raise KeyError

    with pytest.raises(KeyError):
        down(2)
    found = value(mmstats, "latency")
    assert (found.count, found.sum) == (3, 1.0 + 2.0 + 3.0)


def test_exit_stacks(mmstats, timed, clock):
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(timed.latency)
            clock.now += 1
    assert (value(mmstats, "latency").count, value(mmstats, "latency").sum) == (3, 6.0)


def test_tasks_interleave(mmstats, timed, clock):
    """Each task ends its own block, whatever the order."""

    async def task(began, end):
        with timed.latency as context:
            began.set()
            await end.wait()
        return context.elapsed

    async def main():
        ends, tasks = [], []
        for _ in range(100):
            began, end = asyncio.Event(), asyncio.Event()
            ends.append(end)
            tasks.append(asyncio.ensure_future(task(began, end)))
            await began.wait()
            clock.now += 1
        for end in ends:
            end.set()
            await asyncio.sleep(0)
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == [100.0 - number for number in range(100)]
    assert value(mmstats, "latency").count == 100


def test_a_block_may_be_left_in_another_thread(mmstats, timed, clock):
    """As a web framework does that runs both halves of a dependency in a pool."""
    in_thread(timed.latency.__enter__)
    clock.now += 2
    in_thread(lambda: timed.latency.__exit__(None, None, None))
    assert (value(mmstats, "latency").count, value(mmstats, "latency").sum) == (1, 2.0)


def test_starts_without_stop_are_forgotten(timed, clock):
    for _ in range(5_000):
        timed.latency.start()
    assert len(timed.latency._open) == 1_000
    depth, context = 0, timed.latency._current.get()
    while context is not None:
        depth, context = depth + 1, context.outer
    assert depth <= 1_001


def test_threads_time_apart(mmstats, timed):
    def work():
        for _ in range(50):
            with timed.latency, timed.latency:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(mmstats, "latency").count == 400
    assert timed.latency._open == {}


def test_by_default_the_clock_is_monotonic_and_in_seconds(mmstats, model):
    stats = model()
    with stats.latency as context:
        assert 0 <= context.elapsed < 60
    assert 0 <= stats.latency.last == context.elapsed < 60
