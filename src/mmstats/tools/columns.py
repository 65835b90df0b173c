"""One column of pollstats: a label, and what is shown of it.

By default a counter shows what it grew by, an average the mean of the interval, a histogram or a timer `p50`,
`p99` and `count` of the interval, whatever is a level its value; numbers of 0.8's files, which do not tell
what they are, what they grew by.
"""

from __future__ import annotations

from mmstats import kinds
from mmstats.aggregate.chosen import choose
from mmstats.aggregate.combine import combine
from mmstats.aggregate.interval import grows
from mmstats.distribution import Distributed
from mmstats.globs import escaped
from mmstats.stat import Snapshot
from mmstats.tools.expressions import PARTS, number_of
from mmstats.tools.select import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from mmstats.stat import About, Stat
    from mmstats.tools.moment import Moment

    Tags = tuple[tuple[str, str], ...]

DELTA, RATE, VALUE = "delta", "rate", "value"
OVER_PROCESSES = ("avg", "min", "max")
WORDS = (DELTA, RATE, VALUE, "avg", *PARTS)
DISTRIBUTIONS = ("histogram", "timer")
MOST_REMEMBERED = 100_000


class Column:
    """`name`: what stands above the numbers; `word`: what is shown; `about`: what is said of the stat."""

    __slots__ = ("_chosen", "_pattern", "about", "kind", "name", "unit", "word")

    def __init__(self, about: About, tags: str, word: str, name: str) -> None:
        label = about.label
        self.about = about
        self.word = word
        self.name = name
        self.kind = about.kind
        is_count = word == "count" or (self.kind in DISTRIBUTIONS and word in (DELTA, RATE, VALUE))
        self.unit = "" if is_count else about.unit
        self._pattern = Pattern(escaped(label) + tags)
        self._chosen: dict[tuple[str, Tags], bool] = {}

    def matches(self, about: About) -> bool:
        """Whether a stat is part of it."""
        key = (about.label, about.tags)
        if key not in self._chosen:
            if len(self._chosen) > MOST_REMEMBERED:
                self._chosen.clear()  # members of a family come and go
            self._chosen[key] = self._pattern.matches(about, "")
        return self._chosen[key]

    def numbers(self, moment: Moment) -> dict[Tags, Any]:
        """What it shows of each row: a number or a text; None where nothing is known."""
        if self.word == VALUE:
            return {row: _count(value) for row, value in self._values(moment, moment.now).items()}
        if self.word in OVER_PROCESSES and self.kind not in DISTRIBUTIONS:
            whole = choose(self.word, self._part_of(moment, moment.grown))
            return {stat.about.tags if moment.keys else (): stat.value for stat in whole.stats}
        grown = self._values(moment, moment.grown)
        if self.word not in (DELTA, RATE):
            return {row: self._part(value) for row, value in grown.items()}
        if self._is_level(moment):
            then = self._values(moment, moment.before)
            grown = {row: _less(value, then.get(row)) for row, value in grown.items()}
        counts = {row: _number(_count(value)) for row, value in grown.items()}
        if self.word == DELTA:
            return counts
        seconds = moment.elapsed
        return {
            row: count / seconds if count is not None and seconds else None for row, count in counts.items()
        }

    def _values(self, moment: Moment, snapshots: Sequence[Snapshot]) -> dict[Tags, Any]:
        """The value of each row, of all members and groups together."""
        rows: dict[Tags, list[Stat]] = {}
        for stat in combine(self._part_of(moment, snapshots)).stats:
            rows.setdefault(stat.about.tags if moment.keys else (), []).append(stat)
        return {
            row: stats[0].value if len(stats) == 1 else kinds.merged(stats) for row, stats in rows.items()
        }

    def _part_of(self, moment: Moment, snapshots: Iterable[Snapshot]) -> list[Snapshot]:
        """The snapshots with its stats alone, told apart as the rows are."""
        chosen = [
            Snapshot(
                one.merge,
                one.origin,
                [],
                one.processes,
                [stat for stat in one.stats if self.matches(stat.about)],
            )
            for one in snapshots
        ]
        return moment.by_keys(chosen)

    def _part(self, value: Any) -> Any:
        """A percentile or whatever else it shows of a distribution; of none there is nothing to tell."""
        if not isinstance(value, Distributed):
            return value
        word = "mean" if self.word == "avg" else self.word
        return number_of(value, word) if value.count or word in ("count", "sum", "last", "moving") else None

    def _is_level(self, moment: Moment) -> bool:
        """Whether its increments are not what `grown` has."""
        return not any(
            grows(stat, one.origin) for one in moment.now for stat in one.stats if self.matches(stat.about)
        )


def _count(value: Any) -> Any:
    """Of a distribution how many values it has."""
    return value.count if isinstance(value, Distributed) else value


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) else None


def _less(now: Any, then: Any) -> float | None:
    """By how much a level changed."""
    now, then = _number(now), _number(then)
    return None if now is None or then is None else now - then
