"""`mmstats.combined`: where reading and arithmetic meet."""

from __future__ import annotations

from mmstats.aggregate.combine import combine
from mmstats.read.snapshot import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.read.files import Paths
    from mmstats.stat import Snapshot


def combined(paths: Paths = None, group: str | None = None) -> Snapshot:
    """One Snapshot of every origin, or of those of one group, combined by kind.

    `paths`: as for `snapshot`. What is published by processes that are gone counts as their kinds say.
    """
    return combine(snapshot(paths), group)
