"""The numbers that single cells hold (spec/FORMAT.md section 5)."""

from __future__ import annotations

from math import nan
from struct import Struct

from mmstats.format import layout
from mmstats.format.metric import number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Union

    from mmstats.format.metric import Metric

    Cell = Union[int, float, bool, None]

_u64 = Struct("<Q").unpack_from
_i64 = Struct("<q").unpack_from
_f64 = Struct("<d").unpack_from
_BOOLS = {1: False, 2: True}

# The letter by which `struct` reads a cell that needs no more than that; a bool does.
CODES = {layout.CELL_TYPE_U64: "Q", layout.CELL_TYPE_I64: "q", layout.CELL_TYPE_F64: "d"}
PATTERN = {layout.CELL_TYPE_U64: layout.NEVER_U64, layout.CELL_TYPE_I64: layout.NEVER_I64 - (1 << 64)}


def _read_u64(data: bytes, offset: int) -> Cell:
    return int(_u64(data, offset)[0])


def _read_i64(data: bytes, offset: int) -> Cell:
    return int(_i64(data, offset)[0])


def _read_f64(data: bytes, offset: int) -> Cell:
    return float(_f64(data, offset)[0])


def _read_bool(data: bytes, offset: int) -> Cell:
    return _BOOLS.get(_u64(data, offset)[0])


def _unless(read: Callable[[bytes, int], Cell], pattern: int) -> Callable[[bytes, int], Cell]:
    def read_unless(data: bytes, offset: int) -> Cell:
        return None if _u64(data, offset)[0] == pattern else read(data, offset)

    return read_unless


PLAIN = {
    layout.CELL_TYPE_U64: _read_u64,
    layout.CELL_TYPE_I64: _read_i64,
    layout.CELL_TYPE_F64: _read_f64,
    layout.CELL_TYPE_BOOL: _read_bool,
}
NEVER = {
    layout.CELL_TYPE_U64: _unless(_read_u64, layout.NEVER_U64),
    layout.CELL_TYPE_I64: _unless(_read_i64, layout.NEVER_I64),
    layout.CELL_TYPE_F64: _unless(_read_f64, layout.NEVER_F64),
    layout.CELL_TYPE_BOOL: _read_bool,
}


def stated(data: bytes, block: int, metric: Metric) -> Cell:
    """The number of a static, which stands in its METRIC block; nothing means never there."""
    found = number_of(_u64(data, block + layout.METRIC_INITIAL)[0], metric.cell_type)
    return nan if found is None else found
