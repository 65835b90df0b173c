"""Snapshots → one Snapshot: what a group of processes is as a whole.

What has the same group, label, tags, kind and unit becomes one stat, by its kind's rule. What a
death takes with it is left out at once. The order of the snapshots changes nothing but the order
of the stats.
"""

from __future__ import annotations

from mmstats import kinds
from mmstats.format.ends import goes_with_process
from mmstats.stat import About, Origin, Problem, Snapshot, Stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from mmstats.crowd import Crowd

    Name = tuple[str, str, tuple[tuple[str, str], ...]]

STATES = ALIVE, _, GONE, RETIRED = ("alive", "unknown", "gone", "retired")
EACH = "all"  # the aggregate that keeps each process's own
MANY = 4  # snapshots, of which some may be put together


class Share:
    """One origin's stat, on its way into a combination."""

    __slots__ = ("origin", "stat")

    def __init__(self, origin: Origin, stat: Stat) -> None:
        self.origin = origin
        self.stat = stat


def combine(
    snapshots: Iterable[Snapshot], group: str | None = None, behind: Iterable[Crowd] = ()
) -> Snapshot:
    """One Snapshot of all origins, or of those of one group.

    Where two declare one label and tags of a group with another kind or unit, the younger one's
    stand, and `problems` names the other. Its `processes` are the living ones.

    `behind`: who is behind Snapshots of several.
    """
    chosen, problems = [], []
    for one in snapshots:
        problems += one.problems
        if group is None or one.origin.group == group:
            chosen.append(one)
    census = noted(chosen, behind)
    gathered = _gathered_together(chosen) if len(chosen) >= MANY else gather(chosen)
    stats: list[Stat] = []
    for shares in gathered.values():
        stats += _together(shares, problems)
    return Snapshot(kinds.merged, census.origin(group), problems, census.processes(group), stats)


class Census:
    """Who stands behind a combination; each may be noted several times."""

    __slots__ = ("_kinds", "_living")

    def __init__(self) -> None:
        self._kinds: set[tuple[str, str, str, str]] = set()
        self._living: dict[tuple[str, str], set[tuple[int, float]]] = {}  # by group and host

    def note(self, origin: Origin | Crowd, people: set[tuple[int, float]], *, tells: bool = True) -> None:
        """Those; pid and start of each. `tells`: whether they have any stats."""
        if tells:
            self._kinds.add((origin.state, origin.group, origin.cmd, origin.host))
        if origin.state == ALIVE:
            self._living.setdefault((origin.group, origin.host), set()).update(people)

    def processes(self, group: str | None = None) -> int:
        """How many processes live: several files of one process are one."""
        by_host: dict[str, set[tuple[int, float]]] = {}
        for (its, host), people in self._living.items():
            if group is None or its == group:
                by_host[host] = by_host[host] | people if host in by_host else people
        return sum(map(len, by_host.values()))

    def origin(self, group: str | None = None) -> Origin:
        """What all have in common, or those of one group; the liveliest of their states."""
        found = [kind for kind in self._kinds if group is None or kind[1] == group]
        states, groups, cmds, hosts = map(set, zip(*found)) if found else (set(), set(), set(), set())
        state = next((word for word in STATES if word in states), "unknown")
        return Origin(cmd=_only(cmds), group=group or _only(groups), host=_only(hosts), state=state)


def _only(words: set[str]) -> str:
    return next(iter(words)) if len(words) == 1 else ""


def noted(snapshots: Iterable[Snapshot], behind: Iterable[Crowd] = ()) -> Census:
    """Who stands behind Snapshots, and others."""
    census = Census()
    for who in behind:
        census.note(who, who.people)
    for one in snapshots:
        origin = one.origin
        census.note(origin, {(origin.pid, origin.started)}, tells=bool(one.columns().abouts))
    return census


def agree_on_all(snapshots: Sequence[Snapshot]) -> bool:
    """Whether nobody declares a label otherwise than the others of its group."""
    if len(snapshots) < 2:
        return True
    return not any(len(shares) > 1 and _disagree(shares) for shares in gather(snapshots).values())


def _gathered_together(chosen: list[Snapshot]) -> dict[Name, list[Share]]:
    """Like `gather`, with one share in the place of those of many processes that say the same."""
    from mmstats.aggregate.bunches import bunched  # few have so many

    gathered = gather(bunched(chosen, _is_whole, _origin_age))
    if any(len(shares) > 1 and _disagree(shares) for shares in gathered.values()):
        return gather(chosen)  # each by itself: what a bunch is by one rule is nothing by another
    return gathered


def _is_whole(one: Snapshot) -> bool:
    """Whether all of its stats count as they stand."""
    return one.origin.state not in (GONE, RETIRED)


