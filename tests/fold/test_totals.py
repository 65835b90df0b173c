"""What is added up, in whatever order, and which declaration stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mmstats import kinds
from mmstats.fold.totals import Total, Totals
from mmstats.format.layout import CELL_TYPE_F64, CELL_TYPE_I64, CELL_TYPE_U64
from mmstats.stat import About


def about(label="n", kind="counter", aggregate="sum", unit=""):
    return About(aggregate, "", keep=True, kind=kind, label=label, tags=(), unit=unit)


def total(parts, declared=1, cell_type=CELL_TYPE_U64, **what):
    return Total(about(**what), cell_type, declared, parts)


def added(*each):
    totals = Totals()
    for one in each:
        totals.add(one)
    return totals


def said(totals):
    return [
        (one.about.label, one.about.kind, one.about.aggregate, one.parts, stands) for one, stands in totals
    ]


def test_what_means_the_same_is_added():
    assert said(added(total(2), total(3))) == [("n", "counter", "sum", 5, True)]


def test_what_nobody_wrote_is_nothing():
    assert said(added(total(None))) == []
    assert said(added(total(2), total(None))) == [("n", "counter", "sum", 2, True)]


def test_the_youngest_declaration_stands_and_the_others_wait():
    totals = added(total(2, declared=1), total(7, declared=2, kind="number", aggregate="max"))
    assert said(totals) == [("n", "counter", "sum", 2, False), ("n", "number", "max", 7, True)]
    totals.add(total(1, declared=3))
    assert said(totals) == [("n", "counter", "sum", 3, True), ("n", "number", "max", 7, False)]


def test_another_unit_means_something_else():
    assert [one[3] for one in said(added(total(2), total(3, unit="bytes")))] == [2, 3]


def test_integers_and_doubles_together_are_doubles():
    for each in (
        (total(2), total(0.5, cell_type=CELL_TYPE_F64)),
        (total(0.5, cell_type=CELL_TYPE_F64), total(2)),
    ):
        ((one, _),) = added(*each)
        assert (one.parts, one.cell_type) == (2.5, CELL_TYPE_F64)


def test_signed_and_unsigned_together_are_signed():
    ((one, _),) = added(total(2), total(-5, cell_type=CELL_TYPE_I64))
    assert (one.parts, one.cell_type) == (-3, CELL_TYPE_I64)


def test_sums_of_integers_have_no_end():
    ((one, _),) = added(*(total(2**64 - 1) for _ in range(3)))
    assert one.parts == 3 * 2**64 - 3


def test_begin_and_dropped():
    totals = Totals()
    for created in 5, 3, 9:
        totals.begin(created)
        totals.drop([1, 0, 0, 0, 0, 0, 0, created])
    assert (totals.created, totals.dropped) == (3, [3, 0, 0, 0, 0, 0, 0, 17])


def test_forget_drops_what_is_meant():
    totals = added(total(1), total(2, label="m"), total(3, label="m", unit="bytes"))
    assert totals.forget(lambda one: one.about.unit == "bytes") == 1
    assert totals.forget(lambda one: one.about.label == "n") == 1
    assert [one[3] for one in said(totals)] == [2]


EACH = st.one_of(
    st.builds(total, st.integers(0, 2**64 - 1), st.integers(1, 9)),
    st.builds(total, st.integers(-9, 9), st.integers(1, 9), st.just(CELL_TYPE_I64)),
    st.builds(
        lambda parts, declared: total(parts, declared, kind="number", aggregate="max"),
        st.integers(0, 9),
        st.integers(1, 9),
    ),
    st.builds(
        lambda number, declared: total((float(number), number), declared, CELL_TYPE_F64, kind="average"),
        st.integers(1, 9),
        st.integers(1, 9),
    ),
)


@given(st.lists(EACH, max_size=8), st.randoms())
def test_the_order_changes_nothing(each, chance):
    other = list(each)
    chance.shuffle(other)
    assert sorted(map(repr, said(added(*map(copied, each))))) == sorted(
        map(repr, said(added(*map(copied, other))))
    )


@given(st.lists(EACH, min_size=1, max_size=8), st.integers(0, 8))
def test_a_fold_on_the_way_changes_nothing(each, cut):
    """Two totals that are added are the total of all that is in them."""
    first, second = added(*map(copied, each[:cut])), added(*map(copied, each[cut:]))
    for one, _ in second:
        first.add(one)
    assert sorted(map(repr, said(first))) == sorted(map(repr, said(added(*map(copied, each)))))


def copied(one):
    return Total(one.about, one.cell_type, one.declared, one.parts)


def test_each_rule_that_totals_use_is_there():
    assert {kinds.rule(kind, "sum") for kind in ("counter", "average", "timer")} == {"sum", "mean", "timer"}
