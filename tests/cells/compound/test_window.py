"""A moving average of a window of time (FORMAT.md 5.1), against a list of what was added when."""

from __future__ import annotations

import itertools
import random
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spreading
from mmstats.format import compound, window

SLICES = 4
WIDTH = 2_000_000  # ns: short enough for many slices in a test, long enough for several values in one
CELLS = window.cells_of(SLICES)
MANY = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class Kept:
    """A Window in memory of its own, and a list of what was added in which slice."""

    def __init__(self, twin, slices=SLICES, width=WIDTH):
        self.memory = memory = bytearray(8 * window.cells_of(slices))
        self.segment = twin.Segment(lambda segment: segment.attach(memory))
        self.handle = twin.Window(self.segment, 0, slices, width, "x", None)
        self.slices, self.width, self.added = slices, width, []

    def add(self, value):
        begin = time.monotonic_ns() // self.width
        self.handle.add(value)
        end = time.monotonic_ns() // self.width
        n = compound.witness(self.memory, 0)
        (newest,) = struct.unpack_from("<Q", self.memory, 8 * (2 + 4 * (n & 1)))
        assert begin <= newest <= end
        self.added.append((newest, value))

    def within(self, now):
        """Sum and count of what was added in the window when it is slice `now`."""
        values = [value for when, value in self.added if when > now - self.slices]
        return (sum(values), len(values)) if values else None

    def read(self, now):
        """The same as a reader finds it."""
        n = compound.witness(self.memory, 0)
        take = window.take_of(self.width, now * self.width)
        return take(bytes(self.memory), 0, window.cells_of(self.slices), n, True, 0)


@pytest.fixture
def kept(twin):
    return Kept(twin)


def test_what_counts_is_what_was_added_in_the_window(kept):
    """Read after each value, as of that moment and of each later slice, until none is left."""
    chance = random.Random(7)
    for value in range(200):
        kept.add(value)
        newest = kept.added[-1][0]
        for now in range(newest, newest + SLICES + 2):
            assert kept.read(now) == kept.within(now)
        assert kept.read(newest + SLICES) is None
        time.sleep(chance.choice([0, 0, 1e-3, 3e-3, 1e-2]))
    slices = [when for when, _ in kept.added]
    assert len(set(slices)) > 2 * SLICES
    assert len(set(slices)) < len(slices), "no slice had two values"


def test_a_thread_sees_its_own_window_go_by(kept):
    for value in (3, 4, 8):
        kept.add(value)
    begin = time.monotonic_ns() // WIDTH
    seen = kept.handle.value
    end = time.monotonic_ns() // WIDTH
    means = [total / count for total, count in filter(None, map(kept.within, range(begin, end + 1)))]
    assert seen in [*means, 0.0]
    time.sleep(2 * SLICES * WIDTH / 1e9)
    assert kept.handle.value == 0.0


def test_a_long_window_has_all_of_them(twin):
    kept = Kept(twin, width=spreading.AGE)
    for value in (3, 4, 8):
        kept.handle.add(value)
    assert kept.handle.value == 5.0


def test_a_reader_whose_clock_is_behind_takes_the_writers(kept):
    kept.add(5)
    assert kept.read(0) == kept.read(-7) == (5.0, 1)


def test_the_worked_example_is_what_is_written(twin, example):
    """Word by word, but for the number of its first slice; tried until the clock keeps the beat."""
    expected = example("Moving average of a window of time")
    for tries in itertools.count():
        kept = Kept(twin, slices=2, width=1_000_000 << min(tries, 8))
        first = time.monotonic_ns() // kept.width + 1
        for at, value in (0, 1.0), (1, 2.0), (1, 4.0), (2, 8.0):
            while time.monotonic_ns() // kept.width < first + at:
                time.sleep(kept.width / 1e10)
            kept.add(value)
        if [when - first for when, _ in kept.added] == [0, 1, 1, 2]:
            break
        assert tries < 50
    moved = list(struct.unpack(f"<{len(expected)}Q", kept.memory))
    shift = first - 5
    for at in (2, 6, 9, 12):
        moved[at] -= shift
    if shift % 2:  # slice t stands in t mod 2
        moved[9:12], moved[12:15] = moved[12:15], moved[9:12]
    assert moved == expected


@MANY
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(-9, 9)), min_size=1, max_size=40))
def test_any_gaps_with_a_clock_turned_by_hand(monkeypatch, steps):
    """The pure twin, and readers at every slice."""
    from mmstats.cells import pure
    from mmstats.cells import window as module

    pure.token.renew()
    now = 1000
    with monkeypatch.context() as patch:
        patch.setattr(module, "monotonic_ns", lambda: now * WIDTH)
        kept = Kept(pure)
        for gap, value in steps:
            now += gap
            kept.handle.add(value)
            kept.added.append((now, value))
            total, count = kept.within(now)
            assert (total / count, (total, count)) == (kept.handle.value, kept.read(now))


def test_of_an_update_under_way_nothing_counts(kept):
    """The slice that is over is in the ring already, whole or in part; the witness is that of before."""
    for value in (3, 4, 8):
        kept.add(value)
    newest = kept.added[-1][0]
    before, place = kept.read(newest), 8 * (9 + 3 * (newest % SLICES))
    for words in ([newest], [newest, 99], [newest, 99, 0x40F86A0000000000]):
        struct.pack_into(f"<{len(words)}Q", kept.memory, place, *words)
        assert kept.read(newest) == before


@pytest.mark.parametrize(("slices", "width"), [(1, 1000), (0, 1000), (3, 0), (3, -1)])
def test_there_is_no_such_window(twin, slices, width):
    segment = twin.Segment(lambda segment: None)
    with pytest.raises(ValueError, match=rf"^'x': no window of {slices} slices of {width} ns$"):
        twin.Window(segment, 0, slices, width, "x", None)
