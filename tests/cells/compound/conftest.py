"""Values of several cells (FORMAT.md 5.1), each kind by the same words: `put`, `get`, `cells`."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path

import pytest

import spreading

LAW = (Path(__file__).resolve().parents[3] / "spec" / "FORMAT.md").read_text(encoding="utf-8")
SIZE = 3  # values of a ring
BYTES = 12  # of a text: two words
COUNT = 24  # cells of each memory


class Stats:
    """Something with `_mm_cells`, as a model's instance has."""


class Number:
    """An Average, a Moving, a Window or a Timing; `put` is its update."""

    nothing, wrong = 0.0, "no number"
    shown = staticmethod(float)  # what is read after one number was put

    def __init__(self, twin, kind, segment, index, refuse):
        self.handle = getattr(twin, kind)(segment, index, *spreading.sizes(twin, kind, SIZE), "x", refuse)
        self.put = self.handle.observe if kind == "Timing" else self.handle.add
        self.cells = spreading.CELLS[kind]

    def get(self):
        return self.handle.value


class Text:
    """The attribute `x` of an instance; a number is put as the text that says it."""

    nothing, wrong = "nothing", b"no text"
    shown = staticmethod(str)
    cells = spreading.CELLS["Text"]

    def __init__(self, twin, segment, index):
        self.stats = type("Model", (Stats,), {"x": twin.Text("x", BYTES)})()
        self.stats._mm_cells = {"x": (segment, index, self.nothing)}

    def put(self, value):
        self.stats.x = value if isinstance(value, (str, bytes)) else str(value)

    def get(self):
        return self.stats.x


class Refusals:
    """What a value is refused to, and how often it was."""

    count = 0

    def __call__(self):
        self.count += 1


@pytest.fixture(params=list(spreading.CELLS))
def kind(request):
    return request.param


@pytest.fixture(params=["Average", "Moving", "Window", "Timing"])
def number_kind(request):
    return request.param


@pytest.fixture
def refused():
    return Refusals()


@pytest.fixture
def value_in(twin, refused):
    """A function: a value of that kind in a segment, from cell `index` on."""

    def make(kind, segment, index=1):
        return Text(twin, segment, index) if kind == "Text" else Number(twin, kind, segment, index, refused)

    return make


@pytest.fixture
def value(value_in, lanes):
    """A function: a value of that kind, and its lanes."""

    def make(kind, index=1, **options):
        there = lanes(**{"count": COUNT, **options})
        return value_in(kind, there.segment, index), there

    return make


@pytest.fixture
def example():
    """A function: the words of the worked example of a compound value."""

    def of(title):
        text = LAW.split("\n### 5.1 ", 1)[1].split(f"\n**{title}.**", 1)[1]
        lines = text.split("*Example.*", 1)[1].split("```", 2)[1].strip().splitlines()
        raw = bytes.fromhex("".join(re.match(r"(?:[0-9a-f]{2} ){8}", line + " ")[0] for line in lines))
        return list(struct.unpack(f"<{len(raw) // 8}Q", raw))

    return of


@pytest.fixture
def words():
    """A function: all cells of a memory; zero for those that hold times."""
    times = {"Timing": [2], "Text": [2, 6]}

    def read(memory, kind=None, index=1):
        found = [memory[at] for at in range(COUNT)]
        for at in times.get(kind, []):
            found[index + at] = 0
        return found

    return read


@pytest.fixture(params=[math.nan, math.inf, -math.inf], ids=str)
def not_finite(request):
    return request.param
