"""Combinations told apart by a few keys: `requests` by method, and over everything else.

A key is the name of a tag, or a property of an origin. Of the tags of a stat those alone are kept, so that
what differs only in others becomes one.
"""

from __future__ import annotations

from mmstats.stat import About, Snapshot, Stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mmstats.stat import Origin

    Properties = Mapping[str, Callable[[Origin], object]]


def tags_of(snapshots: Iterable[Snapshot]) -> set[str]:
    """The names of all tags."""
    return {name for one in snapshots for stat in one.stats for name, _ in stat.about.tags}


def kept(snapshots: Iterable[Snapshot], keys: Sequence[str], properties: Properties) -> list[Snapshot]:
    """The same stats with these tags alone; a property is a tag where the stat has none of that name.

    One that says nothing, as the pid of retired totals, is none.
    """
    return [_with(one, keys, properties) for one in snapshots]


def _with(one: Snapshot, keys: Sequence[str], properties: Properties) -> Snapshot:
    told = {key: _said(properties[key](one.origin)) for key in keys if key in properties}
    if not one.origin.pid:
        told.pop("pid", None)
    known: dict[int, About] = {}
    stats = []
    for stat in one.stats:
        about = known.get(id(stat.about))
        if about is None:
            about = known[id(stat.about)] = _about(stat.about, keys, told)
        stats.append(Stat(about, stat.group, stat.parts, stat.value))
    return Snapshot(one.merge, one.origin, one.problems, one.processes, stats)


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _about(about: About, keys: Sequence[str], told: Mapping[str, str]) -> About:
    tags = {**told, **dict(about.tags)}
    few = {key: tags[key] for key in keys if tags.get(key)}
    said = (about.aggregate, about.help, about.keep, about.kind, about.label)
    return About(*said, few, about.unit, about.declared, about.ttl)
