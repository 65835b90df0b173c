"""Two samples, as pollstats and topstats look at them: what is now, and what happened in between."""

from __future__ import annotations

from mmstats.aggregate.interval import increments
from mmstats.stat import Snapshot, processes
from mmstats.tools.by import told_apart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.stat import About, Origin

ALIVE = "alive"


class Sample:
    """What was read at once.

    `at`: seconds since 1970; `elapsed`: since the one before; `interval`: as many as there should have been.
    """

    __slots__ = ("at", "elapsed", "interval", "snapshots")

    def __init__(self, snapshots: list[Snapshot], at: float, elapsed: float, interval: float = 1.0) -> None:
        self.snapshots = snapshots
        self.at = at
        self.elapsed = elapsed
        self.interval = interval


class Moment:
    """A sample and the one before it, of the stats that are wanted. `keys`: rows are told apart by them."""

    __slots__ = ("at", "before", "came", "elapsed", "grown", "interval", "keys", "now", "processes", "went")

    def __init__(
        self, before: Sample, now: Sample, wanted: Callable[[About], bool], keys: Sequence[str] = ()
    ) -> None:
        self.keys = keys
        self.at, self.elapsed, self.interval = now.at, now.elapsed, now.interval
        self.before = with_stats(before.snapshots, wanted)
        self.now = with_stats(now.snapshots, wanted)
        self.grown = increments(self.before, self.now, before.at)
        self.processes = processes(one.origin for one in now.snapshots)
        was, is_ = _living(before.snapshots), _living(now.snapshots)
        self.came = [is_[key] for key in is_ if key not in was]
        self.went = [was[key] for key in was if key not in is_]

    def by_keys(self, snapshots: Sequence[Snapshot]) -> list[Snapshot]:
        """The same with the tags alone that rows are told apart by."""
        return told_apart(snapshots, self.keys)


def with_stats(snapshots: Sequence[Snapshot], wanted: Callable[[About], bool]) -> list[Snapshot]:
    """The same with those stats alone that are wanted."""
    return [
        Snapshot(one.merge, one.origin, [], one.processes, [stat for stat in one.stats if wanted(stat.about)])
        for one in snapshots
    ]


def _living(snapshots: Sequence[Snapshot]) -> dict[tuple[object, ...], Origin]:
    return {
        (one.origin.host, one.origin.pid, one.origin.started): one.origin
        for one in snapshots
        if one.origin.state == ALIVE
    }
