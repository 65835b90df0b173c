"""Two samples → what happened in between, as Snapshots again: counters, sums and buckets are increments.

Combined, told apart by keys, or chosen from like any others. What is a level (a gauge, a text) stays as it is
in the later sample. Increments are never negative, whoever comes and goes:

* A process of which the earlier sample knows nothing began at zero if it began to publish after that. If it
  only came into sight, nothing is known of what it did, and its increments are none.
* What a dead process counted after it was last seen is in its group's retired totals, less what was last seen
  of it. One that vanished without a trace did nothing more.
* A stat with less than before is another one, which began at zero.
"""

from __future__ import annotations

from mmstats import kinds
from mmstats.buckets import edge
from mmstats.names import RETIRED as RETIRED_NAME
from mmstats.stat import Snapshot, Stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from mmstats.format.spread import Spread
    from mmstats.stat import Origin

    Key = tuple[str, ...]
    Name = tuple[str, str, tuple[tuple[str, str], ...]]
    Seen = dict[Name, list[Stat]]

RETIRED = "retired"
GROWING = ("counter", "average", "histogram", "timer")
SLACK = 0.5  # seconds: a process may be seen before the sample says that it began


def increments(before: Iterable[Snapshot], after: Sequence[Snapshot], since: float) -> list[Snapshot]:
    """What grew between two samples. `since`: when the earlier one was taken, in seconds since 1970."""
    seen: dict[Key, Seen] = {}
    for one in before:
        _note(one, seen.setdefault(_key(one.origin), {}))
    lost: Seen = {}
    for key in seen.keys() - {_key(one.origin) for one in after}:
        for name, stats in seen[key].items():
            lost.setdefault(name, []).extend(stats)
    return [_since(one, seen.get(_key(one.origin)), lost, since) for one in after]


def grows(stat: Stat, origin: Origin) -> bool:
    """Whether a stat only ever grows: of 0.8's files, which do not tell, each number."""
    is_growing = stat.kind in GROWING or (stat.kind == "number" and is_of_version_1(origin))
    return is_growing and kinds.rule(stat.kind, stat.aggregate) in LESS


def is_of_version_1(origin: Origin) -> bool:
    """Whether a file of 0.8 was read: those have no uuid, but what stands for one."""
    return "-" in origin.uuid


def _key(origin: Origin) -> Key:
    """Who it is that both samples know. A file of retired totals is another one after each fold."""
    if origin.state != RETIRED:
        return (origin.uuid or origin.file,)
    directory, _, name = origin.file.rpartition("/")
    return (RETIRED, directory, origin.group) if name.endswith(RETIRED_NAME) else (RETIRED, origin.uuid)


def _note(one: Snapshot, seen: Seen) -> None:
    for stat in one.stats:
        if grows(stat, one.origin):
            seen.setdefault(_name(stat), []).append(stat)


def _name(stat: Stat) -> Name:
    return (stat.group, stat.label, stat.about.tags)


def _since(one: Snapshot, seen: Seen | None, lost: Mapping[Name, list[Stat]], since: float) -> Snapshot:
    """One origin's increments."""
    origin, is_retired = one.origin, one.origin.state == RETIRED
    is_known = seen is not None or origin.created >= since - SLACK
    stats = []
    for stat in one.stats:
        if not grows(stat, origin):
            stats.append(stat)
            continue
        name = _name(stat)
        earlier = list((seen or {}).get(name, ()))
        gone = lost.get(name, []) if is_retired else []
        if not (is_known or gone):
            earlier = [stat]
        stats.append(_grown(stat, earlier + gone, anew=not is_retired))
    return Snapshot(one.merge, origin, one.problems, one.processes, stats)


def _grown(stat: Stat, earlier: Iterable[Stat], *, anew: bool) -> Stat:
    """What a stat grew by since it was those together. `anew`: one that is less by now began at zero."""
    if stat.parts is None:
        return stat
    word = kinds.rule(stat.kind, stat.aggregate)
    about = (stat.kind, stat.unit, stat.aggregate)
    then = kinds.merge(word, [one.parts for one in earlier if (one.kind, one.unit, one.aggregate) == about])
    parts = stat.parts
    if then is not None and _is_more(word, parts, then):
        parts = LESS[word](parts, then)
    elif then is not None and not anew:
        parts = LESS[word](parts, parts)
    if word == "mean" and not parts[1]:
        return Stat(stat.about, stat.group, None, None)
    return Stat(stat.about, stat.group, parts, kinds.finish(word, parts))


def _is_more(word: str, now: Any, then: Any) -> bool:
    """Whether nothing is less than it was."""
    if word == "sum":
        return bool(now >= then)
    return bool(now[1] >= then[1] if word == "mean" else now[0] >= then[0])


def _mean(now: tuple[Any, int], then: tuple[Any, int]) -> tuple[Any, int]:
    return (now[0] - then[0], now[1] - then[1])


def _distribution(now: tuple[Any, ...], then: tuple[Any, ...]) -> tuple[Any, ...]:
    """The least and the greatest of an interval are known by their buckets alone."""
    count, spread = now[0] - then[0], now[-1].less(then[-1])
    if not count:
        return (0, 0.0, 0.0, 0.0, *now[4:-1], spread)
    return (count, now[1] - then[1], *_ends(spread, now[2], now[3]), *now[4:-1], spread)


def _ends(spread: Spread, least: float, most: float) -> tuple[float, float]:
    """Between which edges all values lie, within those that are known of more of them."""
    filled, scale = sorted(spread.buckets), spread.range.scale
    low = edge(filled[0], scale) if filled else most
    high = edge(filled[-1] + 1, scale) if filled else least
    if spread.zero:
        low, high = 0.0, max(high, edge(spread.range.low << scale, scale))
    low, high = (least if spread.negative else low), (most if spread.overflow else high)
    return min(max(low, least), most), max(min(high, most), least)


LESS = {
    "sum": lambda now, then: now - then,
    "mean": _mean,
    "histogram": _distribution,
    "timer": _distribution,
}
