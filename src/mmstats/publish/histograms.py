"""Histograms: `stats.body.observe(5120)`. How values are distributed, with a stated error."""

from __future__ import annotations

from mmstats import cells
from mmstats.format import layout
from mmstats.publish.bound import Binds, OfHistogram
from mmstats.publish.compound import refuse
from mmstats.publish.fields import Field
from mmstats.publish.measured import Measured
from mmstats.publish.ranges import SCALE, range_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload

    from mmstats.cells._native import Histogram as OfTwin
    from mmstats.format.spread import Range
    from mmstats.publish.families import Family
    from mmstats.publish.place import Place
    from mmstats.publish.schema import Metric
else:
    OfTwin = cells.Histogram


class Histogram(Measured, OfTwin):
    """A bound histogram: `.observe(value)`, and what the process has observed."""

    __slots__ = ("_measure",)

    def __init__(self, place: Place, spread: Range) -> None:
        where = (spread.scale, spread.low, spread.high, spread.bounds)
        super().__init__(place.segment, place.index, *where, place.octave, place.label, refuse)
        self._measure = place.measured


class HistogramField(Field, Binds[OfHistogram]):
    """How values are distributed: `.observe(value)`, `.percentile(0.99)`. Combined: all values together.

    unit: what is measured, as "bytes" or "seconds"; it says the range, if nothing else does
    scale: an octave has 2**scale buckets: percentiles are right to 4.4 % at 3, 2.2 % at 4, 1.1 % at 5
    low, high: values between have buckets; 0, what is smaller, larger, or below 0 has a count of its own
    bounds: numbers; how many values are not above each is counted exactly
    """

    kind = layout.KIND_HISTOGRAM
    cell_type = layout.CELL_TYPE_F64
    _mm_verb = "observe"

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: HistogramField[Family[Histogram]],
            label: str | None = None,
            *,
            scale: int = SCALE,
            low: float | None = None,
            high: float | None = None,
            bounds: Sequence[float] | None = None,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: HistogramField[Histogram],
            label: str | None = None,
            *,
            scale: int = SCALE,
            low: float | None = None,
            high: float | None = None,
            bounds: Sequence[float] | None = None,
            **options: Any,
        ) -> None: ...

    def __init__(
        self,
        label: str | None = None,
        *,
        scale: int = SCALE,
        low: float | None = None,
        high: float | None = None,
        bounds: Sequence[float] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(label, **options)
        self.spread = range_of(self, self.unit, scale, low, high, bounds)
        self.cells = layout.HISTOGRAM_DISTRIBUTION + self.spread.cells

    def metric(self, prefix: str, attribute: str) -> Metric:
        metric = super().metric(prefix, attribute)
        metric.spread = self.spread
        return metric

    def handle(self, place: Place) -> Histogram:
        return Histogram(place, self.spread)
