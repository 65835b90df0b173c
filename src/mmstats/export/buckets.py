"""What a histogram counted → cumulative buckets as Prometheus has them, each at an exact edge."""

from __future__ import annotations

from mmstats.buckets import edge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmstats.distribution import Distributed

INF = "+Inf"
MOST_REMEMBERED = 64
_met: dict[tuple[int, int, int, int], list[tuple[int, str]]] = {}


def buckets(value: Distributed, octaves: int) -> Iterator[tuple[str, int]]:
    """(`le`, how many values are not above it), ascending, `+Inf` at last.

    At the bounds that were declared; else at every so many-th power of two in the range that was, whether
    there is anything in it or not, so that no series comes or goes.
    """
    if value.bounds:
        for bound, count in value.bounds:
            yield repr(bound + 0.0), count
    elif value.spread is not None:
        yield from _octaves(value, octaves)
    yield INF, value.count


def _octaves(value: Distributed, step: int) -> Iterator[tuple[str, int]]:
    spread = value.spread
    assert spread is not None
    filled = sorted(spread.buckets.items())
    so_far, at = spread.negative + spread.zero, 0
    for end, said in _edges(spread.range.scale, spread.range.low, spread.range.high, step):
        while at < len(filled) and filled[at][0] < end:
            so_far += filled[at][1]
            at += 1
        yield said, so_far


def _edges(scale: int, first: int, last: int, step: int) -> list[tuple[int, str]]:
    """Which bucket is the first one above each edge, and the edge as it is said."""
    key = (scale, first, last, step)
    found = _met.get(key)
    if found is None:
        if len(_met) >= MOST_REMEMBERED:
            _met.clear()
        octaves = [octave for octave in range(first, last + 1) if octave % step == 0 or octave == last]
        found = _met[key] = [(octave << scale, repr(edge(octave << scale, scale))) for octave in octaves]
    return found
