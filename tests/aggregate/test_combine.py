"""Snapshots become one: by group, label, tags, kind and unit; the living and the dead as their kinds say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmstats import kinds
from mmstats.aggregate.combine import combine
from mmstats.stat import About, Origin, Problem, Rows, Snapshot, Stat


def stat(label, kind, value, aggregate="sum", *, keep=False, unit="", tags=(), group="g", parts=...):
    about = About(aggregate, "", keep, kind, label, tags, unit)
    return Stat(about, group, kinds.stated(aggregate, value, 0.0) if parts is ... else parts, value)


def process(*stats, pid=1, state="alive", created=1.0, group="g", problems=()):
    origin = Origin("cmd", created, f"f{pid}", group, "host", pid, created, state, 0, f"{pid:032x}")
    return Snapshot(kinds.merged, origin, list(problems), int(state == "alive"), list(stats))


def values(whole):
    return {one.label: one.value for one in whole.stats}


def test_nothing_combined_is_nothing():
    assert combine([]) == Snapshot(None, Origin(), [], 0, [])


@pytest.mark.parametrize(
    ("kind", "aggregate", "each", "whole"),
    [
        ("counter", "sum", [2**64 - 1, 2], 2**64 + 1),
        ("updown", "sum", [5, -7], -2),
        ("number", "max", [1.5, -2.5], 1.5),
        ("number", "min", [1.5, -2.5], -2.5),
        ("number", "avg", [1, 2], 1.5),
        ("bool", "any", [False, True], True),
        ("static", "set", ["a", "b"], frozenset("ab")),
        ("static", "set", [1, 1], frozenset((1,))),
        ("gauge", "sum", [1.0, 2.0], 3.0),
    ],
)
def test_each_kind_by_its_rule(kind, aggregate, each, whole):
    snapshots = [process(stat("a", kind, value, aggregate), pid=pid) for pid, value in enumerate(each)]
    assert values(combine(snapshots)) == {"a": whole}


def test_the_last_is_the_youngest_writers():
    one, two = (
        stat("a", "gauge", value, "last", parts=(created, value))
        for created, value in ((2.0, "new"), (1.0, "old"))
    )
    assert values(combine([process(one), process(two, pid=2)])) == {"a": "new"}


def test_each_processes_own_are_told_apart_by_pid():
    whole = combine([process(stat("a", "gauge", 1.0, "all")), process(stat("a", "gauge", 2.0, "all"), pid=2)])
    assert [(one.tags, one.value) for one in whole.stats] == [({"pid": "1"}, 1.0), ({"pid": "2"}, 2.0)]
    assert whole.value("a", pid=2) == 2.0


def test_the_gone_count_as_their_kinds_say():
    stats = [
        stat("counter", "counter", 1),
        stat("up", "updown", 1),
        stat("kept up", "updown", 1, keep=True),
        stat("max", "number", 1, "max"),
        stat("kept max", "number", 1, "max", keep=True),
        stat("bool", "bool", True, "any"),
        stat("gauge", "gauge", 1.0),
        stat("static", "static", 1, "set"),
    ]
    whole = combine([process(*stats, state="gone")])
    assert set(values(whole)) == {"counter", "kept up", "kept max"}
    assert whole.processes == 0
    for state in ("unknown", "retired"):
        assert len(combine([process(*stats, state=state)]).stats) == len(stats)


def test_a_metric_that_nobody_wrote_shows_what_was_declared():
    unwritten = [stat("a", "number", 7, "max", parts=None), stat("a", "number", 8, "max", parts=None)]
    assert values(combine([process(unwritten[0]), process(unwritten[1], pid=2, created=2.0)])) == {"a": 8}
    assert values(combine([process(unwritten[0]), process(stat("a", "number", -5, "max"), pid=2)])) == {
        "a": -5
    }


def test_groups_stay_apart_and_are_merged_by_value():
    snapshots = [
        process(stat("a", "counter", 1, group=group), pid=pid, group=group) for pid, group in enumerate("xy")
    ]
    whole = combine(snapshots)
    assert [(one.group, one.value) for one in whole.stats] == [("x", 1), ("y", 1)]
    assert whole.value("a") == 2
    assert combine(snapshots, "x").value("a") == 1
    assert combine(snapshots, "x").origin.group == "x"


def test_the_younger_declaration_wins_and_the_other_is_named():
    old = process(stat("a", "number", 1.0, "max"), stat("b", "counter", 1), pid=1)
    new = process(stat("a", "counter", 5), stat("b", "counter", 1), pid=2, created=2.0)
    older = process(stat("a", "number", 3.0, "max"), pid=3)
    for order in ([old, new, older], [older, old, new]):
        whole = combine(order)
        assert values(whole) == {"a": 5, "b": 2}
        who = f"cmd {order[0].origin.pid}"
        assert [problem.reason for problem in whole.problems] == [
            f"'a' is declared as number by {who}, by a younger program as counter; left out"
        ]


def test_another_unit_is_another_meaning():
    whole = combine(
        [
            process(stat("a", "gauge", 1.0, unit="seconds")),
            process(stat("a", "gauge", 2.0, unit="bytes"), pid=2, created=2.0),
        ]
    )
    assert values(whole) == {"a": 2.0}
    assert "gauge in seconds by cmd 1, by a younger program as gauge in bytes" in str(whole.problems[0])


def test_another_way_to_combine_is_the_younger_ones():
    whole = combine(
        [process(stat("a", "number", 3)), process(stat("a", "number", 5, "max"), pid=2, created=2.0)]
    )
    assert (values(whole), whole.problems) == ({"a": 5}, [])
    unwritten = stat("a", "number", 9, "min", parts=None)
    assert values(
        combine([process(unwritten), process(stat("a", "number", 5, "max"), pid=2, created=2.0)])
    ) == {"a": 5}


def test_tags_stay_apart():
    whole = combine(
        [process(stat("a", "counter", 1, tags={"m": "x"}), stat("a", "counter", 2, tags={"m": "y"}))] * 2
    )
    assert [one.value for one in whole.stats] == [2, 4]


def test_all_problems_are_kept():
    snapshots = [process(pid=pid, problems=[Problem(f"f{pid}", "bad")], group="other") for pid in range(3)]
    assert len(combine(snapshots, "g").problems) == 3


def test_what_the_origins_have_in_common():
    origin = combine(
        [process(stat("a", "counter", 1), state="gone"), process(stat("a", "counter", 1), pid=2)]
    ).origin
    assert (origin.cmd, origin.group, origin.host, origin.state, origin.pid, origin.file) == (
        "cmd",
        "g",
        "host",
        "alive",
        0,
        "",
    )


ANY = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(
            [("counter", "sum"), ("number", "max"), ("number", "min"), ("bool", "any"), ("static", "set")]
        ),
        st.integers(0, 100),
        st.sampled_from(["alive", "gone", "unknown"]),
        st.integers(0, 3),
    ),
    max_size=6,
)


@given(ANY, st.randoms())
def test_the_order_of_snapshots_never_matters(rows, order):
    snapshots = [
        process(stat(label, kind, value, aggregate), pid=pid, state=state, created=float(created))
        for pid, (label, (kind, aggregate), value, state, created) in enumerate(rows)
    ]
    shuffled = list(snapshots)
    assert isinstance(order, random.Random)
    order.shuffle(shuffled)
    assert values(combine(snapshots)) == values(combine(shuffled))


# --- many of one program ---------------------------------------------------------------------------


def rows(pid, values, abouts, *, state="alive", created=1.0, group="g"):
    """A snapshot in columns, as files are read, whose abouts are those very objects."""
    made = Rows(group)
    for about, value in zip(abouts, values):
        word = kinds.rule(about.kind, about.aggregate)
        made.add(about, None if value is None else kinds.stated(word, value, created), value or 0)
    origin = Origin("cmd", created, f"f{pid}", group, "host", pid, created, state, 0, f"{pid:032x}")
    return Snapshot(kinds.merged, origin, [], int(state == "alive"), made)


ABOUTS = [
    About("sum", "", False, "counter", "c", (), ""),
    About("sum", "", False, "counter", "f", (("m", "GET"),), ""),
    About("max", "", False, "number", "n", (), ""),
    About("avg", "", False, "gauge", "g", (), ""),
    About("set", "", False, "static", "s", (), ""),
    About("last", "", False, "number", "l", (), ""),
]
NUMBERS = st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=len(ABOUTS), max_size=len(ABOUTS))


def objects(snapshots):
    """The same without columns: each is combined by itself."""
    return [
        Snapshot(one.merge, one.origin, one.problems, one.processes, list(one.stats)) for one in snapshots
    ]


@given(st.lists(NUMBERS, max_size=8), st.sampled_from(["alive", "unknown"]))
def test_many_that_say_the_same_are_what_they_are_one_by_one(values, state):
    snapshots = [rows(pid, each, ABOUTS, state=state, created=1.0 + pid) for pid, each in enumerate(values)]
    expected = combine(objects(snapshots))
    found = combine(
        [rows(pid, each, ABOUTS, state=state, created=1.0 + pid) for pid, each in enumerate(values)]
    )
    assert {(one.label, one.group): (one.parts, one.value) for one in found.stats} == {
        (one.label, one.group): (one.parts, one.value) for one in expected.stats
    }
    assert (found.origin, found.processes) == (expected.origin, expected.processes)


def test_many_beside_the_dead_the_retired_and_other_groups():
    values = [1, 2, 3, 4, 5, 6]

    def made():
        return [
            *(rows(pid, values, ABOUTS, created=1.0 + pid) for pid in range(5)),
            *(rows(pid, values, ABOUTS, state="gone") for pid in range(5, 9)),
            rows(9, values, ABOUTS, state="retired"),
            *(rows(pid, values, ABOUTS, group="h") for pid in range(10, 14)),
        ]

    found, expected = combine(made()), combine(objects(made()))
    told = [{(one.label, one.group): one.value for one in whole.stats} for whole in (found, expected)]
    assert told[0] == told[1]
    assert found.value("c") == 10 + 4


def test_many_beside_one_that_combines_otherwise():
    """What a bunch is by one rule says nothing by another: then each is taken by itself."""
    sums = [About("sum", "", False, "number", "n", (), "")]
    greatest = [About("max", "", False, "number", "n", (), "")]

    def made():
        return [
            *(rows(pid, [pid + 1], greatest, created=1.0) for pid in range(4)),
            rows(9, [100], sums, created=5.0),
        ]

    assert combine(made()).value("n") == combine(objects(made())).value("n") == 1 + 2 + 3 + 4 + 100


def test_each_processs_own_stays_its_own():
    each = [About("all", "", False, "number", "n", (), "")]
    whole = combine([rows(pid, [pid], each) for pid in range(1, 5)])
    assert {(one.tags["pid"], one.value) for one in whole.stats} == {(str(pid), pid) for pid in range(1, 5)}
