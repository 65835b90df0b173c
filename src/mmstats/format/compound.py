"""What several cells mean together, by the witness that tells them whole (spec/FORMAT.md 5.1).

Each function takes the bytes, where the value's first cell is, how many cells it has, its witness, whether
its lane's thread lives, and when CLOCK_MONOTONIC of its writer was zero, in ns since 1970; it gives
parts that `kinds` can merge, None where nothing was written.
"""

from __future__ import annotations

from math import fsum, inf
from struct import Struct, unpack_from

from mmstats.errors import FormatError
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from mmstats.format.spread import Range

    Again = Callable[[int, int], bytes]
    Take = Callable[[bytes, int, int, int, bool, int], Any]

_u64 = Struct("<Q").unpack_from
_f64 = Struct("<d").unpack_from
_totals = Struct("<ddd").unpack_from
_slot = Struct("<QQ").unpack_from

SLOT_LEAST = layout.SLOT_SIZE + 1
LONGEST_TEXT = layout.TEXT_SIZE + 2 * (layout.SLOT_SIZE + -(-layout.TEXT_LIMIT // 8))
TOTALS_BYTES = 24
# Kinds with a distribution, and where it begins in their cells.
DISTRIBUTED = {"histogram": layout.HISTOGRAM_DISTRIBUTION, "timer": layout.TIMER_DISTRIBUTION}
LONG_AGO = -inf  # the time of the last duration where there is none


class Copies:
    """A file as it was three times, one copy after the other.

    Compound values need that: the witness of the first and of the last tell whether the one in the middle
    has them whole. Of a large file there is but the middle one, and each such value is read again.
    `again(offset, length)` reads a part once more; `is_late()`: that was long enough.
    """

    __slots__ = ("again", "first", "is_late", "last", "middle")

    def __init__(
        self, first: bytes, middle: bytes, last: bytes, again: Again, is_late: Callable[[], bool]
    ) -> None:
        self.first = first
        self.middle = middle
        self.last = last
        self.again = again
        self.is_late = is_late

    @classmethod
    def of_one(cls, data: bytes) -> Copies:
        """Of a file that has nothing to be told whole, or that nobody writes."""
        return cls(data, data, data, lambda offset, length: data[offset : offset + length], lambda: True)

    def witness(self, at: int) -> int | None:
        """The witness of the value at `at`, if the copy in the middle has that value whole."""
        if not self.first:
            return None
        n = witness(self.first, at)
        return n if n == witness(self.last, at) else None


def witness(data: bytes, at: int) -> int:
    """How many updates the value at `at` has had."""
    return int(_u64(data, at)[0])


def is_lawful(kind: str, cells: int, spread: Range | None = None) -> bool:
    """Whether a value of the kind, with that distribution, may have so many cells."""
    if cells > layout.VALUE_CELLS:
        return False
    if kind == "text":
        return cells % 2 == 1 and layout.TEXT_SIZE + 2 * SLOT_LEAST <= cells <= LONGEST_TEXT
    if kind == "average":
        return cells == layout.AVERAGE_SIZE
    if spread is not None:
        first = DISTRIBUTED[kind] + spread.cells
        return cells == first if kind == "histogram" else cells > 1 + first
    return cells > 1 + layout.MOVING_SIZE


def average(data: bytes, at: int, _cells: int, n: int, _living: bool, _epoch: int) -> tuple[float, int]:
    """Sum and count."""
    return float(_f64(data, at + 8 * (layout.AVERAGE_SUM + (n & 1)))[0]), n


def moving(data: bytes, at: int, cells: int, n: int, living: bool, _epoch: int) -> tuple[float, int] | None:
    """Sum and count of the last values; None once the thread is gone."""
    if not living:
        return None
    started = _started(data, at + 8 * layout.MOVING_STARTED, n)
    window = _window(data, at + 8 * layout.MOVING_RING, cells - layout.MOVING_SIZE, started, n)
    return (total(window), len(window)) if window else None


def histogram(data: bytes, at: int, _cells: int, n: int, _living: bool, _epoch: int) -> tuple[Any, ...]:
    """Count, sum, min, max; the distribution goes behind them."""
    return (n, *_totals(data, at + 8 * layout.HISTOGRAM_TOTALS + TOTALS_BYTES * (n & 1)))


def timer(
    data: bytes, at: int, cells: int, n: int, living: bool, epoch: int, spread: Range
) -> tuple[Any, ...]:
    """Count, sum, min, max; sum and count of the last durations; time of the last one, and it.

    The distribution goes behind them.
    """
    totals = _totals(data, at + 8 * layout.TIMER_TOTALS + TOTALS_BYTES * (n & 1))
    besides = layout.TIMER_DISTRIBUTION + spread.cells
    return (n, *totals, *latest(data, at, cells, n, living, epoch, besides))


def latest(
    data: bytes, at: int, cells: int, n: int, living: bool, epoch: int, besides: int
) -> tuple[float, int, float, float]:
    """Sum and count of a timer's last durations, behind so many cells; time of the last one, and it."""
    started = _started(data, at + 8 * layout.TIMER_STARTED, n)
    if not living or started == n:
        return (0.0, 0, LONG_AGO, 0.0)
    window = _window(data, at + 8 * besides, cells - besides, started, n)
    time = _u64(data, at + 8 * layout.TIMER_TIME)[0] + epoch
    return (total(window), len(window), time, window[-1])


def text(data: bytes, at: int, cells: int, n: int, living: bool, epoch: int) -> tuple[int, str] | None:
    """When it was written, and the text; None once the thread is gone."""
    if not living:
        return None
    slot_cells = (cells - layout.TEXT_SIZE) // 2
    slot = at + 8 * (layout.TEXT_SLOTS + slot_cells * (n & 1))
    length, time = _slot(data, slot)
    room = 8 * (slot_cells - layout.SLOT_SIZE)
    if length > room:
        raise FormatError(slot, f"a text of {length} bytes", f"at most {room}")
    begin = slot + 8 * layout.SLOT_BYTES
    if not time:
        return None
    return time + epoch, data[begin : begin + length].decode("utf-8", "replace")


TAKES: dict[str, Take] = {"average": average, "moving": moving, "text": text, "histogram": histogram}
KINDS = frozenset((*TAKES, "timer"))


def take_of(kind: str, spread: Range | None) -> Take:
    """The function for values of that kind, and that distribution if it has one."""
    if kind != "timer" or spread is None:
        return TAKES[kind]

    def take(data: bytes, at: int, cells: int, n: int, living: bool, epoch: int) -> tuple[Any, ...]:
        return timer(data, at, cells, n, living, epoch, spread)

    return take


def total(values: Sequence[float]) -> float:
    """The sum, exactly rounded; as it comes where infinities stand in a damaged file."""
    try:
        return fsum(values)
    except (OverflowError, ValueError):
        return sum(values)


def _started(data: bytes, at: int, n: int) -> int:
    started = int(_u64(data, at)[0])
    if started > n:
        raise FormatError(at, f"started={started}", f"at most the witness, {n}")
    return started


def _window(data: bytes, at: int, room: int, started: int, n: int) -> list[float]:
    """The last values since `started`, the oldest first."""
    ring = unpack_from(f"<{room}d", data, at)
    return [ring[i % room] for i in range(max(started, n - room + 1), n)]
