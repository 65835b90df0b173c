"""Steps of values that have a distribution, and of the last durations of a timer: like those of `steps`."""

from __future__ import annotations

from math import isfinite, isnan
from struct import Struct, unpack_from

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.compound import LONG_AGO, latest
from mmstats.format.spread import LOW_HALF
from mmstats.read.steps import WITNESS, whole
from mmstats.read.walked import BusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.read.walked import Walked

LARGE = 1 << 44  # a count that great is none; sums of smaller ones cannot overflow
MOST_CELLS = 1 << 20  # of octaves, of one file
MOST_TIME = 1 << 62  # ns since 1970, or before

_u64 = Struct("<Q").unpack_from
_totals = Struct("<3d").unpack_from


class Spread:
    """A value with a distribution."""

    __slots__ = (
        "_buckets",
        "_cells",
        "_distribution",
        "_first",
        "_octaves",
        "_room",
        "_total",
        "_totals",
        "_words",
        "held",
    )

    def __init__(
        self, cells: int, totals: int, distribution: int, scale: int, octaves: int, counts: int, first: int
    ) -> None:
        self._cells = cells
        self._totals, self._distribution = 8 * totals, 8 * distribution
        self._room, self._octaves, self._first = 1 << scale, octaves, first
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
                rows.append((self._first + k * self._room, row))
        return rows

    def clear(self) -> None:
        self._total = None
        self._buckets = {}

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


class Latest:
    """The last durations of a timer: sum and count, time of the last one, and it."""

    __slots__ = ("_besides", "_cells", "_total", "held")

    def __init__(self, cells: int, besides: int) -> None:
        self._cells, self._besides = cells, besides
        self._total: Any = None
        self.held: Any = None

    def read(self, file: Walked, segment: int, index: int, word: bytes = b"") -> None:
        """One file's, None where nobody wrote."""
        self.held = None
        for at, lane, _ in whole(file, segment, index, word, self._cells, WITNESS):
            n = _u64(file.first, at)[0]
            if n:
                self.held = _later(self.held, self._of_lane(file, at, n, lane[0]))

    def _of_lane(self, file: Walked, at: int, n: int, lives: bool) -> Any:
        try:
            one = latest(file.middle, at, self._cells, n, lives, file.epoch, self._besides)
        except FormatError:
            raise BusyError from None
        total, _, time, last = one
        if not (isfinite(total) and isfinite(last)) or not (time == LONG_AGO or abs(time) < MOST_TIME):
            raise BusyError
        return one

    def clear(self) -> None:
        self._total = None

    def add(self) -> None:
        if self.held is not None:
            self._total = _later(self._total, self.held)

    def value(self) -> Any:
        return self._total


def _later(one: Any, other: Any) -> Any:
    """Both; of those of one time the other is the last."""
    if one is None:
        return other
    return (one[0] + other[0], one[1] + other[1], *(one if one[2] > other[2] else other)[2:])
