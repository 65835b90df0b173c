"""Histogram and Timing of the pure twin: values that are counted by where they lie (FORMAT.md 5.2).

A bucket is counted in its place, so an update first writes down what was. One that an exception ended,
which a handler raised in its middle, is put back by the next update of that lane.
"""

from __future__ import annotations

from bisect import bisect_left
from math import isfinite
from time import monotonic_ns

from mmstats.buckets import place_of
from mmstats.cells.compound import Compound, Ring, in_turn
from mmstats.cells.segment import DOUBLES, INTS
from mmstats.cells.words import real_from, signed
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from mmstats.cells.protocol import Amount, Later
    from mmstats.cells.segment import Segment

    Octave = Callable[[int], Segment]

TOTALS = 3  # cells of {sum, min, max}
LOW_HALF = 0xFFFFFFFF  # of a witness, as `begun` has it
NUMBER_BITS, BOUND_BITS = 20, 12
NUMBERS, BOUNDS = (1 << NUMBER_BITS) - 1, (1 << BOUND_BITS) - 1
TRIES = 8  # to have both segments at once, where each may open the other's file


class Spread:
    """Which cell counts a value, and the segments of the octaves, made as values fall into them.

    `at`: where the distribution begins in the first cells.
    """

    __slots__ = ("_bounds", "_high", "_low", "_make", "_octaves", "_scale", "at")

    def __init__(
        self, at: int, scale: int, low: int, high: int, bounds: Sequence[float], octave: Octave
    ) -> None:
        if not (0 <= scale <= layout.SCALE_MOST and -layout.OCTAVE_MOST <= low < high <= layout.OCTAVE_MOST):
            raise ValueError(f"no distribution of scale {scale} from 2**{low} to 2**{high}")
        self.at = at
        self._scale = scale
        self._low = low
        self._high = high
        self._bounds = tuple(map(float, bounds))
        self._make = octave
        self._octaves: dict[int, Segment] = {}

    @property
    def cells(self) -> int:
        """How many of the first cells it has."""
        return layout.DISTRIBUTION_SIZE + (len(self._bounds) + 1 if self._bounds else 0)

    def number_of(self, value: float) -> int:
        """The number of the value's bucket, as `begun` has it."""
        if value <= 0:
            return layout.BUCKET_NEGATIVE if value else layout.BUCKET_ZERO
        octave, sub = place_of(value, self._scale)
        if octave < self._low:
            return layout.BUCKET_ZERO
        if octave >= self._high:
            return layout.BUCKET_OVERFLOW
        return layout.BUCKET_FIRST + (octave - self._low << self._scale) + sub

    def reach(self, segment: Segment, number: int) -> tuple[Any, Any, Later | None]:
        """The calling thread's views of the first cells, and of the number's octave if any; or a later."""
        if number < layout.BUCKET_FIRST:
            views, later = segment._reach()
            return views, None, later
        other = self._octave(number)
        octave, views = other._standing(), segment._standing()
        if octave is not None and views is not None:
            return views, octave, None
        for _ in range(TRIES):
            octave, later = other._reach()
            if later is None:
                views, later = segment._reach()
            if later is not None:
                return None, None, later
            if other._attached() is octave:  # else the slow path of the first cells moved it
                break
        return views, octave, None

    def _octave(self, number: int) -> Segment:
        k = number - layout.BUCKET_FIRST >> self._scale
        known = self._octaves.get(k)
        return self._octaves.setdefault(k, self._make(k)) if known is None else known

    def _cell(self, ints: Any, at: int, octave: Any, number: int) -> tuple[Any, int]:
        """Where the bucket of that number is."""
        if number < layout.BUCKET_FIRST:
            return ints, at + layout.DISTRIBUTION_ZERO + number
        return octave[INTS], number - layout.BUCKET_FIRST & (1 << self._scale) - 1

    def count(self, ints: Any, index: int, octave: Any, number: int, value: float) -> None:
        """One more in the bucket of that number, by the update that comes next."""
        at, coming = index + self.at, ints[index] + 1 & LOW_HALF
        if ints[at + layout.DISTRIBUTION_BEGUN] >> 32 & LOW_HALF == coming:
            self._put_back(ints, at)
        cells, cell = self._cell(ints, at, octave, number)
        was = cells[cell]
        bound = bisect_left(self._bounds, value) + 1 if self._bounds else 0
        of_bound = at + layout.DISTRIBUTION_BOUNDS + bound - 1
        was_bound = ints[of_bound] if bound else 0
        ints[at + layout.DISTRIBUTION_WAS] = was
        ints[at + layout.DISTRIBUTION_WAS_BOUND] = was_bound
        ints[at + layout.DISTRIBUTION_BEGUN] = signed(number | bound << NUMBER_BITS | coming << 32)
        cells[cell] = was + 1
        if bound:
            ints[of_bound] = was_bound + 1

    def _put_back(self, ints: Any, at: int) -> None:
        """Count as it was before an update that did not come to its end."""
        begun = ints[at + layout.DISTRIBUTION_BEGUN]
        number, bound = begun & NUMBERS, begun >> NUMBER_BITS & BOUNDS
        octave = None
        if number >= layout.BUCKET_FIRST:
            segment = self._octaves.get(number - layout.BUCKET_FIRST >> self._scale)
            octave = None if segment is None else segment._standing() or segment._attached()
        if number < layout.BUCKET_FIRST or octave is not None:
            cells, cell = self._cell(ints, at, octave, number)
            cells[cell] = ints[at + layout.DISTRIBUTION_WAS]
        if bound:
            ints[at + layout.DISTRIBUTION_BOUNDS + bound - 1] = ints[at + layout.DISTRIBUTION_WAS_BOUND]


