"""Histograms, and timers' distributions: each value in its bucket, once, whatever comes in between."""

from __future__ import annotations

import gc
import math
import struct
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmstats.buckets import index_of
from mmstats.errors import Removed
from mmstats.format import compound, layout
from mmstats.format.spread import Range, spread_of

IS_PYPY = sys.implementation.name == "pypy"
RANGES = [Range(3, -20, 12), Range(0, -2, 2), Range(8, -1, 3, (0.5, 1.0, 7.5)), Range(2, -3, 9, (10.0,))]
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6),
    st.sampled_from([0.0, -0.0, 0.5, 1.0, 2.0, 4.0, 4096.0, 1e-9, 5e-324, 7.5, 10.0, 10**9]),
)
MANY = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class Made:
    """A handle, its first cells from cell 1 on, and its octaves, each in memory of its own."""

    def __init__(self, twin, kind, wanted, refuse, opener=None):
        self.kind, self.range, self.octaves, self.asked, self.segments = kind, wanted, {}, [], {}
        self.first = layout.TIMER_DISTRIBUTION if kind == "timer" else layout.HISTOGRAM_DISTRIBUTION
        self.cells = self.first + wanted.cells + (4 if kind == "timer" else 0)
        self.memory = bytearray(8 * (1 + self.cells))
        self.twin = twin
        self.segment = twin.Segment(opener or (lambda segment: segment.attach(self.memory)))
        where = wanted.scale, wanted.low, wanted.high, wanted.bounds, self.octave
        if kind == "timer":
            self.handle = twin.Timing(self.segment, 1, 3, *where, "x", refuse)
        else:
            self.handle = twin.Histogram(self.segment, 1, *where, "x", refuse)
        self.put = self.handle.observe

    def octave(self, k):
        self.asked.append(k)
        memory = self.octaves.setdefault(k, bytearray(8 << self.range.scale))
        self.segments[k] = self.twin.Segment(lambda segment: segment.attach(memory))
        return self.segments[k]

    def words(self):
        return struct.unpack(f"<{self.cells}Q", self.memory[8:])

    @property
    def n(self):
        return self.words()[0]

    def spread(self):
        words = self.words()
        own = words[self.first : self.first + self.range.cells]
        rows = {k: struct.unpack(f"<{len(row) // 8}Q", row) for k, row in self.octaves.items()}
        return spread_of(self.range, own, rows, own[:3], self.n)

    def totals(self):
        take = compound.take_of(self.kind, self.range)
        found = take(bytes(self.memory), 8, self.cells, self.n, True, 0)
        return found[:4]

    def last_begun(self):
        return self.words()[self.first]


@pytest.fixture(params=["histogram", "timer"])
def made(request, twin, refused):
    """A function: such a value, of one of two kinds."""

    def make(wanted=RANGES[0], **options):
        return Made(twin, request.param, wanted, refused, **options)

    return make


def counted(wanted, values):
    """What a plain model has after these."""
    buckets, zero, overflow, negative, counts = {}, 0, 0, 0, [0] * (len(wanted.bounds) + 1)
    for value in map(float, values):
        counts[sum(bound < value for bound in wanted.bounds)] += 1
        index = index_of(value, wanted.scale) if value > 0 else 0
        if value < 0:
            negative += 1
        elif value == 0 or index < wanted.low << wanted.scale:
            zero += 1
        elif index >= wanted.high << wanted.scale:
            overflow += 1
        else:
            buckets[index] = buckets.get(index, 0) + 1
    return buckets, zero, overflow, negative, tuple(counts) if wanted.bounds else ()


def told(spread):
    return spread.buckets, spread.zero, spread.overflow, spread.negative, spread.counts


@MANY
@given(values=st.lists(VALUES, max_size=40), wanted=st.sampled_from(RANGES))
def test_each_value_is_counted_where_it_lies(made, values, wanted):
    one = made(wanted)
    for value in values:
        one.put(value)
    assert told(one.spread()) == counted(wanted, values)
    assert one.spread().tells(len(values))
    total = 0.0
    for value in values:
        total += value
    if values:
        assert one.totals() == (len(values), total, min(map(float, values)), max(map(float, values)))


def test_an_octave_is_asked_for_once_and_when_a_value_falls_there(made):
    one = made()
    for value in (0, -5, 1e9):
        one.put(value)
    assert one.asked == []
    for value in (3.0, 4.0, 3.5, 1e-6, 3.0):
        one.put(value)
    assert one.asked == [21, 0]


