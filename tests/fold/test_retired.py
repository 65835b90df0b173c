"""A file of retired totals says what was put into it, whatever that is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import filebuilder as fb
from mmstats import combined, snapshot
from mmstats.fold.ledger import Ledger, encode_retired
from mmstats.fold.totals import Total, Totals
from mmstats.format import layout
from mmstats.format.compound import LONG_AGO
from mmstats.format.layout import CELL_TYPE_F64, CELL_TYPE_I64, CELL_TYPE_U64
from mmstats.format.spread import Range, Spread
from mmstats.host.directory import Directory
from mmstats.stat import About

NAME = "app-retired.mmstats"
REAL = st.floats(allow_nan=False)
COUNT = st.integers(0, 2**53)
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)


def of(kind, aggregate, cell_type, parts):
    def make(label, unit, text, keep, declared, parts):
        about = About(aggregate, text, keep=keep, kind=kind, label=label, tags=(), unit=unit)
        return Total(about, cell_type, declared, parts)

    return st.builds(make, TEXT.filter(bool), TEXT, TEXT, st.booleans(), st.integers(1, 2**63), parts)


RANGES = (Range(3, -20, 12), Range(0, -2, 2), Range(2, 0, 40, (0.5, 10.0)))
COUNT = st.integers(1, 2**40)


@st.composite
def spreads(draw):
    """Any that a histogram may have come to, of at least one value."""
    wanted = draw(st.sampled_from(RANGES))
    index = st.integers(wanted.low << wanted.scale, (wanted.high << wanted.scale) - 1)
    buckets = draw(st.dictionaries(index, COUNT, max_size=8))
    made = Spread(wanted, buckets, draw(COUNT), draw(COUNT), draw(COUNT))
    return Spread(wanted, buckets, made.zero, made.overflow, made.negative, (told(made), 0, 0))


def told(spread):
    """How many values it has."""
    return spread.zero + spread.overflow + spread.negative + sum(spread.buckets.values())


SPREAD = spreads()
TOTAL = st.one_of(
    of("counter", "sum", CELL_TYPE_U64, st.integers(-(2**126), 2**126)),
    of("updown", "sum", CELL_TYPE_I64, st.integers(-(2**126), 2**126)),
    of("counter", "sum", CELL_TYPE_F64, REAL),
    of("number", "max", CELL_TYPE_U64, st.integers(0, 2**64 - 2)),
    of("number", "min", CELL_TYPE_I64, st.integers(-(2**63) + 1, 2**63 - 1)),
    of("number", "max", CELL_TYPE_F64, REAL),
    of("average", "sum", CELL_TYPE_F64, st.tuples(REAL, st.integers(1, 2**53))),
    of(
        "timer",
        "sum",
        CELL_TYPE_F64,
        st.builds(
            lambda spread, *reals: (told(spread), *reals, 0.0, 0, LONG_AGO, 0.0, spread),
            SPREAD,
            REAL,
            REAL,
            REAL,
        ),
    ),
    of(
        "histogram",
        "sum",
        CELL_TYPE_F64,
        st.builds(lambda spread, *reals: (told(spread), *reals, spread), SPREAD, REAL, REAL, REAL),
    ),
)


def read_back(place, totals, folded=(), **header):
    """The totals of a file with these, and the file itself."""
    data = encode_retired(totals, folded, uuid=bytes(16), group=b"app", **header)
    path = fb.write(place / NAME, data)
    with Directory(str(place)) as directory:
        return Ledger(directory, "app").totals, path


def said(totals):
    return [
        (
            one.about.label,
            one.meaning,
            one.about.help,
            one.about.keep,
            one.cell_type,
            one.declared,
            stands,
            one.parts,
        )
        for one, stands in totals
    ]


@settings(deadline=None)
@given(
    each=st.lists(TOTAL, max_size=6, unique_by=lambda one: (one.about.label, one.meaning)),
    created=st.integers(0, 2**63),
    dropped=st.lists(st.integers(0, 2**64 - 1), min_size=8, max_size=8),
)
def test_what_is_written_is_read(tmp_path_factory, each, created, dropped):
    totals = Totals()
    for one in each:
        totals.add(one)
    totals.created, totals.dropped = created, dropped
    found, path = read_back(tmp_path_factory.mktemp("place"), totals)
    assert sorted(map(repr, said(found))) == sorted(map(repr, said(totals)))
    assert (found.created, found.dropped) == (created, dropped)
    one, *_ = snapshot(path)  # and totals that are combined otherwise, and count by the youngest one's rule
    assert one.problems == []


@pytest.mark.parametrize(
    ("cell_type", "parts"),
    [
        (CELL_TYPE_U64, 2**64 + 5),
        (CELL_TYPE_U64, 3 * 2**64 - 1),
        (CELL_TYPE_I64, 2**63),
        (CELL_TYPE_I64, -(2**63) - 1),
        (CELL_TYPE_I64, -1),
        (CELL_TYPE_U64, -1),
    ],
)
def test_integers_beyond_64_bits(tmp_path, cell_type, parts):
    totals = Totals()
    about = About("sum", "", keep=False, kind="counter", label="n", tags=(), unit="")
    totals.add(Total(about, cell_type, 1, parts))
    _, path = read_back(tmp_path, totals)
    assert combined(path).value("n") == parts


def test_dropped_counts_wrap_as_their_words_do(tmp_path):
    totals = Totals()
    totals.drop([2**64 + 3, *[0] * 7])
    found, _ = read_back(tmp_path, totals)
    assert found.dropped[0] == 3


def test_a_double_that_is_no_number_stays_one(tmp_path):
    totals = Totals()
    about = About("sum", "", keep=False, kind="counter", label="n", tags=(), unit="")
    totals.add(Total(about, CELL_TYPE_F64, 1, math.nan))
    _, path = read_back(tmp_path, totals)
    assert math.isnan(combined(path).value("n"))


def test_a_metric_without_its_two_further_cells_is_damage(tmp_path):
    path = fb.write(tmp_path / NAME, fb.whole(fb.metric("n"), fb.cells(0, [5]), state=layout.STATE_RETIRED))
    (one,) = snapshot(path)
    assert [stat.label for stat in one.stats] == []
    assert "damaged" in str(one.problems[0])


def test_a_metric_of_a_newer_kind_is_said(tmp_path):
    blocks = fb.fields(("h", 77, fb.U64, 0))
    (one,) = snapshot(fb.write(tmp_path / NAME, fb.whole(*blocks, state=layout.STATE_RETIRED)))
    assert "kind 77 is not known" in str(one.problems[0])
