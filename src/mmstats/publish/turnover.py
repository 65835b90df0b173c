"""What becomes of a metric's cells when their lane, or their file, changes hands (FORMAT.md 4.2 and 5.1).

Everything happens while nobody owns the lane. What stays is what the next thread's own values begin at,
its *base*; what goes with a thread begins anew, in a way that a reader in the middle of a copy notices.
"""

from __future__ import annotations

from mmstats.format import layout
from mmstats.format.ends import goes_with_thread
from mmstats.format.words import as_bits, as_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mmstats.publish.schema import Metric

    Base = list[int | float]


def wrapped_sum(cell_type: int, numbers: Iterable[int | float]) -> int | float:
    """The sum as a cell of that type would hold it."""
    total = sum(numbers)
    if cell_type == layout.CELL_TYPE_F64:
        return total
    return as_number(cell_type, as_bits(cell_type, total))


def hand_over(metric: Metric, words: memoryview) -> Base:
    """Make `words`, the metric's cells, ready for the next thread; what its own values begin at."""
    return _OF_KIND.get(metric.kind, _plain)(metric, words)


def _plain(metric: Metric, words: memoryview) -> Base:
    if goes_with_thread(layout.KINDS[metric.kind], layout.AGGREGATES[metric.aggregate]):
        words[0] = metric.first_word
        return [0]
    return [as_number(metric.cell_type, words[0])]


def _average(metric: Metric, words: memoryview) -> Base:
    n = words[layout.AVERAGE_WITNESS]
    at = layout.AVERAGE_SUM + (n & 1)
    total = as_number(metric.cell_type, words[at])
    return [n, total, total]


def _moving(metric: Metric, words: memoryview) -> Base:
    if not metric.extra:
        return _ring(metric, words)
    from mmstats.publish import windows

    windows.hand_over(words, metric.extra)
    return [0] * metric.cells


def _ring(metric: Metric, words: memoryview) -> Base:
    """A ring of which nothing counts any more."""
    words[layout.MOVING_STARTED] = words[layout.MOVING_WITNESS]  # a timer has them in the same places
    return [0] * metric.cells


def _text(metric: Metric, words: memoryview) -> Base:
    """Another text, of time 0, written as its owner would: so no witness ever comes again."""
    n = words[layout.TEXT_WITNESS]
    if n:
        slot = layout.TEXT_SLOTS + (metric.cells - layout.TEXT_SIZE) // 2 * (n + 1 & 1)
        words[slot + layout.SLOT_LENGTH] = 0
        words[slot + layout.SLOT_TIME] = 0
        words[layout.TEXT_WITNESS] = n + 1
    return [0] * metric.cells


def _all_stays(metric: Metric, _words: memoryview) -> Base:
    """Nobody asks for a thread's own part of it."""
    return [0] * metric.cells


_OF_KIND: dict[int, Callable[[Metric, memoryview], Base]] = {
    layout.KIND_AVERAGE: _average,
    layout.KIND_MOVING: _moving,
    layout.KIND_TIMER: _ring,
    layout.KIND_HISTOGRAM: _all_stays,
    layout.KIND_TEXT: _text,
}
