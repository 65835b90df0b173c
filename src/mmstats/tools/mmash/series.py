"""A sample and the one before it → numbers that are drawn: one of each series, for all processes together.

A counter is how many there were a second; what has a distribution is how many, and percentiles of the values
of this very interval; anything else that is a number, and may become another one, is that number.
"""

from __future__ import annotations

from math import isfinite

from mmstats.aggregate.combine import combine
from mmstats.aggregate.interval import increments
from mmstats.distribution import Distributed
from mmstats.tools.by import told_apart
from mmstats.tools.moment import with_stats
from mmstats.tools.text import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mmstats.stat import About, Origin, Snapshot, Stat
    from mmstats.tools.moment import Sample

    Key = tuple[str, str, str, tuple[tuple[str, str], ...], str]  # process, group, label, tags, what of it
    Parts = list[tuple[str, list[Snapshot]]]
    Apart = Callable[[Sequence[Snapshot]], Parts]
    Wanted = Callable[[About], bool]

RATE, VALUE = "rate", "value"
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Series:
    """What one line is of. `process`: whose, where each is by its own. `what`: rate, value, p99 and so on."""

    __slots__ = ("about", "group", "name", "process", "what")

    def __init__(self, about: About, group: str, what: str, process: str = "") -> None:
        self.about = about
        self.group = group
        self.what = what
        self.process = process
        self.name = name_of(about)

    @property
    def unit(self) -> str:
        """Of the numbers."""
        return "1/s" if self.what == RATE else self.about.unit


class Between:
    """Two samples, and what grew between them. Without one before there are no rates yet, no percentiles."""

    __slots__ = ("_since", "elapsed", "now")

    def __init__(self, before: Sample | None, now: Sample) -> None:
        self.now = now
        self.elapsed = now.elapsed or now.interval
        self._since = [] if before is None else increments(before.snapshots, now.snapshots, before.at)

    def numbers(self, apart: Apart, wanted: Wanted | None = None) -> Iterator[tuple[Key, Stat, float]]:
        """What there is to draw of the stats that are wanted."""
        for process, snapshots in apart(_chosen(self._since, wanted)):
            for stat in combine(snapshots).stats:
                for what, number in _of_interval(stat, self.elapsed):
                    yield _key(process, stat, what), stat, number
        for process, snapshots in apart(_chosen(self.now.snapshots, wanted)):
            for stat in combine(snapshots).stats:
                value = stat.value
                if isinstance(value, frozenset) and len(value) == 1:
                    (value,) = value
                if stat.kind != "static" and isinstance(value, (int, float)) and isfinite(value):
                    yield _key(process, stat, VALUE), stat, float(value)


def whole(snapshots: Sequence[Snapshot]) -> Parts:
    """All together."""
    return [("", list(snapshots))] if snapshots else []


def each_process(snapshots: Sequence[Snapshot]) -> Parts:
    """Each by its own, whatever it is named by."""
    found: dict[str, list[Snapshot]] = {}
    for one in snapshots:
        found.setdefault(process_of(one.origin), []).append(one)
    return list(found.items())


def by_keys(keys: Sequence[str]) -> Apart:
    """Told apart by tags and properties, and by nothing else."""
    return lambda snapshots: whole(told_apart(snapshots, keys))


def process_of(origin: Origin) -> str:
    """What a process is called: `cmd 4242`, or `cmd retired`."""
    return f"{origin.cmd} {origin.pid or origin.state}".strip()


def _key(process: str, stat: Stat, what: str) -> Key:
    return (process, stat.group, stat.label, stat.about.tags, what)


def _chosen(snapshots: Sequence[Snapshot], wanted: Wanted | None) -> Sequence[Snapshot]:
    return snapshots if wanted is None else with_stats(snapshots, wanted)


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
