"""Snapshots of many processes of one program → one, column by column.

They say the same of their stats, by the very same objects, and so need not be told apart one by one: a
thousand values of a column are added up in one call. Who combines afterwards meets one in their place.
"""

from __future__ import annotations

from mmstats import kinds
from mmstats.stat import Rows, Snapshot, Stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.stat import About, Origin

EACH = "all"  # the aggregate that keeps each process's own
LEAST = 3  # of which it is worth while


def bunched(
    snapshots: Sequence[Snapshot],
    takes: Callable[[Snapshot], bool],
    age: Callable[[Origin], tuple[float, bool, str]],
) -> list[Snapshot]:
    """The same, with one in the place of several that say the same of their stats.

    `takes`: whether a snapshot may be put together with others; `age`: the younger, the greater. A bunch has
    the origin of its youngest.
    """
    bunches: dict[tuple[object, ...], list[Snapshot]] = {}
    rest = []
    for one in snapshots:
        rows = rows_of(one)
        if rows is None or not takes(one) or any(about.aggregate == EACH for about in rows.abouts):
            rest.append(one)
        else:
            bunches.setdefault((rows.group, *map(id, rows.abouts)), []).append(one)
    for many in bunches.values():
        rest += many if len(many) < LEAST else [_together(many, age)]
    return rest


def rows_of(one: Snapshot) -> Rows | None:
    """The stats in columns, if nobody has asked for one of them yet."""
    stats = one._stats  # noqa: SLF001 - asking would make an object of each
    return stats if isinstance(stats, Rows) else None


def _together(many: Sequence[Snapshot], age: Callable[[Origin], tuple[float, bool, str]]) -> Snapshot:
    every = [rows_of(one) for one in many]
    first = every[0]
    assert first is not None
    abouts: Sequence[About] = first.abouts
    columns = zip(*[rows.parts for rows in every if rows is not None])
    stats = []
    for at, (about, parts) in enumerate(zip(abouts, columns)):
        word = kinds.rule(about.kind, about.aggregate)
        merged = kinds.merge(word, parts)
        value = first.values[at] if merged is None else kinds.finish(word, merged)
        stats.append(Stat(about, first.group, merged, value))
    youngest = max((one.origin for one in many), key=age)
    return Snapshot(many[0].merge, youngest, [], 0, stats)