def test_what_is_not_finite_is_refused_and_counted_nowhere(made, refused, not_finite):
    one = made()
    one.put(not_finite)
    assert (refused.count, one.n, one.asked) == (1, 0, [])


def test_a_sum_that_no_double_holds_is_refused_and_counted_nowhere(made, refused):
    one = made()
    one.put(1.7e308)
    one.put(1.7e308)
    assert (refused.count, one.n, one.spread().overflow) == (1, 1, 1)


@pytest.mark.parametrize("wrong", ["5", None, b"5", []])
def test_what_is_no_number_is_an_error_that_names_it(made, wrong):
    one = made()
    with pytest.raises(TypeError) as caught:
        one.put(wrong)
    assert str(caught.value) == f"'x' takes a number, not {type(wrong).__name__}: {wrong!r}"
    assert one.n == 0


@pytest.mark.parametrize("where", [(-1, 0, 1), (9, 0, 1), (3, 1, 1), (3, 2, 1), (3, -1024, 1), (3, 0, 1024)])
def test_a_range_that_cannot_be_is_an_error(twin, lanes, refused, where):
    segment = lanes(count=40).segment
    with pytest.raises((ValueError, OverflowError)):
        twin.Histogram(segment, 0, *where, (), lambda k: segment, "x", refused)
    with pytest.raises((ValueError, OverflowError)):
        twin.Timing(segment, 0, 3, *where, (), lambda k: segment, "x", refused)


# --- two segments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["first cells", "octave"])
def test_an_update_that_must_wait_is_handed_over_as_a_whole(made, which):
    """Whichever of both has no memory: nothing was stored anywhere, and all of it is done later."""
    waiting, closed = [], []

    def later(function, *arguments):
        waiting.append((function, arguments))

    one = made()
    one.put(5)
    before, octave = bytes(one.memory), bytes(one.octaves[22])
    if which == "octave":
        attach = one.octave
        one.octave_opener = lambda segment: later if not closed else segment.attach(one.octaves[22])
        segment = one.twin.Segment(one.octave_opener)
        other = Made(one.twin, one.kind, one.range, None)
        other.memory, other.octaves = one.memory, one.octaves
        where = one.range.scale, one.range.low, one.range.high, (), lambda k: segment
        sizes = (3,) if one.kind == "timer" else ()
        cls = one.twin.Timing if one.kind == "timer" else one.twin.Histogram
        handle = cls(one.twin.Segment(lambda s: s.attach(one.memory)), 1, *sizes, *where, "x", None)
        assert attach is not None
    else:
        segment = one.twin.Segment(lambda s: later if not closed else s.attach(one.memory))
        where = one.range.scale, one.range.low, one.range.high, (), one.octave
        sizes = (3,) if one.kind == "timer" else ()
        cls = one.twin.Timing if one.kind == "timer" else one.twin.Histogram
        handle = cls(segment, 1, *sizes, *where, "x", None)
    handle.observe(6)
    assert (len(waiting), bytes(one.memory), bytes(one.octaves[22])) == (1, before, octave)
    closed.append(True)
    for function, arguments in waiting:
        function(*arguments)
    assert (one.n, one.spread().tells(2)) == (2, True)


def test_a_first_cells_slow_path_that_closes_the_octave_is_found_out(twin, refused):
    """As a region does that moves: what is stored goes where both lead by then."""
    homes, opened = [bytearray(8 * 20), bytearray(8 * 20)], []
    rows = [bytearray(64), bytearray(64)]
    octave = twin.Segment(lambda segment: segment.attach(rows[len(opened) > 0]))

    def opener(segment):
        opened.append(True)
        octave.close()
        segment.attach(homes[1])

    histogram = twin.Histogram(twin.Segment(opener), 0, 3, 0, 4, (), lambda k: octave, "x", refused)
    histogram.observe(3)
    assert (rows[0], sum(rows[1]), homes[0], homes[1][0]) == (bytes(64), 1, bytes(160), 1)


def test_an_octave_that_is_no_segment_is_an_error(twin, lanes, refused):
    for wrong in (None, 5, "octave"):
        histogram = twin.Histogram(
            lanes(count=20).segment, 0, 3, 0, 4, (), lambda k, w=wrong: w, "x", refused
        )
        with pytest.raises((TypeError, AttributeError)):
            histogram.observe(3)


def test_an_error_of_who_gives_the_octave_is_the_updates(twin, lanes, refused):
    def octave(k):
        raise KeyError("no octave")

    there = lanes(count=20)
    histogram = twin.Histogram(there.segment, 0, 3, 0, 4, (), octave, "x", refused)
    with pytest.raises(KeyError, match="no octave"):
        histogram.observe(3)
    histogram.observe(0)
    assert there.memories[0][0] == 1


