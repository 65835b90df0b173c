"""What survives the end of a thread, and of a process: each cell of the table in docs/python.md."""

from __future__ import annotations

import re

import pytest

import programs
import zygote
from mmstats import combined
from mmstats.tools.cleaning import Wanted, clean

pytestmark = pytest.mark.main

STAYS, GONE, NOTHING = "stays", "gone", "\u2013"


class Case:
    """One kind: how it is written, what readers see then, and what once it is gone.

    `thread` and `process`: what their ends leave, as the row of the table says.
    """

    def __init__(self, row, field, update, there, blank, *, thread, process, of=lambda value: value):
        self.row, self.field, self.update = row, field, update
        self.there, self.blank, self.of = there, blank, of
        self.thread, self.process = thread, process


COUNTED = "counter, average, histogram"
TIMED = "count, sum, least, greatest and percentiles of a timer"
RECENT = "moving average; last duration and moving average of a timer"
UP_AND_DOWN, SUMMED, OTHERWISE = (
    "up and down",
    "plain number combined by sum",
    "plain number combined otherwise",
)
both_stay = {"thread": STAYS, "process": STAYS}
both_go = {"thread": GONE, "process": GONE}
goes_with_process = {"thread": STAYS, "process": GONE}
left_at_the_end = {"thread": GONE, "process": STAYS}
of_process = {"thread": NOTHING, "process": GONE}


def totals(value):
    return value.count, value.sum, value.min, value.max, round(value.percentile(0.5), 1)


def lasts(value):
    return value.last, value.moving


OBSERVE, LOW = ("observe", 4), ("set", -3)
ALL_OF_IT = (1, 4, 4, 4, 4.0)  # of one value, by `totals`
CASES = {
    "counter": Case(COUNTED, "CounterField()", ("incr", 3), 3, 0, **both_stay),
    "counter_of_floats": Case(COUNTED, "CounterField(float=True)", ("incr", 0.5), 0.5, 0, **both_stay),
    "average": Case(COUNTED, "AverageField()", ("add", 4), 4.0, 0.0, **both_stay),
    "histogram": Case(COUNTED, "HistogramField()", OBSERVE, ALL_OF_IT, 0, **both_stay, of=totals),
    "timer": Case(TIMED, "TimerField()", OBSERVE, ALL_OF_IT, 0, **both_stay, of=totals),
    "timer_last": Case(RECENT, "TimerField()", ("observe", 4), (4, 4), (0, 0), **both_go, of=lasts),
    "moving": Case(RECENT, "MovingAverageField()", ("add", 4), 4.0, 0.0, **both_go),
    "window": Case(RECENT, "MovingAverageField(window=3600)", ("add", 4), 4.0, 0.0, **both_go),
    "updown": Case(UP_AND_DOWN, "UpDownField()", ("decr", 3), -3, 0, **goes_with_process),
    "updown_kept": Case(UP_AND_DOWN, "UpDownField(keep=True)", ("decr", 3), -3, 0, **both_stay),
    "number": Case(SUMMED, "Int64Field()", ("set", 3), 3, 0, **goes_with_process),
    "number_kept": Case(SUMMED, "Int64Field(keep=True)", ("set", 3), 3, 0, **both_stay),
    "real_kept": Case(SUMMED, "DoubleField(aggregate='sum', keep=True)", ("set", 3), 3, 0, **both_stay),
    "highest": Case(OTHERWISE, "DoubleField()", ("set", 3), 3, 0, **both_go),
    "lowest": Case(OTHERWISE, "IntField(aggregate='min')", ("set", -3), -3, 0, **both_go),
    "mean": Case(OTHERWISE, "IntField(aggregate='avg')", ("set", 3), 3, 0, **both_go),
    "highest_kept": Case(OTHERWISE, "DoubleField(keep=True)", ("set", 3), 3, 0, **left_at_the_end),
    "lowest_kept": Case(OTHERWISE, "IntField(aggregate='min', keep=True)", LOW, -3, 0, **left_at_the_end),
    "bool": Case("bool, text", "BoolField()", ("set", True), True, False, **both_go),
    "text": Case("bool, text", "StringField()", ("set", "up"), "up", "", **both_go),
    "gauge": Case("gauge, enum, info", "GaugeField()", ("set", 3), 3, 0, **of_process),
    "enum": Case("gauge, enum, info", "EnumField(states=('a', 'b'))", ("set", "b"), "b", None, **of_process),
    "info": Case("gauge, enum, info", "InfoField(a='b')", None, 'a="b"', None, **of_process),
    "static": Case("static", "StaticTextField(value='x')", None, "x", None, **of_process),
}  # fmt: skip
each_case = pytest.mark.parametrize("name", CASES)
MODEL = "class Model(mmstats.BaseMmStats):\n" + "".join(
    f"    {name} = mmstats.{case.field}\n    {name}_tagged = mmstats.{case.field[:-1].rstrip('(')}"
    + ("(" if case.field.endswith("()") else ", ")
    + "tags=('of',))\n"
    if case.update
    else f"    {name} = mmstats.{case.field}\n"
    for name, case in CASES.items()
)