def _origin_age(origin: Origin) -> tuple[float, bool, str]:
    return origin.created, origin.state != RETIRED, origin.uuid


def _disagree(shares: list[Share]) -> bool:
    first = shares[0].stat.about
    meaning = (first.kind, first.unit, first.aggregate)
    return any(
        (about.kind, about.unit, about.aggregate) != meaning for about in [one.stat.about for one in shares]
    )


def gather(snapshots: Iterable[Snapshot]) -> dict[Name, list[Share]]:
    """By group, label and tags: the stats that count, each with its origin."""
    gathered: dict[Name, list[Share]] = {}
    for one in snapshots:
        origin = one.origin
        gone = origin.state == GONE
        for stat in one.stats:
            about = stat.about
            if gone and goes_with_process(about.kind, about.aggregate, about.keep):
                continue
            if gone:
                stat = _left_by(stat)  # noqa: PLW2901 - what its process left of it
            name = (stat.group, about.label, about.tags)
            shares = gathered.get(name)
            if shares is None:
                gathered[name] = [Share(origin, stat)]
            else:
                shares.append(Share(origin, stat))
    return gathered


def agree(shares: list[Share], problems: list[Problem]) -> list[Share]:
    """Those that mean what the youngest of them means; the first of each other kind is a problem."""
    youngest = max(shares, key=age).stat.about
    agreeing, said = [], set()
    for share in shares:
        about = share.stat.about
        if about is youngest or _agrees(share.stat, youngest):
            agreeing.append(share)
            continue
        other = (about.kind, about.unit, about.aggregate)
        if other not in said:
            said.add(other)
            problems.append(_disagreement(share, youngest))
    return agreeing


def _agrees(stat: Stat, youngest: About) -> bool:
    """Whether a stat means the same, and has a value that the youngest one's rule can take."""
    about = stat.about
    if (about.kind, about.unit) != (youngest.kind, youngest.unit):
        return False
    return about.aggregate == youngest.aggregate or kinds.takes(youngest.aggregate, stat.value)


def _together(shares: list[Share], problems: list[Problem]) -> Iterable[Stat]:
    if len(shares) == 1 and shares[0].stat.about.aggregate not in (EACH, "set"):
        return [shares[0].stat]  # as it is; a single process shows its own one of a set
    if len(shares) > 1:
        shares = agree(shares, problems)
    youngest = max(shares, key=age).stat
    about = youngest.about
    if about.aggregate == EACH:
        return [_own(share) for share in shares]
    word = kinds.rule(about.kind, about.aggregate)
    parts = kinds.merge(word, [_parts(share, about) for share in shares])
    value = youngest.value if parts is None else kinds.finish(word, parts)
    return [Stat(about, youngest.group, parts, value)]


def _left_by(stat: Stat) -> Stat:
    """What is left of a stat when its process is gone."""
    parts = kinds.remaining(stat.kind, stat.parts)
    if parts is stat.parts:
        return stat
    return Stat(stat.about, stat.group, parts, kinds.finish(kinds.rule(stat.kind, stat.aggregate), parts))


def _parts(share: Share, about: About) -> Any:
    """What a share adds; where its program combined otherwise, its value, by the youngest one's rule."""
    stat = share.stat
    if stat.about is about or stat.about.aggregate == about.aggregate:
        return stat.parts
    return None if stat.parts is None else kinds.stated(about.aggregate, stat.value, share.origin.created)


def _own(share: Share) -> Stat:
    """One process's stat within a combination: told apart by its pid."""
    stat, about = share.stat, share.stat.about
    tags = (*about.tags, ("pid", str(share.origin.pid)))
    named = About(about.aggregate, about.help, about.keep, about.kind, about.label, tags, about.unit)
    return Stat(named, stat.group, stat.parts, stat.value)


def age(share: Share) -> tuple[float, bool, str]:
    """The younger, the greater; of two of one moment always the same one, and what is published still."""
    origin = share.origin
    return share.stat.about.declared or origin.created, origin.state != RETIRED, origin.uuid


def _disagreement(share: Share, youngest: About) -> Problem:
    about = share.stat.about
    rules = (about.kind, about.unit) == (youngest.kind, youngest.unit)
    return Problem(
        share.origin.file,
        f"{about.label!r} is declared as {_meaning(about, rules)} by {share.origin.cmd} {share.origin.pid}, "
        f"by a younger program as {_meaning(youngest, rules)}; left out",
    )


def _meaning(about: About, rules: bool) -> str:
    unit = f" in {about.unit}" if about.unit else ""
    return f"{about.kind}{unit}{f' combined by {about.aggregate}' if rules else ''}"
