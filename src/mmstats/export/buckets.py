"""What a histogram counted → cumulative buckets as Prometheus has them, each at an exact edge."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from mmstats.buckets import edge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmstats.distribution import Distributed
    from mmstats.export.samples import Shape

MOST_REMEMBERED = 64
MOST_BUCKETS = 8_192


class Places(dict[int, int]):
    """Of each bucket which of the edges is the first that it is not above; `beyond`: there is none."""

    def __init__(self, scale: int, edges: list[int]) -> None:
        super().__init__()
        self._scale = scale
        self._edges = edges
        self.beyond = len(edges)

    def __missing__(self, index: int) -> int:
        place = bisect_right(self._edges, index >> self._scale)
        if len(self) < MOST_BUCKETS:
            self[index] = place
        return place


_met: dict[tuple[object, ...], tuple[Shape, Places]] = {}


def buckets(value: Distributed, octaves: int) -> tuple[Shape, list[int]]:
    """What the samples of a histogram are called, and how many values are not above the edge of each bucket.

    At the bounds that were declared; else at every so many-th power of two in the range that was, whether
    there is anything in it or not, so that no series comes or goes. The last one, `+Inf`, has them all.
    """
    spread = value.spread
    if spread is None:
        return _at_bounds(())[0], [value.count]
    bounds = spread.range.bounds[: len(spread.counts)]
    if bounds:
        return _at_bounds(bounds)[0], [*accumulate(spread.counts[: len(bounds)]), value.count]
    shape, places = _at_octaves(spread.range.scale, spread.range.low, spread.range.high, octaves)
    counts = [0] * (places.beyond + 1)
    counts[0] = spread.negative + spread.zero
    for index, count in spread.buckets.items():
        counts[places[index]] += count
    made = list(accumulate(counts))
    made[-1] = value.count
    return shape, made


def _at_bounds(bounds: tuple[float, ...]) -> tuple[Shape, Places]:
    key = ("bounds", bounds)
    return _met.get(key) or _remember(key, (_shape(repr(bound + 0.0) for bound in bounds), Places(0, [])))


def _at_octaves(scale: int, first: int, last: int, step: int) -> tuple[Shape, Places]:
    key = (scale, first, last, step)
    known = _met.get(key)
    if known is None:
        edges = [octave for octave in range(first, last + 1) if octave % step == 0 or octave == last]
        known = _remember(key, (_shape(repr(edge(octave, 0)) for octave in edges), Places(scale, edges)))
    return known


def _remember(key: tuple[object, ...], made: tuple[Shape, Places]) -> tuple[Shape, Places]:
    if len(_met) >= MOST_REMEMBERED:
        _met.clear()
    _met[key] = made
    return made


def _shape(edges: Iterable[str]) -> Shape:
    """All samples of a histogram."""
    named = [("_bucket", (("le", edge),)) for edge in (*edges, "+Inf")]
    return (*named, ("_count", ()), ("_sum", ()))
