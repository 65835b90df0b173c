"""The table of kinds: how parts merge, and what a death leaves."""

from __future__ import annotations

import pytest

from mmstats import kinds
from mmstats.format import ends, layout
from mmstats.format.layout import CELL_TYPE_F64 as F64
from mmstats.format.layout import CELL_TYPE_I64 as I64
from mmstats.format.layout import CELL_TYPE_U64 as U64


@pytest.mark.parametrize(
    ("kind", "aggregate", "cell_type", "cells", "parts", "value"),
    [
        ("counter", "sum", U64, [1, 2, 3], 6, 6),
        ("counter", "sum", U64, [], None, None),
        ("counter", "sum", U64, [2**64 - 1, 2], 1, 1),
        ("counter", "sum", F64, [0.5, 0.25], 0.75, 0.75),
        ("counter", "max", U64, [1, 2], 3, 3),
        ("counter", "avg", U64, [1, 2], (3, 1), 3),
        ("updown", "sum", I64, [5, -7], -2, -2),
        ("updown", "sum", I64, [2**63 - 1, 1], -(2**63), -(2**63)),
        ("number", "max", F64, [None, -5.0, None], -5.0, -5.0),
        ("number", "min", I64, [4, -3], -3, -3),
        ("number", "avg", F64, [1.0, None, 4.0], (5.0, 2), 2.5),
        ("number", "last", U64, [1, 2, None], (9.0, 2), 2),
        ("number", "max", F64, [None], None, None),
        ("number", "all", U64, [1, 2], (3,), 3),
        ("number", "all", F64, [1.0, 2.0], (2.0,), 2.0),
        ("number", "set", U64, [1, 2, 2], frozenset((1, 2)), frozenset((1, 2))),
        ("bool", "any", layout.CELL_TYPE_BOOL, [False, None, True], True, True),
        ("bool", "any", layout.CELL_TYPE_BOOL, [None, False], False, False),
        ("gauge", "avg", F64, [3.0], (3.0, 1), 3.0),
    ],
)
def test_lanes_of_one_process(kind, aggregate, cell_type, cells, parts, value):
    assert kinds.measured(kind, aggregate, cell_type, cells, 9.0) == (parts, value)


@pytest.mark.parametrize(
    ("aggregate", "parts", "value"),
    [
        ("sum", [2**64 - 1, 1], 2**64),
        ("max", [None, 3, 1], 3),
        ("min", [3, 1], 1),
        ("avg", [(3, 1), (5, 3)], 2),
        ("last", [(2.0, "new"), (1.0, "old")], "new"),
        ("last", [(1.0, "old"), (2.0, "new")], "new"),
        ("all", [(1,), (2,)], (1, 2)),
        ("any", [False, True], True),
        ("set", [frozenset((1,)), frozenset((2,))], frozenset((1, 2))),
    ],
)
def test_processes_of_a_group(aggregate, parts, value):
    assert kinds.finish(aggregate, kinds.merge(aggregate, parts)) == value


def test_what_nobody_wrote_stays_unwritten():
    assert kinds.merge("max", [None, None]) is None


@pytest.mark.parametrize(
    ("kind", "aggregate", "goes"),
    [
        ("counter", "sum", False),
        ("counter", "max", False),
        ("updown", "sum", False),
        ("number", "sum", False),
        ("number", "max", True),
        ("bool", "any", True),
        ("gauge", "sum", False),
        ("text", "last", True),
        ("moving", "sum", True),
        ("histogram", "sum", False),
    ],
)
def test_what_goes_with_its_thread(kind, aggregate, goes):
    assert ends.goes_with_thread(kind, aggregate) is goes


@pytest.mark.parametrize(
    ("kind", "aggregate", "goes", "goes_kept"),
    [
        ("counter", "sum", False, False),
        ("updown", "sum", True, False),
        ("number", "sum", True, False),
        ("number", "max", True, False),
        ("number", "avg", True, True),
        ("bool", "any", True, True),
        ("gauge", "sum", True, True),
        ("static", "set", True, True),
        ("unheard of", "sum", True, True),
    ],
)
def test_what_goes_with_its_process(kind, aggregate, goes, goes_kept):
    assert ends.goes_with_process(kind, aggregate, keep=False) is goes
    assert ends.goes_with_process(kind, aggregate, keep=True) is goes_kept


def test_the_table_has_the_words_of_the_format():
    assert set(kinds.KINDS) == set(ends.OF_PROCESS)
    assert set(kinds.KINDS) <= set(layout.KINDS.values())
    assert set(kinds.RULES) == set(layout.AGGREGATES.values()) | set(kinds.OF_KIND.values())
