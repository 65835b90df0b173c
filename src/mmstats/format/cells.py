"""The numbers of one metric, one of each lane that has them (spec/FORMAT.md section 5).

A cell needs no protocol: the eight bytes are the old value or the new one.
"""

from __future__ import annotations

from struct import Struct

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.metric import number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Union

    from mmstats.format.decode import Decoded
    from mmstats.format.metric import Metric

    Cell = Union[int, float, bool, None]

_u64 = Struct("<Q").unpack_from
_i64 = Struct("<q").unpack_from
_f64 = Struct("<d").unpack_from
_BOOLS = {1: False, 2: True}


# The letter by which `struct` reads a cell that needs no more than that; a bool does.
CODES = {layout.CELL_TYPE_U64: "Q", layout.CELL_TYPE_I64: "q", layout.CELL_TYPE_F64: "d"}
PATTERN = {layout.CELL_TYPE_U64: layout.NEVER_U64, layout.CELL_TYPE_I64: layout.NEVER_I64 - (1 << 64)}


class Cells:
    """Reads the cells of one file; gives up on a file whose metrics claim more cells than it has.

    `alone`: segment → where its first cell is and how many it has, if just one lane has that segment
    and its thread lives: in most files that is every segment, and readers may take a short way.
    """

    __slots__ = ("_decoded", "_left", "alone", "data")

    def __init__(self, data: bytes, decoded: Decoded) -> None:
        self.data = data
        self._decoded = decoded
        # Cells belong to one metric each, so all of them together are no more than the file's words.
        self._left = len(data) // 8
        self.alone = {
            segment: spot
            for segment, lanes in decoded.cells.items()
            if len(lanes) == 1
            for lane, spot in lanes.items()
            if decoded.lanes.get(lane, 1)
        }

    def of(self, metric: Metric, *, living: bool, never: bool) -> list[Cell]:
        """One value of each lane.

        `living`: without lanes whose thread ended. `never`: None where the cell holds the pattern
        for that.
        """
        lanes = self._decoded.cells.get(metric.segment, {})
        self._left -= len(lanes)
        if self._left < 0:
            raise FormatError(0, "metrics that share their cells", "cells of their own")
        read, states = (_NEVER if never else _PLAIN)[metric.cell_type], self._decoded.lanes
        found = []
        for lane, spot in lanes.items():
            if not living or states.get(lane, 1):
                found.append(read(self.data, _offset(metric, *spot)))
        return found


def _offset(metric: Metric, start: int, count: int) -> int:
    """Where a lane has the cell of `metric`."""
    if metric.index >= count:
        raise FormatError(
            start - layout.CELLS_SIZE, f"{count} cells", f"cell {metric.index} of {metric.label!r}"
        )
    return start + 8 * metric.index


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


_PLAIN = {
    layout.CELL_TYPE_U64: _read_u64,
    layout.CELL_TYPE_I64: _read_i64,
    layout.CELL_TYPE_F64: _read_f64,
    layout.CELL_TYPE_BOOL: _read_bool,
}
_NEVER = {
    layout.CELL_TYPE_U64: _unless(_read_u64, layout.NEVER_U64),
    layout.CELL_TYPE_I64: _unless(_read_i64, layout.NEVER_I64),
    layout.CELL_TYPE_F64: _unless(_read_f64, layout.NEVER_F64),
    layout.CELL_TYPE_BOOL: _read_bool,
}


def stated(data: bytes, block: int, metric: Metric) -> Cell:
    """The number of a static, which stands in its METRIC block."""
    return number_of(_u64(data, block + layout.METRIC_INITIAL)[0], metric.cell_type)
