"""Averages, moving averages and timers: `stats.size.add(5120)`, `with stats.latency:`."""

from __future__ import annotations

from mmstats import cells
from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.names import check_size
from mmstats.publish.bound import Binds, OfAverage, OfMoving, OfTimer
from mmstats.publish.dropped import dropped
from mmstats.publish.fields import Field
from mmstats.publish.ranges import SCALE, range_of
from mmstats.publish.timers import Timer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, overload

    from mmstats.cells.compound_protocol import Average, Moving
    from mmstats.publish.families import Family
    from mmstats.publish.place import Place
    from mmstats.publish.schema import Metric

SIZE = 100  # values, unless the field says otherwise
LARGEST = 100_000  # values of a ring: every thread that uses it has one


def refuse() -> None:
    """What is no finite number is counted as dropped, and never poisons a mean."""
    dropped.add(layout.DROP_REASON_VALUE)


class AverageField(Field, Binds[OfAverage]):
    """The mean of all values: `.add(value)`. Combined: the sum of all sums by the sum of all counts."""

    kind = layout.KIND_AVERAGE
    cell_type = layout.CELL_TYPE_F64
    cells = layout.AVERAGE_SIZE
    _mm_verb = "add"

    def handle(self, place: Place) -> Average:
        average: Average = cells.Average(place.segment, place.index, place.label, refuse)
        return average

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: AverageField[Family[Average]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: AverageField[Average], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class RingField(Field):
    """The base of what keeps the last `size` values of each thread."""

    cell_type = layout.CELL_TYPE_F64
    besides = 0  # cells beside the ring

    def __init__(self, size: int = SIZE, label: str | None = None, **options: Any) -> None:
        super().__init__(label, **options)
        self.size = check_size(f"size of {self!r}", size, LARGEST)
        self.cells = self.besides + size + 1


class MovingAverageField(RingField, Binds[OfMoving]):
    """The mean of the last `size` values of each thread, or of the last `window` seconds: `.add(value)`.

    A window is kept in twenty slices of time: a value leaves it after 95 to 100 % of it, also while nobody
    adds one.
    """

    kind = layout.KIND_MOVING
    besides = layout.MOVING_SIZE
    _mm_verb = "add"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: MovingAverageField[Family[Moving]],
            size: int = 100,
            label: str | None = None,
            *,
            window: float | None = None,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: MovingAverageField[Moving],
            size: int = 100,
            label: str | None = None,
            *,
            window: float | None = None,
            **options: Any,
        ) -> None: ...

    def __init__(
        self, size: int = SIZE, label: str | None = None, *, window: float | None = None, **options: Any
    ) -> None:
        super().__init__(size, label, **options)
        self.window = window
        self.width = 0  # of a slice, ns
        if window is not None:
            if size != SIZE:
                raise UsageError(f"{self!r}: a size or a window, not both: {size!r} and {window!r}")
            from mmstats.publish import windows

            self.cells, self.width = windows.CELLS, windows.width_of(self, window)

    def metric(self, prefix: str, attribute: str) -> Metric:
        metric = super().metric(prefix, attribute)
        if self.width:
            from mmstats.publish import windows

            metric.extra = windows.pack(self.width)
        return metric

    def handle(self, place: Place) -> Moving:
        if self.width:
            from mmstats.publish import windows

            return windows.handle(place, self.width, refuse)
        moving: Moving = cells.Moving(place.segment, place.index, self.size, place.label, refuse)
        return moving


class TimerField(RingField, Binds[OfTimer]):
    """Durations in seconds: `with stats.latency:`, `.start()` and `.stop()`, `.observe(seconds)`.

    Kept are the count, the sum, the least and the greatest of all, and how they are distributed, as a
    HistogramField does it; and the last `size` of each thread, of which `.value` is the mean. `timer`: a
    callable that gives the time in seconds; None: a clock that is never set, in nanoseconds.
    """

    kind = layout.KIND_TIMER
    _mm_verb = "observe"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: TimerField[Family[Timer]],
            timer: Callable[[], float] | None = None,
            size: int = 100,
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: TimerField[Timer],
            timer: Callable[[], float] | None = None,
            size: int = 100,
            label: str | None = None,
            **options: Any,
        ) -> None: ...

    def __init__(
        self,
        timer: Callable[[], float] | None = None,
        size: int = SIZE,
        label: str | None = None,
        *,
        unit: str = "seconds",
        scale: int = SCALE,
        low: float | None = None,
        high: float | None = None,
        bounds: Sequence[float] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(size, label, unit=unit, **options)
        self.spread = range_of(self, unit, scale, low, high, bounds)
        self.cells += layout.TIMER_DISTRIBUTION + self.spread.cells
        if unit != "seconds":
            raise UsageError(f"{self!r}: a timer's unit is seconds: {unit!r}")
        if timer is not None and not callable(timer):
            raise UsageError(f"{self!r}: timer must be a callable that gives seconds: {timer!r}")
        self.timer = timer

    def metric(self, prefix: str, attribute: str) -> Metric:
        metric = super().metric(prefix, attribute)
        metric.spread = self.spread
        return metric

    def handle(self, place: Place) -> Timer:
        return Timer(place, self.size, self.spread, refuse, self.timer)
