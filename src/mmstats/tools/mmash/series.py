"""A sample and the one before it → numbers that are drawn: one of each series, for all processes together.

A counter is how many there were a second; what has a distribution is how many, and percentiles of the values
of this very interval; anything else that is a number, and may become another one, is that number.
"""

from __future__ import annotations

from math import isfinite

from mmstats.aggregate.combine import combine
from mmstats.aggregate.interval import increments
from mmstats.distribution import Distributed
from mmstats.tools.text import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmstats.stat import About, Snapshot, Stat
    from mmstats.tools.moment import Sample

    Key = tuple[str, str, tuple[tuple[str, str], ...], str]  # group, label, tags, what of it

RATE, VALUE = "rate", "value"
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Series:
    """What one line is of. `what`: rate, value, mean or a percentile."""

    __slots__ = ("about", "group", "name", "what")

    def __init__(self, about: About, group: str, what: str) -> None:
        self.about = about
        self.group = group
        self.what = what
        self.name = name_of(about)

    @property
    def unit(self) -> str:
        """Of the numbers."""
        return "1/s" if self.what == RATE else self.about.unit


def numbers(before: Sample | None, now: Sample) -> Iterator[tuple[Key, Stat, float]]:
    """What there is to draw. Without a sample before there are no rates yet, and no percentiles."""
    since = [] if before is None else increments(before.snapshots, now.snapshots, before.at)
    elapsed = now.elapsed or now.interval
    for stat in _together(since):
        for what, number in _of_interval(stat, elapsed):
            yield (stat.group, stat.label, stat.about.tags, what), stat, number
    for stat in _together(now.snapshots):
        value = stat.value
        if isinstance(value, frozenset) and len(value) == 1:
            (value,) = value
        if stat.kind != "static" and isinstance(value, (int, float)) and isfinite(value):
            yield (stat.group, stat.label, stat.about.tags, VALUE), stat, float(value)


def _together(snapshots: Sequence[Snapshot]) -> list[Stat]:
    return combine(snapshots).stats if snapshots else []


def _of_interval(stat: Stat, elapsed: float) -> Iterator[tuple[str, float]]:
    value = stat.value
    if isinstance(value, Distributed):
        yield RATE, value.count / elapsed
        if value.count:
            yield "mean", value.mean
            for word, share in PERCENTILES.items():
                yield word, value.percentile(share)
    elif stat.kind == "counter" and isinstance(value, (int, float)) and isfinite(value):
        yield RATE, value / elapsed