def test_an_octave_that_is_too_small_is_an_error(twin, lanes, refused):
    there = lanes(count=20)
    octave = twin.Segment(lambda segment: segment.attach(bytearray(8 * 4)))
    histogram = twin.Histogram(there.segment, 0, 3, 0, 4, (), lambda k: octave, "x", refused)
    with pytest.raises(IndexError):
        histogram.observe(1.99)
    assert [memory[0] for memory in there.memories] in ([], [0])


def test_removed_is_said_by_who_reads(twin, refused):
    def later(function, *arguments):
        pass

    later.removed = True
    timing = Made(twin, "timer", RANGES[0], refused, opener=lambda segment: later).handle
    timing.observe(3)
    with pytest.raises(Removed):
        timing.value  # noqa: B018 - reading it is the point


# --- whoever comes in between -----------------------------------------------------------------------------


def at_each_line(made, handler):
    """A value with two updates, a third one interrupted before each of its lines; whether it was."""
    for stop in range(1, 400):
        one = made(RANGES[3])
        one.put(5)
        one.put(20)
        lines, before = [0], sys.gettrace()

        def trace(frame, event, _argument, lines=lines, stop=stop, one=one, before=before):
            if "/mmstats/cells/" not in frame.f_code.co_filename:
                return None
            if event == "line":
                lines[0] += 1
                if lines[0] == stop:
                    sys.settrace(before)
                    handler(one)
            return trace if lines[0] < stop else None

        gc.disable()
        sys.settrace(trace)
        try:
            one.put(6)
        except ArithmeticError:
            pass
        finally:
            sys.settrace(before)
            gc.enable()
        yield one
        if lines[0] < stop:
            return
    raise AssertionError("an update of more than 400 lines")


@pytest.mark.main  # no line of ours differs from Python to Python
def test_a_handler_that_observes_loses_nothing(made):
    for one in at_each_line(made, lambda one: one.put(7)):
        assert one.n in (3, 4)
        assert one.spread().tells(one.n)
        assert one.totals()[1] in (31.0, 38.0)


@pytest.mark.main  # no line of ours differs from Python to Python
def test_an_update_that_a_handler_ended_was_never_there_or_is(made):
    """A reader finds it whole or not at all; and so it is after the next update."""

    def end(one):
        raise ArithmeticError

    for one in at_each_line(made, end):
        n = one.n
        assert n in (2, 3)
        assert one.spread().tells(n)
        one.put(6.5)
        assert one.n in (n + 1, n + 2)
        assert one.spread().tells(one.n)


def test_a_prefix_of_the_stores_is_the_value_before_or_after(made):
    """Told by `begun` alone: the cells as they are in the middle of an update, put there by hand."""
    one = made(RANGES[3])
    for value in (5, 20, 6):
        one.put(value)
    after = one.words()
    one.memory[8:16] = struct.pack("<Q", 2)  # the witness is stored last
    assert one.spread().tells(2)
    assert told(one.spread()) == counted(one.range, (5, 20))
    begun = one.last_begun()
    assert begun >> 32 == 3
    assert after[0] == 3


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy: who is alive is not told")
@pytest.mark.parametrize("kind", ["histogram", "timer"])
def test_in_a_cycle_with_its_octaves_it_is_freed(twin, kind):
    class Cycle:
        def __init__(self):
            self.made = Made(twin, kind, RANGES[0], lambda: self)
            self.made.put(3)

    for _ in range(10):
        Cycle()
    for _ in range(3):
        gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is Cycle]


def test_threads_count_exactly(twin, refused):
    """Each has cells of its own, of the octaves too."""
    firsts, rows = [], []

    def opener(segment):
        firsts.append(bytearray(8 * 20))
        segment.attach(firsts[-1])

    def octave(k):
        def attach(segment):
            rows.append(bytearray(64))
            segment.attach(rows[-1])

        return twin.Segment(attach)

    histogram = twin.Histogram(twin.Segment(opener), 0, 3, -20, 12, (), octave, "x", refused)

    def work():
        for value in range(1, 1001):
            histogram.observe(value)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [struct.unpack_from("<Q", first)[0] for first in firsts] == [1000] * 4
    assert sum(sum(struct.unpack("<8Q", row)) for row in rows) == 4000
    assert math.fsum(struct.unpack_from("<ddd", first, 8)[0] for first in firsts) == 4 * 500500
