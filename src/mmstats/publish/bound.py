"""What an instance has in a field's stead, for type checkers: a Counter, a float, or a family of them.

A field is generic in that. At run time there is nothing to it: no program pays for `typing`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, overload

    from typing_extensions import Self, TypeVar

    from mmstats.cells.compound_protocol import Average, Moving
    from mmstats.cells.protocol import Counter, Gauge, UpDown
    from mmstats.publish.histograms import Histogram
    from mmstats.publish.timers import Timer

    Bound = TypeVar("Bound", default=Any)
    OfCounter = TypeVar("OfCounter", default=Counter)
    OfUpDown = TypeVar("OfUpDown", default=UpDown)
    OfGauge = TypeVar("OfGauge", default=Gauge)
    OfAverage = TypeVar("OfAverage", default=Average)
    OfMoving = TypeVar("OfMoving", default=Moving)
    OfTimer = TypeVar("OfTimer", default=Timer)
    OfHistogram = TypeVar("OfHistogram", default=Histogram)
    OfInt = TypeVar("OfInt", default=int)
    OfFloat = TypeVar("OfFloat", default=float)
    OfBool = TypeVar("OfBool", default=bool)
    OfText = TypeVar("OfText", default=str)

    class Binds(Generic[Bound]):
        """The class has the field, an instance what it binds."""

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> Bound: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | Bound: ...

else:
    OfCounter = OfUpDown = OfGauge = OfAverage = OfMoving = OfTimer = OfHistogram = None
    OfInt = OfFloat = OfBool = OfText = None

    class Binds:
        """Of anything."""

        def __class_getitem__(cls, _bound: object) -> type:
            return cls
