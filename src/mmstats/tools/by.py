"""--by: what combinations are told apart by; the same for every tool."""

from __future__ import annotations

from mmstats.aggregate.keys import kept, tags_of
from mmstats.tools.where import OF_ORIGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.stat import Snapshot

PROPERTIES = {name: find for name, find in OF_ORIGIN.items() if name != "age"}  # that changes


def told_apart(snapshots: Sequence[Snapshot], keys: Sequence[str]) -> list[Snapshot]:
    """The same with those tags alone; without keys as they are."""
    return kept(snapshots, keys, PROPERTIES) if keys else list(snapshots)


def no_such_key(snapshots: Sequence[Snapshot], keys: Sequence[str]) -> str:
    """That nothing has one of the keys, in a sentence; empty where all are known."""
    known = tags_of(snapshots) | PROPERTIES.keys()
    for key in keys:
        if key not in known:
            from mmstats.near import close

            near = close(key, known)
            return f"nothing has a tag {key!r}" + (f". Close: {', '.join(near)}" if near else "")
    return ""
