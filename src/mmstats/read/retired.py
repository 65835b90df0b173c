"""What counts on though its writer, or its model, is gone: retired totals, and what removed models left."""

from __future__ import annotations

from mmstats import kinds
from mmstats.errors import FormatError
from mmstats.read.dropped import add_dropped
from mmstats.stat import Rows, Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmstats.format.runs import Decoded
    from mmstats.stat import About


def retired_rows(data: bytes, decoded: Decoded, group: str) -> tuple[Rows, Rows]:
    """The totals of a file whose state is RETIRED: those that stand, and the superseded ones.

    What is wrong goes to the file's problems.
    """
    from mmstats.fold.retired import decode_retired

    standing, superseded = Rows(group), Rows(group)
    for rows, totals in zip((standing, superseded), decode_retired(data, decoded, decoded.note)):
        for total, _ in totals:
            _add(rows, total.about, total.parts)
    add_dropped(standing, decoded.header)
    return standing, superseded


def declared_again(superseded: Iterable[Snapshot], found: Iterable[Snapshot]) -> list[Snapshot]:
    """Of the totals that younger declarations superseded, those that somebody declares so again.

    They count as if their files were there yet: a total never depends on whether somebody has folded.
    """
    declared = {_meaning(one.origin.group, about) for one in found for about in one.columns().abouts}
    again = []
    for one in superseded:
        stats = [stat for stat in one.stats if _meaning(stat.group, stat.about) in declared]
        if stats:
            again.append(Snapshot(one.merge, one.origin, [], 0, stats))
    return again


def _meaning(group: str, about: About) -> tuple[object, ...]:
    names = tuple(name for name, _ in about.tags)  # a family is declared as a whole
    return group, about.label, names, about.kind, about.unit


def removed_rows(data: bytes, decoded: Decoded, group: str) -> Rows:
    """What the removed models of a file left."""
    from mmstats.fold.estate import left_in

    rows = Rows(group)
    try:
        for left in left_in(data, decoded, decoded.note, removed_only=True):
            if left.parts is not None:
                _add(rows, left.about, left.parts)
    except FormatError as error:
        decoded.complain(error)
    return rows


def _add(rows: Rows, about: About, parts: object) -> None:
    rows.add(about, parts, kinds.finish(kinds.rule(about.kind, about.aggregate), parts))
