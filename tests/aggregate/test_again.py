"""What is combined again and again is what it would be if nothing were kept."""

from __future__ import annotations

import random

import pytest

from exposed import histogram
from mmstats import kinds
from mmstats.aggregate.again import Combination
from mmstats.aggregate.combine import combine
from mmstats.crowd import Crowd
from mmstats.format.spread import Range
from mmstats.stat import About, Origin, Problem, Rows, Snapshot

KINDS = [("counter", "sum"), ("gauge", "max"), ("number", "avg"), ("static", "set"), ("gauge", "last")]
RANGES = [Range(2, -3, 4), Range(2, -3, 4), Range(1, -3, 6)]


def abouts_of(choose, count):
    found = []
    for number in range(count):
        kind, aggregate = KINDS[number % len(KINDS)]
        found.append(About(aggregate, "", False, kind, f"{kind}.{number}", {"n": str(number)}, ""))
    found.append(About("sum", "", False, "histogram", "a histogram", (), "s"))
    return choose.sample(found, choose.randrange(1, len(found) + 1))


def parts_of(about, choose):
    if choose.random() < 0.1:
        return None
    if about.kind == "histogram":
        value = histogram([choose.choice([0.3, 1.7, 3.0]) for _ in range(3)], choose.choice(RANGES))
        return value.count, value.sum, value.min, value.max, value.spread
    number = choose.randrange(64) / 8
    return kinds.stated(about.aggregate, number, choose.randrange(9))


def filled(abouts, choose, origin):
    rows = Rows(origin.group)
    for about in abouts:
        parts, word = parts_of(about, choose), kinds.rule(about.kind, about.aggregate)
        rows.add(about, parts, -1 if parts is None else kinds.finish(word, parts))
    problems = [Problem("file", "odd")] * choose.randrange(2)
    return Snapshot(kinds.merged, origin, problems, 0, rows)


def origin_of(choose, number):
    state = choose.choice(["alive", "alive", "unknown", "retired"])
    return Origin(
        created=float(choose.randrange(9)), group=choose.choice("gh"), state=state, uuid=str(number)
    )


def same(combination, snapshots, group=None, behind=()):
    """Whether there was a plan; and it said what there is to say."""
    found = combination.combine(snapshots, group, behind)
    if found is None:
        return False
    expected = combine(snapshots, group, behind)
    assert told(found) == told(expected)
    return True


def plain(value):
    return repr(sorted(value) if isinstance(value, frozenset) else value)


def told(snapshot):
    stats = sorted((stat.group, stat.label, plain(stat.parts), plain(stat.value)) for stat in snapshot.stats)
    return stats, snapshot.origin, snapshot.problems, snapshot.processes


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_values_are_by_now(seed):
    choose = random.Random(seed)
    combination, planned = Combination(), 0
    shared = abouts_of(choose, 8)
    sources = [
        (choose.choice([shared, shared, abouts_of(choose, 8)]), origin_of(choose, number))
        for number in range(choose.randrange(1, 4))  # of more, doubles are added up in another order
    ]
    behind = [Crowd("alive", "g", "web", "host", {(1, 1.0), (2, 1.0)})]
    for _ in range(12):
        if choose.random() < 0.2:
            at = choose.randrange(len(sources))
            sources[at] = (sources[at][0], origin_of(choose, at))
        snapshots = [filled(abouts, choose, origin) for abouts, origin in sources]
        planned += same(combination, snapshots, choose.choice([None, None, "g"]), behind)
    assert planned >= 3


def one(about, **origin):
    rows = Rows("g")
    rows.add(about, 1, 1)
    return Snapshot(kinds.merged, Origin(group="g", **origin), [], 0, rows)


COUNTER = About("sum", "", False, "counter", "hits", (), "")


@pytest.mark.parametrize(
    "other",
    [
        one(COUNTER, state="gone"),
        one(About("sum", "", False, "counter", "hits", (), "s"), state="alive"),
        one(About("max", "", False, "gauge", "hits", (), ""), state="alive"),
        one(About("all", "", False, "gauge", "depth", (), ""), state="alive"),
    ],
    ids=["of the dead", "another unit", "another kind", "each process's own"],
)
def test_what_takes_a_closer_look(other):
    combination = Combination()
    assert same(combination, [one(COUNTER, state="alive")])
    assert not same(combination, [one(COUNTER, state="alive"), other])
    assert same(combination, [one(COUNTER, state="alive")])


def test_stats_that_are_others_by_now():
    """Of the very same origins."""
    combination, origins = Combination(), [Origin(group="g", state=state) for state in ("alive", "retired")]
    for label in ("hits", "hits", "errors", "hits"):
        about = About("sum", "", False, "counter", label, (), "")
        snapshots = [Snapshot(kinds.merged, origin, [], 0, Rows("g")) for origin in origins]
        for one in snapshots:
            one.columns().add(about, 1, 1)
        (found,) = combination.combine(snapshots).stats
        assert (found.label, found.value) == (label, 2)


@pytest.mark.parametrize("order", [1, -1])
def test_the_youngest_says_what_a_stat_is_and_what_stands_where_nobody_wrote(order):
    combination, snapshots = Combination(), []
    for created, help_ in ((1.0, "old"), (2.0, "new")):
        rows = Rows("g")
        about = About("max", help_, False, "gauge", "depth", (), "")
        rows.add(about, None, created)
        snapshots.append(
            Snapshot(kinds.merged, Origin(group="g", state="alive", created=created), [], 0, rows)
        )
    for _ in range(2):
        (found,) = combination.combine(snapshots[::order]).stats
        assert (found.help, found.value) == ("new", 2.0)


def test_nothing_at_all():
    assert Combination().combine([]) is None
