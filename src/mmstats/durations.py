"""What a timer measured, as one value."""

from __future__ import annotations

from mmstats.distribution import Distributed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.spread import Spread


class TimerValue(Distributed):
    """What a timer measured, in seconds; everything is 0 before the first duration.

    `count`, `sum`, `min`, `max`, `mean`: of all durations of all threads that ever were. `last`: the
    latest one, and `moving`: the mean of the last ones, of the threads that live. `percentile(0.99)`,
    `buckets` and `bounds` say where all of them lie.
    """

    __slots__ = ("count", "sum", "min", "max", "last", "moving", "spread")  # noqa: RUF023 - as __init__ takes them

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
        spread: Spread | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "count", count)
        put(self, "sum", sum)
        put(self, "min", min)
        put(self, "max", max)
        put(self, "last", last)
        put(self, "moving", moving)
        put(self, "spread", spread)
