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
_met: dict[tuple[object, ...], tuple[Shape, list[int]]] = {}


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
    shape, edges = _at_octaves(spread.range.low, spread.range.high, octaves)
    counts, scale = [0] * (len(edges) + 1), spread.range.scale
    counts[0] = spread.negative + spread.zero
    for index, count in spread.buckets.items():
        counts[bisect_right(edges, index >> scale)] += count
    counts.pop()  # beyond the last edge
    return shape, [*accumulate(counts), value.count]


def _at_bounds(bounds: tuple[float, ...]) -> tuple[Shape, list[int]]:
    key = ("bounds", bounds)
    return _met.get(key) or _remember(key, (_shape(repr(bound + 0.0) for bound in bounds), []))


def _at_octaves(first: int, last: int, step: int) -> tuple[Shape, list[int]]:
    key = (first, last, step)
    known = _met.get(key)
    if known is None:
        edges = [octave for octave in range(first, last + 1) if octave % step == 0 or octave == last]
        known = _remember(key, (_shape(repr(edge(octave, 0)) for octave in edges), edges))
    return known


def _remember(key: tuple[object, ...], made: tuple[Shape, list[int]]) -> tuple[Shape, list[int]]:
    if len(_met) >= MOST_REMEMBERED:
        _met.clear()
    _met[key] = made
    return made


def _shape(edges: Iterable[str]) -> Shape:
    """All samples of a histogram."""
    named = [("_bucket", (("le", edge),)) for edge in (*edges, "+Inf")]
    return (*named, ("_count", ()), ("_sum", ()))