@pytest.fixture(scope="module")
def zygotes(tmp_path_factory):
    """Twin → a zygote, and the directory of its processes."""
    made = {}
    for twin in programs.twins():
        directory = tmp_path_factory.mktemp(f"survives-{twin}")
        made[twin] = zygote.Zygote(twin, directory, MODEL), directory
    yield made
    for one, _ in made.values():
        one.__exit__()


@pytest.fixture
def process(twin, zygotes):
    """A process with the model, and where it publishes."""
    parent, directory = zygotes[twin]
    for path in directory.iterdir():
        path.unlink()
    made = parent.process()
    made.declare()
    yield made, directory
    made.kill()


class Seen:
    """A case as it is, or as a member of a family."""

    def __init__(self, name, directory, tags):
        self.case, self.directory = CASES[name], directory
        self.name, self.tags = (f"{name}_tagged", tags) if tags else (name, {})

    def write(self, process, **how):
        if self.case.update:
            verb, *arguments = self.case.update
            process.do(self.name, verb, *arguments, tags=tuple(self.tags.values()), **how)

    def is_there(self):
        """Whether the value is the one that was written; it is blank where it is not."""
        whole = combined(self.directory)
        assert [str(problem) for problem in whole.problems] == []
        found = whole.value(self.name, default=None, **self.tags)
        if found is not None and not isinstance(found, frozenset):
            found = self.case.of(found)
        if isinstance(found, frozenset):
            (found,) = found or {None}
        assert found in (self.case.there, self.case.blank, None), found
        return found == self.case.there


def seen(name, directory, tags):
    if tags and not CASES[name].update:
        return None
    return Seen(name, directory, tags)


@each_case
def test_the_end_of_a_thread(process, name):
    one, directory = process
    for tags in ({}, {"of": "a"}):
        if (what := seen(name, directory, tags)) is not None:
            what.write(one, in_thread=True)
            assert what.is_there() == (what.case.thread != GONE), tags


@each_case
@pytest.mark.parametrize("how", ["kill", "exit", "remove"])
def test_the_end_of_a_process(zygotes, twin, name, how):
    """At once, and when the dead were folded."""
    parent, directory = zygotes[twin]
    for path in directory.iterdir():
        path.unlink()
    one = parent.process()
    one.declare()
    every = [what for tags in ({}, {"of": "a"}) if (what := seen(name, directory, tags)) is not None]
    for what in every:
        what.write(one)
        assert what.is_there()
    getattr(one, how)()
    try:
        assert [what.is_there() for what in every] == [what.case.process == STAYS for what in every]
        wanted = Wanted([str(directory)])
        wanted.quiet = True
        clean(wanted)
        assert [what.is_there() for what in every] == [what.case.process == STAYS for what in every]
    finally:
        if how == "remove":
            one.kill()


def table():
    """Row → what the end of a thread leaves, and of a process, as docs/python.md has it."""
    text = (programs.ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    text = text.split("### What survives", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    return {row: (thread, process) for row, thread, process in rows}


def word(case, which):
    """The first word of a cell: whatever `keep=True` changes stands behind it."""
    if which == 0:
        return case.thread
    return GONE if case.process == STAYS and "keep" in case.field else case.process


def test_every_cell_of_the_table_is_tried():
    rows = table()
    rows.pop("kind", None)
    assert {case.row for case in CASES.values()} == rows.keys()
    for case in CASES.values():
        for which, cell in enumerate(rows[case.row]):
            assert re.match(rf"stays?\b|gone\b|{NOTHING}", cell)[0].replace("stay", "stays").replace(
                "ss", "s"
            ) == word(case, which), (case.field, cell)
    for row, cells in rows.items():
        keeps = any("keep" in case.field for case in CASES.values() if case.row == row)
        assert keeps == ("keep=True" in cells[1]), row
