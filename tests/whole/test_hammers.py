"""A writer at full speed and a reader beside it: what is read is always what was written, of one moment.

The writer's values are such that any two updates mixed show: means of one constant; durations whose count
tells their sum; windows of powers of two that follow each other; texts whose letter tells their length.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

import programs
from mmstats import snapshot
from mmstats.format.compound import Copies
from mmstats.format.spread import Spread
from mmstats.read import snapshot as reading
from mmstats.read.snapshot import Reader

pytestmark = [pytest.mark.main, pytest.mark.slow]

SECONDS = 1  # with each twin, and each kind; longer where fewer than enough were accepted by then
ENOUGH = 1_000  # values accepted, however long that takes
LONG = 60
WINDOW, POWERS = 20, 50
PERIOD = 64
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SIZE = 8 * len(LETTERS)

WRITER = """
import itertools, mmstats, os, sys, threading
from mmstats.cells import compound, distribution, text, window
{spoil}
class Model(mmstats.BaseMmStats):
    x = mmstats.{field}

def end_with_the_test():
    sys.stdin.read()
    os._exit(0)

stats = Model()
{first}
threading.Thread(target=end_with_the_test).start()
print("ready", flush=True)
for each in itertools.cycle({values}):
    {update}
"""
FIELDS = {
    "average": ("AverageField()", "[1.25]", "stats.x.add(each)"),
    "moving": (f"MovingAverageField(size={WINDOW})", f"[2**i for i in range({POWERS})]", "stats.x.add(each)"),
    "window": ("MovingAverageField(window=0.02)", "[1.25]", "stats.x.add(each)"),
    "timer": (f"TimerField(size={WINDOW})", f"range({PERIOD})", "stats.x.observe(each)"),
    "histogram": ("HistogramField(bounds=(0.5, 1))", "[1]", "stats.x.observe(each)"),
    "text": (
        f"StringField(size={SIZE})",
        f"[letter * 8 * at for at, letter in enumerate({LETTERS!r}, 1)]",
        "stats.x = each",
    ),
}


def is_average(stat):
    return stat.value in (0.0, 1.25)


def is_window(stat):
    """As many of one number as their sum says; of none, where its writer was not let run that long."""
    total, count = stat.parts or (0.0, 0)
    return total == 1.25 * count and stat.value in (0.0, 1.25)


def is_moving(stat):
    """Powers of two that follow each other, as many as the window takes."""
    total, count = stat.parts or (0.0, 0)
    run = {sum(2 ** ((first + i) % POWERS) for i in range(count)) for first in range(POWERS)}
    return count <= WINDOW and total in run


def is_timer(stat):
    value = stat.value
    rounds, rest = divmod(value.count, PERIOD)
    last = [(value.count - 1 - i) % PERIOD for i in range(min(WINDOW, value.count))]
    return value.count == 0 or (value.sum, value.min, value.max, value.last, value.moving) == (
        rounds * sum(range(PERIOD)) + sum(range(rest)),
        0,
        min(value.count, PERIOD) - 1,
        last[0],
        sum(last) / len(last),
    )


def is_histogram(stat):
    """Of ones: as many in the bucket, and below the bound, as the sum says."""
    value = stat.value
    buckets, bounds = [count for _, _, count in value.buckets], [count for _, count in value.bounds]
    return value.count == value.sum == sum(buckets) and bounds in ([], [0, value.count])


def is_text(stat):
    text = stat.value
    return text == text[:1] * len(text) and len(text) == 8 * (LETTERS.index(text[:1]) + 1 if text else 0)


WHOLE = {
    "average": is_average,
    "moving": is_moving,
    "window": is_window,
    "timer": is_timer,
    "histogram": is_histogram,
    "text": is_text,
}


@contextmanager
def writer(twin, directory, kind, spoil=""):
    field, values, update = FIELDS[kind]
    first = update.replace(
        "each", "''" if kind == "text" else repr(1.25 if kind in ("average", "window") else 0)
    )
    first = first if kind in ("average", "window", "text") else ""
    source = WRITER.format(spoil=spoil, field=field, values=values, update=update, first=first)
    child = subprocess.Popen(
        [sys.executable, "-c", source],
        env=programs.environment(twin, directory),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout.readline() == "ready\n"
        yield
    finally:
        child.communicate()
        assert child.returncode == 0, "the writer died"


def accepted(directory, seconds=SECONDS, enough=0):
    """The stat, once for each time that it was read without a problem: so long, and until it is enough."""
    begin, seen = time.monotonic(), 0
    readers = itertools.cycle((snapshot, Reader(keep=True).read))  # who reads once, and who reads on
    while (took := time.monotonic() - begin) < seconds or (seen < enough and took < LONG):
        (one,) = next(readers)(directory)
        if not one.problems:
            seen += 1
            yield one.stats[0]


@pytest.mark.parametrize("kind", FIELDS)
def test_it_is_of_one_moment(twin, stats_dir, kind):
    whole, seen, values = WHOLE[kind], 0, set()
    with writer(twin, stats_dir, kind):
        for stat in accepted(stats_dir, enough=ENOUGH):
            assert whole(stat), repr(stat)
            values.add(repr(stat.parts if kind == "window" else stat.value))
            seen += 1
    assert seen >= ENOUGH
    assert kind == "average" or len(values) > 10, "it hardly moved"


SPOILT = {
    "average": """
