"""Histogram of the pure twin: values that are counted by where they lie (FORMAT.md 5.2).

A bucket is counted in its place, so an update first writes down what was. One that an exception ended,
which a handler raised in its middle, is put back by the next update of that lane.

An update is a few dozen steps of the interpreter, and each of them shows: so it is one long function where
elsewhere it would be four.
"""

from __future__ import annotations

from bisect import bisect_left
from math import frexp, isfinite
from time import monotonic_ns

from mmstats.buckets import thresholds
from mmstats.cells.compound import Compound, in_turn, take_turns, turns
from mmstats.cells.segment import DOUBLES, INTS
from mmstats.cells.wiped import word
from mmstats.cells.words import real_from
from mmstats.format.layout import (
    BOUNDS_MOST,
    BUCKET_FIRST,
    BUCKET_NEGATIVE,
    BUCKET_OVERFLOW,
    BUCKET_ZERO,
    DISTRIBUTION_BOUNDS,
    DISTRIBUTION_SIZE,
    DISTRIBUTION_WAS,
    DISTRIBUTION_WAS_BOUND,
    DISTRIBUTION_ZERO,
    HISTOGRAM_DISTRIBUTION,
    OCTAVE_MOST,
    SCALE_MOST,
    TIMER_TIME,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from mmstats.cells.protocol import Amount, Later
    from mmstats.cells.segment import Segment

    Octave = Callable[[int], Segment]

TOTALS, BOTH_TOTALS = 3, 6  # cells of {sum, min, max}, which stand before the distribution
LOW_HALF = 0xFFFFFFFF  # of a witness, as `begun` has it
NUMBER_BITS, BOUND_BITS = 20, 12
NUMBERS, BOUNDS = (1 << NUMBER_BITS) - 1, (1 << BOUND_BITS) - 1
HALF, WHOLE = 1 << 63, 1 << 64
TRIES = 8  # to have both segments at once, where each may open the other's file


class Spread:
    """Which cell counts a value, and the segments of the octaves, made as values fall into them.

    `at`: where the distribution begins in the first cells; `mask`: of a bucket's place in its octave; `ring`:
    where the ring of `room` values begins, 0 where there is none.
    """

    __slots__ = (
        "_edges",
        "_end",
        "_make",
        "_shift",
        "at",
        "bounds",
        "mask",
        "octaves",
        "ring",
        "room",
        "scale",
    )

    def __init__(
        self, at: int, scale: int, low: int, high: int, bounds: Sequence[float], octave: Octave
    ) -> None:
        if not (0 <= scale <= SCALE_MOST and -OCTAVE_MOST <= low < high <= OCTAVE_MOST):
            raise ValueError(f"no distribution of scale {scale} from 2**{low} to 2**{high}")
        if len(bounds) > BOUNDS_MOST:
            raise ValueError(f"{len(bounds)} bounds are too many")
        self.at = at
        self.mask = (1 << scale) - 1
        self.ring = self.room = 0
        self.bounds = tuple(map(float, bounds))
        # A fraction of `frexp` is at least 0.5, which is the upper edge of its bucket.
        self._edges = (0.5, *(edge / 2 for edge in thresholds(scale)))
        self.scale = scale
        self._shift = BUCKET_FIRST - (low + 1 << scale) - 1
        self._end = BUCKET_FIRST + (high - low << scale)
        self._make = octave
        self.octaves: dict[int, Segment] = {}

    @property
    def cells(self) -> int:
        """How many of the first cells it has."""
        return DISTRIBUTION_SIZE + (len(self.bounds) + 1 if self.bounds else 0)

    def number_of(self, value: float) -> int:
        """The number of the value's bucket, as `begun` has it."""
        if value <= 0:
            return BUCKET_NEGATIVE if value else BUCKET_ZERO
        fraction, exponent = frexp(value)
        number: int = (exponent << self.scale) + self._shift + bisect_left(self._edges, fraction)
        if number < BUCKET_FIRST:
            return BUCKET_ZERO
        return number if number < self._end else BUCKET_OVERFLOW

    def reach(self, segment: Segment, number: int) -> tuple[Any, Any, Later | None]:
        """The calling thread's views of the first cells, and of the number's octave if any; or a later."""
        if number < BUCKET_FIRST:
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
        k = number - BUCKET_FIRST >> self.scale
        known = self.octaves.get(k)
        return self.octaves.setdefault(k, self._make(k)) if known is None else known

    def put_back(self, ints: Any, at: int) -> None:
        """Count as it was before an update that did not come to its end."""
        begun = ints[at]
        number, bound = begun & NUMBERS, begun >> NUMBER_BITS & BOUNDS
        if number < BUCKET_FIRST:
            ints[at + DISTRIBUTION_ZERO + number] = ints[at + DISTRIBUTION_WAS]
        else:
            segment = self.octaves.get(number - BUCKET_FIRST >> self.scale)
            octave = None if segment is None else segment._standing() or segment._attached()
            if octave is not None:
                octave[INTS][number - BUCKET_FIRST & self.mask] = ints[at + DISTRIBUTION_WAS]
        if bound:
            ints[at + DISTRIBUTION_BOUNDS + bound - 1] = ints[at + DISTRIBUTION_WAS_BOUND]


def take(handle: Any, spread: Spread, method: Callable[..., None], value: Amount) -> None:
    """Check the value, and store it; `method` is what it is handed over to."""
    real = value if type(value) is float else real_from(handle.label, value)
    if not isfinite(real):
        handle._refuse()
        return
    number, octave, own = spread.number_of(real), None, handle._segment._local.__dict__
    try:
        views = own["views"][word[0]]
        if number >= BUCKET_FIRST:
            octave = spread.octaves[number - BUCKET_FIRST >> spread.scale]._local.views[word[0]]
            views = octave and views
    except (KeyError, AttributeError):  # not attached, or not made yet
        views = None
    if views is None or own.get("busy"):
        take_slowly(handle, spread, method, value, number, real)
        return
    mine = own  # by which `is_under_way` knows us
    try:
        mine["busy"] = True
        store(handle, spread, views, octave, number, real)
    finally:
        mine["busy"] = False
        if "waiting" in mine:
            take_turns(handle._segment)


turns.append(take.__code__)


def take_slowly(
    handle: Any, spread: Spread, method: Callable[..., None], value: Amount, number: int, real: float
) -> None:
    """Likewise, where a segment is not attached, or another update is under way."""
    views, octave, later = spread.reach(handle._segment, number)
    if later is not None:
        later(method.__get__(handle), value)  # not what a subclass made of it
    else:
        in_turn(handle._segment, store, handle, spread, views, octave, number, real)


def store(handle: Any, spread: Spread, views: Any, octave: Any, number: int, real: float) -> None:
    """One more value."""
    ints, doubles, index = views[INTS], views[DOUBLES], handle._index
    n: int = ints[index]  # the witness is the first cell of both
    at, coming, total, least, greatest = index + spread.at, n + 1 & LOW_HALF, real, real, real
    if ints[at] >> 32 & LOW_HALF == coming:  # BEGUN is the first of the distribution
        spread.put_back(ints, at)
    if n:
        old = at - (TOTALS if n & 1 else BOTH_TOTALS)
        total += doubles[old]
        before = doubles[old + 1]
        least = before if before < least else least  # noqa: FURB136 - `min` takes as long as three loads
        before = doubles[old + 2]
        greatest = before if before > greatest else greatest  # noqa: FURB136
        if not isfinite(total):
            handle._refuse()
            return
    cells, cell = ints, at + DISTRIBUTION_ZERO + number
    if octave is not None:
        cells, cell = octave[INTS], number - BUCKET_FIRST & spread.mask
    ints[at + DISTRIBUTION_WAS] = was = cells[cell]
    begun, of_bound, was_bound = number | coming << 32, 0, 0
    if spread.bounds:
        bound = bisect_left(spread.bounds, real) + 1
        begun, of_bound = begun | bound << NUMBER_BITS, at + DISTRIBUTION_BOUNDS + bound - 1
        ints[at + DISTRIBUTION_WAS_BOUND] = was_bound = ints[of_bound]
    ints[at] = begun if begun < HALF else begun - WHOLE
    cells[cell] = was + 1
    if of_bound:
        ints[of_bound] = was_bound + 1
    new = at - (BOTH_TOTALS if n & 1 else TOTALS)
    doubles[new], doubles[new + 1], doubles[new + 2] = total, least, greatest
    if spread.ring:
        doubles[index + spread.ring + n % spread.room] = real
        ints[index + TIMER_TIME] = monotonic_ns()
    ints[index] = n + 1


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
        self._spread = Spread(HISTOGRAM_DISTRIBUTION, scale, low, high, bounds, octave)

    def observe(self, value: Amount) -> None:
        """One more value."""
        take(self, self._spread, Histogram.observe, value)