def take(handle: Any, spread: Spread, method: Callable[..., None], value: Amount) -> None:
    """Check the value, and store it; `method` is what it is handed over to."""
    real = real_from(handle.label, value)
    if not isfinite(real):
        handle._refuse()
        return
    number = spread.number_of(real)
    views, octave, later = spread.reach(handle._segment, number)
    if later is not None:
        later(method.__get__(handle), value)  # not what a subclass made of it
    else:
        in_turn(handle._segment, handle._store, views, octave, number, real)


def totals_with(doubles: Any, at: int, n: int, real: float) -> tuple[float, float, float]:
    """Sum, least and greatest of n values and one more."""
    if not n:
        return real, real, real
    old = at + TOTALS * (n & 1)
    return doubles[old] + real, min(doubles[old + 1], real), max(doubles[old + 2], real)


def distributed_store(
    handle: Any, spread: Spread, views: Any, octave: Any, number: int, real: float
) -> int | None:
    """Count the n + 1st value and add it to the totals, all but the witness; n, or None: it was refused."""
    ints, doubles, index = views[INTS], views[DOUBLES], handle._index
    n: int = ints[index + layout.HISTOGRAM_WITNESS]  # a timer has it in the same place
    at = index + spread.at - 2 * TOTALS
    totals = totals_with(doubles, at, n, real)
    if not isfinite(totals[0]):
        handle._refuse()
        return None
    spread.count(ints, index, octave, number, real)
    new = at + TOTALS * (n + 1 & 1)
    doubles[new], doubles[new + 1], doubles[new + 2] = totals
    return n


class Histogram(Compound):
    """A bound histogram: what it counts is read by others."""

    __slots__ = ("_spread",)

    def __init__(
        self,
        segment: Segment,
        index: int,
        scale: int,
        low: int,
        high: int,
        bounds: Sequence[float],
        octave: Octave,
        label: str,
        refuse: Callable[[], object],
    ) -> None:
        super().__init__(segment, index, label, refuse)
        self._spread = Spread(layout.HISTOGRAM_DISTRIBUTION, scale, low, high, bounds, octave)

    def observe(self, value: Amount) -> None:
        """One more value."""
        take(self, self._spread, Histogram.observe, value)

    # An octave besides: `take` hands over what it reached.
    def _store(self, views: Any, octave: Any, number: int, real: float) -> None:  # type: ignore[override]
        n = distributed_store(self, self._spread, views, octave, number, real)
        if n is not None:
            views[INTS][self._index + layout.HISTOGRAM_WITNESS] = n + 1


class Timing(Ring):
    """What a bound timer records."""

    __slots__ = ("_spread",)

    def __init__(
        self,
        segment: Segment,
        index: int,
        size: int,
        scale: int,
        low: int,
        high: int,
        bounds: Sequence[float],
        octave: Octave,
        label: str,
        refuse: Callable[[], object],
    ) -> None:
        spread = Spread(layout.TIMER_DISTRIBUTION, scale, low, high, bounds, octave)
        super().__init__(segment, index, size, label, refuse, layout.TIMER_DISTRIBUTION + spread.cells)
        self._spread = spread

    def observe(self, seconds: Amount) -> None:
        """One more duration."""
        take(self, self._spread, Timing.observe, seconds)

    # An octave besides: `take` hands over what it reached.
    def _store(self, views: Any, octave: Any, number: int, real: float) -> None:  # type: ignore[override]
        n = distributed_store(self, self._spread, views, octave, number, real)
        if n is not None:
            ints, index = views[INTS], self._index
            views[DOUBLES][index + self._ring + n % self._room] = real
            ints[index + layout.TIMER_TIME] = monotonic_ns()
            ints[index + layout.TIMER_WITNESS] = n + 1

    @property
    def last(self) -> float:
        """The last duration that the calling thread recorded."""
        window = self._window()
        return window[-1] if window else 0.0