def store(self, views, real):
    views[0][self._index] += 1
    for at in (1, 2):
        views[1][self._index + at] += real
compound.Average._store = store
""",
    "moving": """
def store(self, views, real):
    n = views[0][self._index]
    views[0][self._index] = n + 1
    views[1][self._index + 2 + n % self._room] = real
compound.Moving._store = store
""",
    "window": """
right = window.Window._store
class InPlace(list):
    def __init__(self, view, at): self.view, self.at = view, at
    def __getitem__(self, at): return self.view[at]
    def __setitem__(self, at, value):
        self.view[at] = value
        if self.at + 1 <= at < self.at + 5: self.view[at + 4] = value
        elif self.at + 5 <= at < self.at + 9: self.view[at - 4] = value
def store(self, views, real):
    right(self, (InPlace(views[0], self._index), InPlace(views[1], self._index), *views[2:]), real)
window.Window._store = store
""",
    "timer": """
right = distribution.store
class Doubles(list):
    def __init__(self, doubles): self.doubles = doubles
    def __getitem__(self, at): return self.doubles[at]
    def __setitem__(self, at, value):
        self.doubles[at] = value
        if at < 6 and at >= 3: self.doubles[at + 3] = value
        elif at < 9 and at >= 6: self.doubles[at - 3] = value
def store(handle, spread, views, octave, number, real):
    right(handle, spread, (views[0], Doubles(views[1]), *views[2:]), octave, number, real)
distribution.store = store
""",
    "text": """
right = text.Text._store
def store(self, ints, index, raw):
    ints[index] -= bool(ints[index])
    right(self, ints, index, raw)
text.Text._store = store
""",
}


def finds_a_mixture(directory, kind):
    """Whether one is met; a busy machine may let the two meet seldom, so it is waited for."""
    return any(not WHOLE[kind](stat) for stat in accepted(directory, LONG))


@pytest.mark.parametrize("kind", SPOILT)
def test_a_writer_without_the_remedy_is_found_out(stats_dir, kind):
    """What the witness points at is stored into in its place, or the witness comes first."""
    with writer("pure", stats_dir, kind, SPOILT[kind]):
        assert finds_a_mixture(stats_dir, kind)


@pytest.mark.parametrize("kind", FIELDS)
def test_a_reader_that_asks_the_witness_once_is_found_out(twin, stats_dir, monkeypatch, kind):
    """And, of a histogram, does not add up what it has."""
    monkeypatch.setattr(Spread, "tells", lambda self, n: True)

    def trusting(data, source, _patience, _decoded):
        return Copies(data, source.read(), data, source.read_at, lambda: True)

    monkeypatch.setattr(reading, "copies_of", trusting)
    with writer(twin, stats_dir, kind):
        assert finds_a_mixture(stats_dir, kind)
