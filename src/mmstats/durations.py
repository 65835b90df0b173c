"""What a timer measured, as one value."""

from __future__ import annotations

from mmstats.frozen import Frozen


class TimerValue(Frozen):
    """What a timer measured, in seconds; everything is 0 before the first duration.

    `count`, `sum`, `min`, `max`, `mean`: of all durations of all threads that ever were. `last`: the
    latest one, and `moving`: the mean of the last ones, of the threads that live.
    """

    __slots__ = ("count", "sum", "min", "max", "last", "moving")  # noqa: RUF023 - as __init__ takes them

    count: int
    sum: float
    min: float
    max: float
    last: float
    moving: float

    def __init__(
        self,
        count: int = 0,
        sum: float = 0.0,  # noqa: A002 - the public names
        min: float = 0.0,  # noqa: A002
        max: float = 0.0,  # noqa: A002
        last: float = 0.0,
        moving: float = 0.0,
    ) -> None:
        put = object.__setattr__
        put(self, "count", count)
        put(self, "sum", sum)
        put(self, "min", min)
        put(self, "max", max)
        put(self, "last", last)
        put(self, "moving", moving)

    @property
    def mean(self) -> float:
        return self.sum / self.count if self.count else 0.0
