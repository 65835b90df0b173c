"""Values → the eight bytes of a cell, and back; parts (see `kinds`) → the cells that say them."""

from __future__ import annotations

from struct import pack, unpack

from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MASK = 0xFFFFFFFFFFFFFFFF
TOTALS = 3  # cells of {sum, min, max}


def as_number(cell_type: int, bits: int) -> int | float:
    """The number that 64 raw bits mean."""
    code = {layout.CELL_TYPE_I64: "<q", layout.CELL_TYPE_F64: "<d"}.get(cell_type, "<Q")
    number: int | float = unpack(code, bits.to_bytes(8, "little"))[0]
    return number


def as_bits(cell_type: int, number: int | float) -> int:
    """The 64 raw bits that mean a number; integers modulo 2**64."""
    if cell_type == layout.CELL_TYPE_F64:
        return int.from_bytes(pack("<d", number), "little")
    return int(number) & MASK


def words_of(kind: str, cell_type: int, cells: int, parts: Any) -> list[int]:
    """The cells that say what `parts` say, in a lane whose thread is gone; without those of octaves."""
    from mmstats.format.compound import DISTRIBUTED  # who only counts needs none of it

    if kind == "average":
        total, n = parts
        return [n & MASK, *[as_bits(cell_type, total)] * 2]
    if kind in DISTRIBUTED:
        n, *totals = parts[:4]
        words, at, spread = [0] * cells, DISTRIBUTED[kind], parts[-1].words(n)
        n = parts[-1].most(n) & MASK
        words[at - 2 * TOTALS : at] = [as_bits(cell_type, x) for x in totals] * 2
        words[at : at + len(spread)] = spread
        words[layout.HISTOGRAM_WITNESS] = n  # a timer has it in the same place
        if kind == "timer":
            words[layout.TIMER_STARTED] = n
        return words
    return [as_bits(cell_type, parts)]
