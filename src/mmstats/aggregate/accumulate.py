"""The cells of many lanes and files of one schema, as one value each.

A reader of a thousand processes meets the same segment a thousand times, in which each cell means the same.
An Accumulator takes what it means once, a *rule* for each cell, and then the bytes: over the lanes of one
file sums of integers are modulo 2**64, as cells are; over files they are exact. The greatest and the least
leave out cells that nobody wrote, and NaN where there is a number. Sums of doubles are made in the order in
which they come, so that both twins give the same bits.

`accumulator()` gives the native twin where it was built. It is a module of its own, as who reads loads
nothing of what writes.
"""

from __future__ import annotations

import operator
from math import isnan
from struct import Struct

from mmstats.format.layout import NEVER_F64, NEVER_I64, NEVER_U64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SKIP, SUM_U64, SUM_I64, SUM_F64, MAX_U64, MAX_I64, MAX_F64, MIN_U64, MIN_I64, MIN_F64 = range(10)
MASK, HALF, WHOLE = (1 << 64) - 1, 1 << 63, 1 << 64

_LETTERS = {
    rule: letter for letter, rules in (("Q", (1, 4, 7)), ("q", (2, 5, 8)), ("d", (3, 6, 9))) for rule in rules
}
_NEVER_INTEGERS = {
    MAX_U64: NEVER_U64,
    MIN_U64: NEVER_U64,
    MAX_I64: NEVER_I64 - WHOLE,
    MIN_I64: NEVER_I64 - WHOLE,
}
_BEYOND: dict[int, Callable[[Any, Any], bool]] = {
    **dict.fromkeys((MAX_U64, MAX_I64, MAX_F64), operator.gt),
    **dict.fromkeys((MIN_U64, MIN_I64, MIN_F64), operator.lt),
}


class Accumulator:
    """Many lanes and files of one schema. `rules`: one of the numbers above for each cell."""

    __slots__ = ("_cells", "_rules", "_size", "_values")

    def __init__(self, rules: bytes) -> None:
        wrong = [rule for rule in rules if rule > MIN_F64]
        if wrong:
            raise ValueError(f"no rule {wrong[0]}")
        self._rules = rules
        self._cells = Struct("<" + "".join(_LETTERS.get(rule, "8x") for rule in rules))
        self._size = 8 * len(rules)
        self._values: list[Any] = [None] * len(rules)

    def add(self, data: Any, offsets: tuple[int, ...]) -> None:
        """One file: its lanes have their cells at these offsets of `data`. ValueError: they end beyond it."""
        view = memoryview(data)
        for offset in offsets:
            if not 0 <= offset <= view.nbytes - self._size:
                raise ValueError(f"{len(self._rules)} cells at {offset}, of {view.nbytes} bytes")
        file: list[Any] = [None] * len(self._rules)
        for offset in offsets:
            self._add_lane(file, view, offset)
        for at, value in enumerate(file):
            if value is not None:
                self._values[at] = _joined(self._rules[at], self._values[at], value)

    def _add_lane(self, file: list[Any], view: memoryview, offset: int) -> None:
        words = iter(self._cells.unpack_from(view, offset))
        for at, rule in enumerate(self._rules):
            if rule == SKIP:
                continue
            word = next(words)
            if not _is_never(rule, word, view, offset + 8 * at):
                file[at] = _wrapped(rule, _joined(rule, file[at], word))

    def values(self) -> list[int | float | None]:
        """What each cell comes to; None where no lane wrote, or where it is skipped."""
        return list(self._values)


def _is_never(rule: int, word: Any, view: memoryview, offset: int) -> bool:
    """Whether the cell says that nobody wrote; of doubles that is one of many NaN."""
    if rule in (MAX_F64, MIN_F64):
        return isnan(word) and int.from_bytes(view[offset : offset + 8], "little") == NEVER_F64
    return bool(word == _NEVER_INTEGERS.get(rule))


def _joined(rule: int, before: Any, value: Any) -> Any:
    if before is None:
        return value
    beyond = _BEYOND.get(rule)
    if beyond is None:
        return before + value
    return value if beyond(value, before) or isnan(before) else before


def _wrapped(rule: int, value: Any) -> Any:
    """As the cell of one lane would hold it."""
    if rule == SUM_U64:
        return value & MASK
    return (value + HALF & MASK) - HALF if rule == SUM_I64 else value


def accumulator(*, pure: bool = False) -> type[Accumulator]:
    """The native twin where it was built, unless this one is asked for."""
    if not pure:
        try:
            from mmstats.aggregate._native import Accumulator as Native
        except ImportError:
            pass
        else:
            return Native  # type: ignore[return-value]  # the same by its methods
    return Accumulator
