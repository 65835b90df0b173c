"""`mmstats.combined`: where reading and arithmetic meet."""

from __future__ import annotations

from mmstats.aggregate.again import Combination
from mmstats.aggregate.combine import agree_on_all, combine
from mmstats.read.snapshot import snapshot
from mmstats.read.together import Together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.read.files import Paths
    from mmstats.stat import Snapshot


def combined(paths: Paths = None, group: str | None = None) -> Snapshot:
    """One Snapshot of every origin, or of those of one group, combined by kind.

    `paths`: as for `snapshot`. What is published by processes that are gone counts as their kinds say.
    """
    return Combiner().combined(paths, group)


class Combiner:
    """`combined`, again and again: it keeps what it learns of programs, and nothing of single files.

    The native twin keeps pidfds of writers that live, until it goes: at most 1,024, and no more than an
    eighth of the descriptors that the process may have.

    For one thread at a time.
    """

    __slots__ = ("_combination", "_reader")

    def __init__(self, *, pure: bool = False) -> None:
        self._combination = Combination()
        self._reader = Together(pure=pure)

    def combined(self, paths: Paths = None, group: str | None = None) -> Snapshot:
        """Like the function."""
        few = self._reader.read(paths)
        whole = self._combination.combine(few, group, self._reader.behind)
        if whole is not None:
            return whole
        if not agree_on_all(few):  # each by itself: what several are by one rule is nothing by another
            return combine(snapshot(paths), group)
        return combine(few, group, self._reader.behind)
