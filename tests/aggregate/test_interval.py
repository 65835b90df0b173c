"""What happened between two samples, whoever came and went."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exposed import histogram
from mmstats import kinds
from mmstats.aggregate.combine import combine
from mmstats.aggregate.interval import increments
from mmstats.stat import About, Origin, Snapshot, Stat

SINCE = 100.0


def stat(value, kind="counter", aggregate="sum", label="a", unit="", parts=...):
    about = About(aggregate, "", False, kind, label, (), unit)
    return Stat(about, "g", value if parts is ... else parts, value)


def process(*stats, pid=1, state="alive", created=1.0, uuid=None, file=None):
    uuid = f"{pid:032x}" if uuid is None else uuid
    origin = Origin("cmd", created, file or f"/d/f{pid}", "g", "host", pid, created, state, 0, uuid)
    return Snapshot(kinds.merged, origin, [], int(state == "alive"), list(stats))


def retired(*stats, uuid="f" * 32, created=1.0):
    return process(*stats, pid=0, state="retired", uuid=uuid, file="/d/g-retired.mmstats", created=created)


def grown(before, after):
    return combine(increments(before, after, SINCE)).value("a", default=None)


def test_a_counter_grows():
    assert grown([process(stat(5))], [process(stat(7))]) == 2


def test_a_stat_that_is_new_in_a_known_process():
    assert grown([process()], [process(stat(7))]) == 7


@pytest.mark.parametrize(("created", "expected"), [(SINCE + 0.1, 7), (SINCE - 0.4, 7), (SINCE - 5, 0)])
def test_a_process_that_is_new(created, expected):
    """What began after the sample counts whole; what only came into sight does not."""
    assert grown([], [process(stat(7), created=created)]) == expected


def test_less_than_before_is_another_one():
    assert grown([process(stat(50))], [process(stat(7))]) == 7


def test_one_that_vanished_did_nothing_more():
    assert grown([process(stat(5)), process(stat(1), pid=2)], [process(stat(7))]) == 2


@pytest.mark.parametrize("uuid", ["f" * 32, "e" * 32])
def test_one_that_was_folded(uuid):
    """Its last counts are in the totals, which are another file then."""
    before = [process(stat(5)), process(stat(10), pid=2), retired(stat(100))]
    after = [process(stat(5)), retired(stat(113), uuid=uuid)]
    assert grown(before, after) == 3


def test_the_first_that_was_folded():
    assert grown([process(stat(5))], [retired(stat(6), created=SINCE + 1)]) == 1
    assert grown([process(stat(5))], [retired(stat(6), created=1.0)]) == 1


def test_one_that_was_born_and_folded_in_between():
    assert grown([retired(stat(100))], [retired(stat(107))]) == 7
    assert grown([], [retired(stat(7), created=SINCE + 1)]) == 7
    assert grown([], [retired(stat(7), created=1.0)]) == 0


def test_one_that_died_and_is_not_folded_yet():
    assert grown([process(stat(5))], [process(stat(7), state="gone")]) == 2
    assert grown([process(stat(7), state="gone")], [retired(stat(7))]) == 0


def test_totals_that_were_dropped_are_never_negative():
    assert grown([process(stat(5)), retired(stat(100))], [retired(stat(20))]) == 0
    assert grown([process(stat(5)), retired(stat(100))], [retired(stat(103))]) == 0
    assert grown([process(stat(5)), retired(stat(100))], []) is None


def test_what_a_removed_model_left_is_no_groups_total():
    left = process(stat(9), pid=1, state="retired")
    assert grown([left, retired(stat(3))], [left, retired(stat(3))]) == 0


def test_levels_stay():
    before, after = [process(stat(5.0, "gauge"))], [process(stat(2.0, "gauge"))]
    assert grown(before, after) == 2.0


def test_numbers_of_0_8_grow():
    """Its files do not tell what is a counter."""
    before, after = (process(stat(value, "number"), uuid="1-2") for value in (5, 7))
    assert grown([before], [after]) == 2
    before, after = (process(stat(value, "number")) for value in (5, 7))
    assert grown([before], [after]) == 7


def test_what_nobody_wrote_stays_so():
    (one,) = increments([process(stat(0, parts=None))], [process(stat(0, parts=None))], SINCE)
    assert (one.stats[0].parts, one.stats[0].value) == (None, 0)


def test_the_mean_of_an_interval():
    before = process(stat(2.0, "average", parts=(20.0, 10)))
    assert grown([before], [process(stat(0.0, "average", parts=(26.0, 12)))]) == 3.0
    assert grown([before], [before]) is None


def distributed(values, kind):
    made = histogram(values, timer=kind == "timer")
    rest = (1.5, 3, 9.0, 0.5) if kind == "timer" else ()
    parts = (made.count, made.sum, made.min, made.max, *rest, made.spread) if values else None
    return stat(made, kind, unit="seconds", parts=parts)


VALUES = st.lists(st.one_of(st.just(0.0), st.floats(1e-5, 3000)), max_size=20)


@pytest.mark.parametrize("kind", ["histogram", "timer"])
@given(VALUES, VALUES)
def test_a_distribution_of_an_interval(kind, earlier, later):
    """Its percentiles are those of the values that came, to their buckets."""
    before, after = distributed(earlier, kind), distributed(earlier + later, kind)
    found = grown([process(before)], [process(after)])
    assert found.count == len(later)
    assert found.sum == pytest.approx(sum(later), abs=1e-6)
    if later and earlier:
        there = sorted(later)
        for share in (0.5, 0.9, 0.99, 1.0):
            rank = max(1, -int(-share * len(there) // 1))
            assert found.percentile(share) == pytest.approx(there[rank - 1], rel=0.1, abs=2e-6)
        assert found.min <= there[0] <= there[-1] <= found.max


def test_a_timer_keeps_what_is_a_level():
    before, after = distributed([1.0], "timer"), distributed([1.0, 2.0], "timer")
    found = grown([process(before)], [process(after)])
    assert (found.last, found.moving) == (0.5, 0.5)


def test_another_unit_is_another_stat():
    assert grown([process(stat(5, unit="bytes"))], [process(stat(7))]) == 7
