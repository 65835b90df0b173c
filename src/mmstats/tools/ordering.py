"""--sort: in which order stats and files are shown."""

from __future__ import annotations

from mmstats.distribution import Distributed
from mmstats.read.files import natural
from mmstats.stat import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.stat import Stat


def sorted_by(word: str, snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """The same, in that order: files by their names, or in each of them the stats."""
    if word == "file":
        return sorted(snapshots, key=lambda one: natural(one.origin.file))
    return [
        Snapshot(one.merge, one.origin, one.problems, one.processes, _sorted(word, one.stats))
        for one in snapshots
    ]


def _sorted(word: str, stats: list[Stat]) -> list[Stat]:
    if word == "label":
        return sorted(stats, key=lambda stat: (stat.label, stat.about.tags))
    numbers = [stat for stat in stats if isinstance(_size(stat), (int, float))]
    rest = [stat for stat in stats if not isinstance(_size(stat), (int, float))]
    return sorted(numbers, key=_size, reverse=word == "-value") + rest  # type: ignore[arg-type]  # numbers, by the line above


def _size(stat: Stat) -> object:
    """What a stat is sorted by: of a histogram or a timer how many values it has."""
    return stat.value.count if isinstance(stat.value, Distributed) else stat.value
