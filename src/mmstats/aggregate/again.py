"""The same Snapshots combined again and again: what goes with what is worked out once.

It is kept for as long as they are of the very same stats and origins, as are those of who reads on.
"""

from __future__ import annotations

from operator import is_

from mmstats import kinds
from mmstats.aggregate.combine import EACH, GONE, Share, age, noted
from mmstats.stat import Rows, Snapshot, Stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from mmstats.crowd import Crowd
    from mmstats.stat import About

    Place = tuple[int, int]  # of a stat: which snapshot, and where in it
    Name = tuple[str, str, tuple[tuple[str, str], ...]]


class NoPlan(Exception):  # noqa: N818 - nothing is wrong
    """It takes a closer look to combine these."""


class Joined:
    """One stat of the combination: what it is, how its parts merge, and where they are.

    `word`: empty where it is the only one, and stands as it is; `youngest`: whose value counts where nobody
    wrote any.
    """

    __slots__ = ("about", "group", "places", "word", "youngest")

    def __init__(self, places: list[Place], shares: list[Share]) -> None:
        """NoPlan where they are not of one kind."""
        first = shares[0].stat.about
        meanings = {(about.kind, about.unit, about.aggregate) for about in [one.stat.about for one in shares]}
        if len(meanings) > 1:
            raise NoPlan
        youngest = max(shares, key=age)
        self.about: About = youngest.stat.about
        self.group: str = youngest.stat.group
        self.places = places
        self.youngest = places[shares.index(youngest)]
        is_alone = len(shares) == 1 and first.aggregate != "set"
        self.word = "" if is_alone else kinds.rule(first.kind, first.aggregate)

    def of(self, columns: Sequence[Rows]) -> tuple[Any, Any]:
        """Parts and value."""
        which, at = self.youngest
        if not self.word:
            return columns[which].parts[at], columns[which].values[at]
        found = [columns[which].parts[at] for which, at in self.places]
        if self.word == "sum" and len(found) == 2 and None not in found:  # as most are
            total = found[0] + found[1]
            return total, total
        parts = kinds.merge(self.word, found)
        return parts, columns[which].values[at] if parts is None else kinds.finish(self.word, parts)


class Plan:
    """How some Snapshots are combined."""

    __slots__ = ("_abouts", "_joined", "_origins", "_stands")

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        """NoPlan where there is none."""
        self._abouts = [one.columns().abouts for one in snapshots]
        if any(one.origin.state == GONE for one in snapshots):
            raise NoPlan  # of which less is left than they say
        if any(about.aggregate == EACH for abouts in self._abouts for about in abouts):
            raise NoPlan  # which stays each process's own
        self._origins = [one.origin for one in snapshots]
        places: dict[Name, list[Place]] = {}
        shares: dict[Name, list[Share]] = {}
        for number, one in enumerate(snapshots):
            for at, stat in enumerate(one.stats):
                name = (stat.group, stat.about.label, stat.about.tags)
                places.setdefault(name, []).append((number, at))
                shares.setdefault(name, []).append(Share(one.origin, stat))
        self._joined = [Joined(places[name], shares[name]) for name in places]
        self._stands = len(snapshots) == 1 and not any(one.word for one in self._joined)

    def fits(self, snapshots: Sequence[Snapshot], columns: Sequence[Rows]) -> bool:
        """Whether these are what it is for."""
        return (
            len(snapshots) == len(self._origins)
            and all(map(is_, self._origins, [one.origin for one in snapshots]))
            and all(
                len(known) == len(one.abouts) and all(map(is_, known, one.abouts))
                for known, one in zip(self._abouts, columns)
            )
        )

    def stats(self, columns: Sequence[Rows]) -> Rows | list[Stat]:
        """What they come to."""
        if self._stands and columns[0].groups is None:
            return columns[0]
        if len({one.group for one in self._joined}) > 1:
            return [Stat(one.about, one.group, *one.of(columns)) for one in self._joined]
        rows = Rows(self._joined[0].group)
        for one in self._joined:
            rows.add(one.about, *one.of(columns))
        return rows


class Combination:
    """Like `combine`, again and again. For one thread at a time."""

    __slots__ = ("_plan",)

    def __init__(self) -> None:
        self._plan: Plan | None = None

    def combine(
        self, snapshots: Sequence[Snapshot], group: str | None = None, behind: Iterable[Crowd] = ()
    ) -> Snapshot | None:
        """None: that takes a closer look."""
        chosen = [one for one in snapshots if group is None or one.origin.group == group]
        columns = [one.columns() for one in chosen]
        telling = [one for one, each in zip(chosen, columns) if each.abouts]
        columns = [each for each in columns if each.abouts]
        try:
            if self._plan is None or not self._plan.fits(telling, columns):
                self._plan = Plan(telling) if telling else None
        except NoPlan:
            self._plan = None
        if self._plan is None:
            return None
        census = noted(chosen, behind)
        problems = [problem for one in snapshots for problem in one.problems]
        stats = self._plan.stats(columns)
        return Snapshot(kinds.merged, census.origin(group), problems, census.processes(group), stats)
