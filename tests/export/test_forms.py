"""What is rendered again and again is filled in, and is what it would be if nothing were kept."""

from __future__ import annotations

import random
from math import inf, nan

import pytest

from exposed import histogram, snapshot
from mmstats import kinds
from mmstats.export import openmetrics, prometheus, text
from mmstats.export.text import Renderer
from mmstats.format.spread import Range
from mmstats.stat import About, Origin, Rows, Snapshot, Stat

LANGUAGES = {"prometheus": prometheus, "openmetrics": openmetrics}
NARROW = Range(2, -3, 4)
BOUNDED = Range(2, -3, 4, (-1.0, 0.5, 2.0))
# Of each kind: values that it may have from one moment to the next.
VALUES = {
    "counter": [0, 5, 2**70, 1.5, inf],
    "updown": [0, -5, 2.5],
    "number": [None, 3, nan, -inf, True],
    "gauge": [None, 0.1, 7, frozenset((5,)), frozenset((5, 6))],
    "bool": [True, False, None],
    "moving": [0.0, 0.25],
    "static": [None, 5, "text", frozenset((5, 6)), frozenset(("a", "b")), ""],
    "info": ["version=1", 'version="2"', "", frozenset(("a=1", "a=2"))],
    "enum": ["up", "down", "", frozenset(("up", "down"))],
    "text": ["", "100 %s of %d"],
    "average": [0.0, 1.0, -1.0],
    "histogram": [],
    "timer": [],
}


def about(kind, number, tags=()):
    return About("sum", "20 % of %s" if number % 2 else "", False, kind, f"of.{kind}.{number % 3}", tags, "")


def value_of(kind, choose):
    if kind in ("histogram", "timer"):
        values = [choose.choice([-2.0, 0.0, 0.3, 1.7, 9.0]) for _ in range(choose.randrange(4))]
        return histogram(values, choose.choice([NARROW, BOUNDED]), kind == "timer")
    return choose.choice(VALUES[kind])


def moment(abouts, choose, likely):
    """A snapshot of those stats: as likely as not with other values for some that are no plain numbers."""
    is_calm = choose.random() < 0.5
    rows = Rows("a group")
    for each in abouts:
        changes = each.kind in ("counter", "updown") or (not is_calm and choose.random() < 0.05)
        value = value_of(each.kind, choose) if changes else likely[each.kind]
        parts = (-1.0 if changes else 1.0, choose.randrange(9)) if each.kind == "average" else value
        rows.add(each, parts, value)
    return Snapshot(kinds.merged, Origin(group="a group", created=0.0 if is_calm else 1.5), [], 1, rows)


def anew(language, one, octaves=2):
    """What it is where nothing was kept."""
    return Renderer(LANGUAGES[language]._renderer._language).text(one, octaves)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_changes_meanwhile(language, seed, monkeypatch):
    choose = random.Random(seed)
    renderer = Renderer(LANGUAGES[language]._renderer._language)
    filled = count_filled(monkeypatch)
    abouts = [about(kind, number, {"a": f"b%{number}"}) for number in range(4) for kind in VALUES]
    choose.shuffle(abouts)
    likely = {kind: value_of(kind, choose) for kind in VALUES}
    for _ in range(300):
        some = abouts if choose.random() < 0.9 else abouts[: choose.randrange(len(abouts))]
        one = moment(some, choose, likely)
        octaves = choose.choice([2, 2, 2, 1])
        assert renderer.text(one, octaves) == anew(language, one, octaves)
    assert filled.count(True) >= 20, filled.count(True)
    assert filled.count(False) >= 20, filled.count(False)


def count_filled(monkeypatch):
    """Whether each form that was the right one could be filled in."""
    asked, fill = [], text.Form.filled

    def counting(self, *args):
        found = fill(self, *args)
        asked.append(found is not None)
        return found

    monkeypatch.setattr(text.Form, "filled", counting)
    return asked


def test_stats_of_several_groups(monkeypatch):
    filled = count_filled(monkeypatch)
    renderer, ours = Renderer(prometheus._renderer._language), about("counter", 1)
    for value in range(5):
        one = snapshot(Stat(ours, "one", value, value), Stat(ours, "two", value + 1, value + 1))
        assert renderer.text(one, 2) == anew("prometheus", one)
    assert filled == [True] * 3


def test_the_same_stats_of_another_group(monkeypatch):
    filled = count_filled(monkeypatch)
    renderer, ours = Renderer(prometheus._renderer._language), about("counter", 1)
    for group in ("one", "one", "two", "one"):
        rows = Rows(group)
        rows.add(ours, 5, 5)
        one = Snapshot(kinds.merged, Origin(), [], 1, rows)
        assert renderer.text(one, 2) == anew("prometheus", one)
    assert filled == [True]


def test_no_more_than_a_few_are_kept():
    renderer = Renderer(prometheus._renderer._language)
    for number in range(20):
        made = about("counter", number)
        for value in range(3):
            renderer.text(snapshot(Stat(made, "", value, value)), 2)
    assert len(renderer._forms) == len(renderer._sights) == text.MOST_FORMS


def test_what_is_very_long_is_not_kept(monkeypatch):
    monkeypatch.setattr(text, "LONGEST_FORM", 10)
    renderer, made = Renderer(prometheus._renderer._language), about("counter", 1)
    for value in range(3):
        renderer.text(snapshot(Stat(made, "", value, value)), 2)
    assert renderer._forms == []
