"""Python's numbers and the eight bytes of a cell, for the pure twin: what is stored for a value.

A word of an integer cell is a signed number of 64 bits here, as a `q` view shows it: an unsigned
value from 2**63 on is the same bits as its value less 2**64.
"""

from __future__ import annotations

from _operator import index
from struct import Struct

from mmstats.format.layout import (
    CELL_TYPE_BOOL,
    CELL_TYPE_F64,
    CELL_TYPE_I64,
    CELL_TYPE_U64,
    NEVER_F64,
    NEVER_I64,
    NEVER_U64,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MASK = 0xFFFFFFFFFFFFFFFF
INFINITY = float("inf")
SINGLE = Struct("f")
QUIET_NAN = Struct("d").unpack(Struct("Q").pack(0x7FF8000000000000))[0]


def signed(number: int, bits: int = 64) -> int:
    """The lowest bits as two's complement."""
    half = 1 << bits - 1
    return (number + half & (1 << bits) - 1) - half


NEVER_WORDS = {
    CELL_TYPE_U64: signed(NEVER_U64),
    CELL_TYPE_I64: signed(NEVER_I64),
    CELL_TYPE_F64: NEVER_F64,
    CELL_TYPE_BOOL: 0,
}


def wrong_type(label: str, wanted: str, value: object) -> TypeError:
    """The error that names the field, what it takes, and what it was given."""
    return TypeError(f"{label!r} takes {wanted}, not {type(value).__name__}: {value!r}")


def whole_from(label: str, value: Any) -> int:
    """The integer, of any size; TypeError for what has no `__index__`."""
    try:
        return index(value)
    except TypeError:
        raise wrong_type(label, "an int", value) from None


def real_from(label: str, value: Any) -> float:
    """The float of a number. A text is none, though `float` would read it."""
    kind = type(value)
    try:
        if hasattr(kind, "__float__") or hasattr(kind, "__index__"):
            return float(value)
    except TypeError:
        pass
    raise wrong_type(label, "a number", value)


def single(real: float) -> float:
    """The nearest number of single precision; what is too large for it is infinite."""
    try:
        rounded: float = SINGLE.unpack(SINGLE.pack(real))[0]
    except OverflowError:
        return INFINITY if real > 0 else -INFINITY
    return rounded


def wrapped(number: int, bits: int, is_signed: bool) -> int:
    """The word that shows the lowest bits of the number, sign-extended or zero-extended."""
    return signed(number, bits) if is_signed else signed(number & (1 << bits) - 1)


def beside_never(cell_type: int, word: int) -> int:
    """The word, or its neighbour where it is the pattern that says "never"."""
    step = -1 if cell_type == CELL_TYPE_U64 else 1
    return word + step if word == NEVER_WORDS[cell_type] else word
