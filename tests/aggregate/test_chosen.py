"""One number of many processes, by a word of the caller's."""

from __future__ import annotations

import pytest

from exposed import histogram
from mmstats import kinds
from mmstats.aggregate.chosen import WORDS, choose
from mmstats.stat import About, Origin, Problem, Snapshot, Stat


def stat(value, label="a", kind="counter", aggregate="sum", unit="", parts=...):
    about = About(aggregate, "", False, kind, label, (), unit)
    return Stat(about, "g", value if parts is ... else parts, value)


def process(*stats, pid=1, state="alive", file="f", problems=()):
    origin = Origin("cmd", 1.0, file, "g", "host", pid, float(pid), state, 0, f"{pid:032x}")
    return Snapshot(kinds.merged, origin, list(problems), int(state == "alive"), list(stats))


def value(word, *snapshots):
    return {one.label: one.value for one in choose(word, snapshots).stats}


FOUR = [process(stat(number), pid=1 + at) for at, number in enumerate((0, 10, 3, 7))]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sum", 20),
        ("avg", 5.0),
        ("min", 0),
        ("max", 10),
        ("one", 0),
        ("count", 4),
        ("nonzero-min", 3),
        ("nonzero-avg", 20 / 3),
        ("p50", 3),
        ("p90", 10),
        ("p95", 10),
        ("p99", 10),
    ],
)
def test_each_word(word, expected):
    assert value(word, *FOUR) == {"a": expected}


def test_there_is_a_test_for_each_word():
    assert set(WORDS) == {
        *("sum", "avg", "min", "max", "one", "count", "nonzero-min", "nonzero-avg"),
        *("p50", "p90", "p95", "p99"),
    }


@pytest.mark.parametrize("word", ["nonzero-min", "nonzero-avg"])
def test_nothing_but_zeros_has_no_value(word):
    assert value(word, process(stat(0)), process(stat(0), pid=2)) == {}


def test_files_of_one_process_are_one():
    two = process(stat(1), pid=1, file="thread 1"), process(stat(4), pid=1, file="thread 2")
    assert value("min", *two, process(stat(9), pid=2)) == {"a": 5}
    assert value("count", *two, process(stat(9), pid=2)) == {"a": 2}


def test_files_of_nobody_are_each_for_itself():
    """Of version 1, without a pid."""
    two = process(stat(1), pid=0, file="one"), process(stat(4), pid=0, file="two")
    assert value("count", *two) == {"a": 2}


def test_the_retired_are_in_sums_alone():
    retired = process(stat(100), pid=0, state="retired")
    assert value("sum", *FOUR, retired) == {"a": 120}
    assert value("max", *FOUR, retired) == {"a": 10}
    assert value("max", retired) == {}


def test_texts_are_left_out():
    assert value("max", process(stat("x", kind="text", aggregate="last"), stat(1, "b"))) == {"b": 1}


@pytest.mark.parametrize(
    ("word", "expected"),
    [("sum", 7.5), ("avg", 1.5), ("min", 0.5), ("max", 3.0), ("count", 5), ("nonzero-avg", 1.75)],
)
def test_distributions_are_asked_as_a_whole(word, expected):
    made = [histogram([0.5, 0.5, 0.5]), histogram([3.0, 3.0])]
    parts = [(one.count, one.sum, one.min, one.max, one.spread) for one in made]
    snapshots = [
        process(stat(one, kind="histogram", unit="seconds", parts=part), pid=1 + at)
        for at, (one, part) in enumerate(zip(made, parts))
    ]
    assert value(word, *snapshots) == {"a": expected}
    (one,) = choose("p99", snapshots).stats
    assert (one.value, one.kind, one.unit, one.aggregate) == (3.0, "gauge", "seconds", "p99")


def test_what_the_retired_measured_has_percentiles():
    made = histogram([0.5, 0.5])
    parts = (made.count, made.sum, made.min, made.max, made.spread)
    retired = process(stat(made, kind="histogram", parts=parts), pid=0, state="retired")
    assert value("p99", retired) == {"a": 0.5}
    assert value("one", retired) == {}


def test_what_it_is_then():
    (one,) = choose("sum", FOUR).stats
    assert (one.kind, one.aggregate) == ("counter", "sum")
    (one,) = choose("count", [process(stat(1, unit="bytes"))]).stats
    assert (one.kind, one.unit) == ("gauge", "")


def test_problems_stay_and_disagreement_is_one():
    problem = Problem("f", "damaged")
    whole = choose("max", [process(stat(1), problems=[problem]), process(stat(2.0, kind="gauge"), pid=2)])
    assert whole.problems[0] == problem
    assert "left out" in whole.problems[1].reason
    assert whole.processes == 2
