"""What a histogram counted, or a timer, as one value."""

from __future__ import annotations

from math import ceil, inf

from mmstats.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.spread import Spread


class Distributed(Frozen):
    """What a histogram and a timer have in common: `count`, `sum`, `min`, `max`, and where the values lie."""

    __slots__ = ()

    count: int
    sum: float
    min: float
    max: float
    spread: Spread | None

    @property
    def mean(self) -> float:
        """0.0 of nothing."""
        return self.sum / self.count if self.count else 0.0

    @property
    def buckets(self) -> tuple[tuple[float, float, int], ...]:
        """(low edge, high edge, count) of each bucket with a count, ascending; a value is above the low edge.

        Values below 0 are in one from -inf to 0.0, those that are too small in one from 0.0, which has 0.0
        too, those that are too large in one to inf. Where programs declared ranges that differ, too small and
        too large are what was so for the program that counted it.
        """
        from mmstats.buckets import edge  # who does not ask for them does not pay for it

        spread = self.spread
        if spread is None:
            return ()
        scale = spread.range.scale
        rows = [(-inf, 0.0, spread.negative), (0.0, edge(spread.range.low << scale, scale), spread.zero)]
        for index, count in sorted(spread.buckets.items()):
            rows.append((edge(index, scale), edge(index + 1, scale), count))
        rows.append((edge(spread.range.high << scale, scale), inf, spread.overflow))
        return tuple([row for row in rows if row[2]])

    @property
    def bounds(self) -> tuple[tuple[float, int], ...]:
        """(bound, how many values are not above it) of each of the declared bounds; exact."""
        found, so_far = [], 0
        if self.spread is not None:
            for bound, count in zip(self.spread.range.bounds, self.spread.counts):
                so_far += count
                found.append((bound, so_far))
        return tuple(found)

    def percentile(self, q: float) -> float:
        """The value that the share `q` of all, from 0 to 1, does not exceed; 0.0 of nothing.

        It is the value of rank ceil(q * count). The first and the last are `min` and `max`; any other lies
        in one bucket, and is given as the middle of that: the relative error is at most 4.4 % at scale 3,
        2.2 % at 4, 1.1 % at 5. Never below `min` or above `max`, which are also what is given for values
        below 0, or too large for the range; for those too small it is 0.0.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"percentile({q!r}): expected a share from 0 to 1, as 0.99")
        rank, so_far, at = max(1, ceil(q * self.count)), 0, 0.0
        if rank >= self.count:
            return self.max
        if rank == 1:
            return self.min
        for low, high, count in self.buckets:
            so_far += count
            at = _middle(low, high)
            if so_far >= rank:
                break
        return min(max(at, self.min), self.max)


def _middle(low: float, high: float) -> float:
    """What differs from any value of the bucket by the same share at most."""
    if low == 0.0:
        return 0.0
    if low == -inf or high == inf:
        return low if low == -inf else high
    return 2 * low * (high / (low + high))


class DistributionValue(Distributed):
    """What a histogram counted, in its unit; `count`, `sum`, `min`, `max`, `mean` are of the values as given.

    Everything is 0 before the first value. `percentile(0.99)`, `buckets` and `bounds` say where they lie.
    """

    __slots__ = ("count", "sum", "min", "max", "spread")  # noqa: RUF023 - as __init__ takes them

    def __init__(
        self,
        count: int = 0,
        sum: float = 0.0,  # noqa: A002 - the public names
        min: float = 0.0,  # noqa: A002 - likewise
        max: float = 0.0,  # noqa: A002 - likewise
        spread: Spread | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "count", count)
        put(self, "sum", sum)
        put(self, "min", min)
        put(self, "max", max)
        put(self, "spread", spread)


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
        min: float = 0.0,  # noqa: A002 - likewise
        max: float = 0.0,  # noqa: A002 - likewise
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
