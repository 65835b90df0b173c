"""What is done for each file of a pattern, step by step: `pattern` says what they are.

`read` takes one file's and changes nothing but `held`, what it found; `add` adds that to what there is.
"""

from __future__ import annotations

import operator
from struct import Struct

from mmstats.format.layout import NEVER_F64, NEVER_I64, NEVER_U64
from mmstats.format.spread import MASK
from mmstats.read.pattern import (
    MAX_F64,
    MAX_I64,
    MAX_U64,
    MIN_F64,
    MIN_I64,
    MIN_U64,
    SUM_F64,
    SUM_I64,
    SUM_SET_F64,
    SUM_U64,
)
from mmstats.read.walked import BusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmstats.read.walked import Lane, Walked

    Handed = list[tuple[bytes, bool]]

WITNESS = 8  # bytes
HALF, WHOLE = 1 << 63, 1 << 64

_u64 = Struct("<Q").unpack_from

LETTERS = {
    **dict.fromkeys((SUM_U64, MAX_U64, MIN_U64), "Q"),
    **dict.fromkeys((SUM_I64, MAX_I64, MIN_I64), "q"),
    **dict.fromkeys((SUM_F64, SUM_SET_F64, MAX_F64, MIN_F64), "d"),
}
NEVER = {MAX_U64: NEVER_U64, MIN_U64: NEVER_U64, MAX_I64: NEVER_I64 - WHOLE, MIN_I64: NEVER_I64 - WHOLE}
SETS = frozenset((SUM_SET_F64, MAX_F64, MIN_F64))
JOIN: dict[int, Callable[[Any, Any], Any]] = {
    **dict.fromkeys((SUM_U64, SUM_I64, SUM_F64, SUM_SET_F64), operator.add),
    **dict.fromkeys((MAX_U64, MAX_I64, MAX_F64), max),
    **dict.fromkeys((MIN_U64, MIN_I64, MIN_F64), min),
}


class Numbers:
    """Cells that follow each other, one value each."""

    __slots__ = ("_is_plain", "_living", "_rules", "_totals", "_unpack", "held")

    def __init__(self, rules: bytes, living: bool) -> None:
        self._rules = rules
        self._living = living
        self._is_plain = set(rules) == {SUM_U64}
        self._unpack = Struct("<" + "".join(LETTERS[rule] for rule in rules)).unpack_from
        self._totals: list[Any] = [None] * len(rules)
        self.held: list[Any] = []

    def read(self, file: Walked, segment: int, index: int, word: bytes = b"") -> None:
        """One of each cell, None where nobody wrote; `word`: the generation of a member."""
        count, front = len(self._rules), len(word)
        total: list[Any] = [None] * count
        for lane in file.lanes.get(segment, {}).values():
            at = file.place(lane, index, count + front // 8)
            file.claim(count + front // 8)
            before = file.first[at : at + front]
            if not before == file.middle[at : at + front] == file.last[at : at + front]:
                raise BusyError
            if before == word and (lane[0] or not self._living):
                found = list(self._unpack(file.middle, at + front))
                if not self._is_plain:
                    found = self._set(file, at + front, found)
                total = self._joined(total, found)
        self.held = self._wrapped(total)

    def _set(self, file: Walked, at: int, found: list[Any]) -> list[Any]:
        """The numbers, None where nobody wrote."""
        for cell, rule in enumerate(self._rules):
            number = found[cell]
            if number != number:  # noqa: PLR0124 - NaN, one of which means never
                if rule not in SETS or _u64(file.middle, at + 8 * cell)[0] != NEVER_F64:
                    raise BusyError
                found[cell] = None
            elif number == NEVER.get(rule):
                found[cell] = None
        return found

    def _joined(self, one: list[Any], other: list[Any]) -> list[Any]:
        return [
            b if a is None else a if b is None else JOIN[rule](a, b)
            for a, b, rule in zip(one, other, self._rules)
        ]

    def _wrapped(self, numbers: list[Any]) -> list[Any]:
        """As one cell would hold them."""
        for cell, rule in enumerate(self._rules):
            number = numbers[cell]
            if number is not None and rule == SUM_U64:
                numbers[cell] = number & MASK
            elif number is not None and rule == SUM_I64:
                numbers[cell] = (number + HALF & MASK) - HALF
        return numbers

    def clear(self) -> None:
        self._totals = [None] * len(self._rules)

    def add(self) -> None:
        self._totals = self._joined(self._totals, self.held)

    def value(self) -> list[Any]:
        return list(self._totals)


def whole(
    file: Walked, segment: int, index: int, word: bytes, cells: int, head: int
) -> list[tuple[int, Lane, int]]:
    """Of each lane that counts: where the value begins, the lane, and its number.

    `head`: bytes behind the generation that tell the value whole. BusyError: they changed.
    """
    found = []
    front = len(word)
    for number, lane in file.lanes.get(segment, {}).items():
        at = file.place(lane, index, cells + front // 8)
        file.claim(cells + front // 8)
        before = file.first[at : at + front + head]
        if not before == file.middle[at : at + front + head] == file.last[at : at + front + head]:
            raise BusyError
        if before.startswith(word):
            found.append((at + front, lane, number))
    return found


class Told:
    """What is handed out."""

    __slots__ = ("_cells", "_head", "held")

    def __init__(self, cells: int, is_compound: bool) -> None:
        self._cells = cells
        self._head = WITNESS if is_compound else 0
        self.held: Handed = []

    def read(self, file: Walked, segment: int, index: int, word: bytes = b"") -> None:
        """The bytes of each lane, and whether its thread lives."""
        size = 8 * self._cells
        found = whole(file, segment, index, word, self._cells, self._head)
        self.held = [(file.middle[at : at + size], lane[0]) for at, lane, _ in found]


class Stated:
    """The number of a static."""

    __slots__ = ("_offset", "_span", "held")

    def __init__(self, span: int, offset: int) -> None:
        self._span, self._offset = span, offset
        self.held: Handed = []

    def read(self, file: Walked) -> None:
        """Its eight bytes."""
        at = file.spans[self._span] + self._offset
        self.held = [(file.middle[at : at + 8], True)]


class Listed:
    """The numbers of a static, each with when the writer began who says so."""

    __slots__ = ("_listed", "_offset", "_span", "held")

    def __init__(self, span: int, offset: int) -> None:
        self._span, self._offset = span, offset
        self._listed: list[tuple[int, int]] = []
        self.held = (0, 0)

    def read(self, file: Walked) -> None:
        """As eight bytes hold it."""
        at = file.spans[self._span] + self._offset
        self.held = (_u64(file.middle, at)[0], file.created)

    def clear(self) -> None:
        self._listed = []

    def add(self) -> None:
        self._listed.append(self.held)

    def value(self) -> list[tuple[int, int]]:
        return list(self._listed)
