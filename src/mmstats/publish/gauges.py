"""Gauges: `stats.free.set(12)`, or `stats.free = 12`."""

from __future__ import annotations

from mmstats import cells
from mmstats.format import layout
from mmstats.publish.bound import Binds, OfGauge
from mmstats.publish.compound import refuse
from mmstats.publish.fields import Field
from mmstats.publish.ticker import track

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload

    from typing_extensions import Self

    from mmstats.cells.protocol import Gauge, Reckoned
    from mmstats.publish.families import Family
    from mmstats.publish.place import Place


class GaugeField(Field, Binds[OfGauge]):
    """One float of the whole process, shared by its threads: the last `.set(value)` wins.

    Combined over processes by sum, unless `aggregate` says max, min, avg, last (the process that began
    last) or all. It goes with its process.
    """

    kind = layout.KIND_GAUGE
    cell_type = layout.CELL_TYPE_F64
    choices = ("sum", "max", "min", "avg", "last", "all")
    _mm_verb = "set"  # so assigning calls it, see cells.protocol

    def handle(self, place: Place) -> Gauge:
        def tracked(gauge: Gauge, ask: Reckoned) -> Reckoned:
            return track(gauge, ask, place.model)

        gauge: Gauge = cells.Gauge(place.segment, place.index, place.label, refuse, tracked)
        return gauge

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: GaugeField[Family[Gauge]], label: str | None = None, *, tags: Sequence[str], **options: Any
        ) -> None: ...
        @overload
        def __init__(self: GaugeField[Gauge], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...
        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> OfGauge: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | OfGauge: ...
        def __set__(self: GaugeField[Gauge], instance: object, value: float) -> None: ...
