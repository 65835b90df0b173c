"""The ring of samples, and what is drawn of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmstats import kinds
from mmstats.stat import About, Origin, Snapshot, Stat
from mmstats.tools.mmash.history import History
from mmstats.tools.mmash.series import Between, whole
from mmstats.tools.moment import Sample

pytestmark = pytest.mark.main


def gauge(label, value, group="g"):
    about = About("sum", "", keep=False, kind="gauge", label=label, tags=(), unit="")
    return Stat(about, group, value, value)


def sample(number, values, elapsed=1.0):
    origin = Origin(pid=1, uuid="ab", state="alive", created=1.0)
    stats = [gauge(label, value) for label, value in values.items()]
    return Sample([Snapshot(kinds.merged, origin, [], 1, stats)], float(number), elapsed)


def numbered(number, values):
    """What a history takes of the sample."""
    now = sample(number, values)
    return now.at, Between(None, now).numbers(whole)


SAMPLES = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.integers(-5, 5).map(float), max_size=4), max_size=30
)


@given(SAMPLES, st.integers(2, 8))
def test_the_last_samples_are_there_and_no_others(samples, room):
    ring = History(room)
    for number, values in enumerate(samples, 1):
        ring.add(*numbered(number, values))
        kept = samples[:number][-(room - 1) :]
        assert (ring.first, ring.last) == (max(1, number - len(kept) + 1), number)
        for place, series in enumerate(ring.series):
            expected = [one.get(series.about.label) for one in kept]
            assert ring.values(place, ring.first, ring.last) == expected
        assert list(ring.times(ring.first, ring.last)) == [float(at) for at in range(ring.first, number + 1)]


@given(SAMPLES, st.integers(2, 8))
def test_who_takes_the_changes_has_what_there_is(samples, room):
    """Whole where the one before is not there any more, else what differs."""
    ring, seen = History(room), {}
    for number, values in enumerate(samples, 1):
        ring.add(*numbered(number, values))
        if number <= ring.first:
            seen = dict(ring.numbers(number))
        else:
            seen.update(ring.changes(number))
        there = {place: value for place, value in seen.items() if value is not None}
        assert there == {
            place: values[one.about.label]
            for place, one in enumerate(ring.series)
            if one.about.label in values
        }
        assert dict(ring.numbers(number)) == there


def test_more_series_than_there_is_room_for_are_counted():
    ring = History(4, most=2)
    ring.add(*numbered(1, {"a": 1.0, "b": 2.0, "c": 3.0}))
    assert (len(ring.series), ring.left_out) == (2, 1)
    ring.add(*numbered(2, {"a": 1.0}))
    assert ring.left_out == 0


def test_nothing_is_drawn_that_is_no_number():
    ring = History(4)
    values = {"nan": float("nan"), "inf": float("inf"), "text": "x", "two": frozenset((1, 2))}
    ring.add(*numbered(1, values))
    assert ring.series == []


@given(SAMPLES, st.integers(2, 8))
def test_series_without_numbers_are_left_behind(samples, room):
    ring = History(room)
    for number, values in enumerate(samples, 1):
        ring.add(*numbered(number, values))
    kept = ring.without_the_past()
    assert (kept.first, kept.last, kept.epoch) == (ring.first, ring.last, ring.epoch)
    told = {one.name: ring.values(at, ring.first, ring.last) for at, one in enumerate(ring.series)}
    there = {name: values for name, values in told.items() if any(one is not None for one in values)}
    found = {one.name: kept.values(at, kept.first, kept.last) for at, one in enumerate(kept.series)}
    assert {name: found[name] for name in there} == there
    kept.add(*numbered(len(samples) + 1, {"a": 9.0, "new": 1.0}))
    assert {kept.series[place].name: value for place, value in kept.numbers(kept.last)} == {"a": 9, "new": 1}
