"""What a histogram counted → cumulative buckets as Prometheus has them, each at an exact edge."""

from __future__ import annotations

from mmstats.buckets import edge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmstats.distribution import Distributed

INF = "+Inf"


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
    scale, first, last = spread.range.scale, spread.range.low, spread.range.high
    filled = sorted(spread.buckets.items())
    so_far, at = spread.negative + spread.zero, 0
    for octave in range(first, last + 1):
        while at < len(filled) and filled[at][0] < octave << scale:
            so_far += filled[at][1]
            at += 1
        if octave % step == 0 or octave == last:
            yield repr(edge(octave << scale, scale)), so_far
