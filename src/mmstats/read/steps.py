"""What is done for each file of a pattern, step by step: `pattern` says what they are.

`read` takes one file's and changes nothing but `held`, what it found; `add` adds that to what there is.
"""

from __future__ import annotations

import operator
from math import isnan
from struct import Struct, unpack_from

from mmstats.format import layout
from mmstats.format.layout import NEVER_F64, NEVER_I64, NEVER_U64
from mmstats.format.spread import LOW_HALF, MASK
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

LARGE = 1 << 44  # a count that great is none; sums of smaller ones cannot overflow
MOST_CELLS = 1 << 20  # of octaves, of one file
WITNESS = 8  # bytes
HALF, WHOLE = 1 << 63, 1 << 64

_u64 = Struct("<Q").unpack_from
_totals = Struct("<3d").unpack_from

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


class Spread:
    """A value with a distribution."""

    __slots__ = (
        "_buckets",
        "_cells",
        "_distribution",
        "_octaves",
        "_room",
        "_total",
        "_totals",
        "_words",
        "held",
    )

    def __init__(
        self, cells: int, totals: int, distribution: int, scale: int, octaves: int, counts: int
    ) -> None:
        self._cells = cells
        self._totals, self._distribution = 8 * totals, 8 * distribution
        self._room, self._octaves = 1 << scale, octaves
        first = layout.DISTRIBUTION_ZERO
        self._words = Struct(f"<{8 * first}x{layout.DISTRIBUTION_SIZE - first + counts}Q").unpack_from
        self._total: Any = None
        self._buckets: dict[int, int] = {}
        self.held: Any = None

    def read(self, file: Walked, segment: int, index: int, word: bytes = b"") -> None:
        """One file's, None where nobody wrote."""
        total: Any = None
        buckets: dict[int, int] = {}
        for at, _, lane in whole(file, segment, index, word, self._cells, WITNESS):
            rows = self._rows(file, segment, index, self._cells + len(word) // 8, lane)
            n = _u64(file.first, at)[0]
            if n:
                one = self._of_lane(file, at, n, rows, buckets)
                total = one if total is None else _joined(total, one)
        self.held = total and (total, buckets)

    def _of_lane(
        self, file: Walked, at: int, n: int, rows: list[tuple[int, tuple[int, ...]]], buckets: dict[int, int]
    ) -> Any:
        if _u64(file.last, at + self._distribution)[0] >> 32 == n + 1 & LOW_HALF:
            raise BusyError
        zero, overflow, negative, *counts = words = self._words(file.middle, at + self._distribution)
        total = zero + overflow + negative
        for begin, row in rows:
            total += sum(row)
            for number, count in enumerate(row, begin):
                if count:
                    buckets[number] = buckets.get(number, 0) + count
        if n >= LARGE or max(words) >= LARGE or total != n or (counts and sum(counts) != n):
            raise BusyError
        sums = _totals(file.middle, at + self._totals + 24 * (n & 1))
        if any(map(isnan, sums)):
            raise BusyError
        return (n, *sums, zero, overflow, negative, counts)

    def _rows(
        self, file: Walked, segment: int, index: int, step: int, lane: int
    ) -> list[tuple[int, tuple[int, ...]]]:
        """The buckets of each octave that the lane has, with the number of its first one."""
        rows: list[tuple[int, tuple[int, ...]]] = []
        left = MOST_CELLS
        place, rest = divmod(index, step)
        for k, octave in file.octaves.get(segment, ()):
            spot = file.lanes[octave].get(lane)
            if spot is None:
                continue
            if rest:
                raise BusyError
            if k >= self._octaves:
                break
            at = file.place(spot, place * self._room, self._room)
            file.claim(self._room)
            left -= self._room
            if left < 0:
                raise BusyError
            row = unpack_from(f"<{self._room}Q", file.middle, at)
            if max(row) >= LARGE:
                raise BusyError
            if any(row):
                rows.append((k * self._room, row))
        return rows

    def add(self) -> None:
        if self.held is None:
            return
        total, buckets = self.held
        self._total = total if self._total is None else _joined(self._total, total)
        for number, count in buckets.items():
            self._buckets[number] = self._buckets.get(number, 0) + count

    def value(self) -> Any:
        return self._total and (*self._total, dict(sorted(self._buckets.items())))


def _joined(one: Any, other: Any) -> Any:
    n, total, least, most, zero, overflow, negative, counts = one
    return (
        n + other[0],
        total + other[1],
        min(least, other[2]),
        max(most, other[3]),
        zero + other[4],
        overflow + other[5],
        negative + other[6],
        [mine + its for mine, its in zip(counts, other[7])],
    )


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
