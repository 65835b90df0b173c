"""Which files' totals are in another file, as its FOLDED blocks list them: ten thousand, perhaps."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmstats.format.runs import Folded


class FoldedFiles:
    """Those that one file lists, by `uuids` and by `inos`."""

    __slots__ = ("inos", "uuids")

    def __init__(self, entries: Sequence[Folded]) -> None:
        self.uuids = frozenset([uuid for uuid, _, _ in entries])
        self.inos = frozenset([ino for _, _, ino in entries])


def has_any(folded: Iterable[FoldedFiles], uuids: set[bytes]) -> bool:
    """Whether one of those uuids is listed by one of those files."""
    return not all(one.uuids.isdisjoint(uuids) for one in folded)
