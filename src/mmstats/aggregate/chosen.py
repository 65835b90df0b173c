"""Many processes as one number each stat, by a word that whoever asks chooses.

A kind says what its values are together; here somebody asks something else: the mean of a counter over the
processes, the greatest of a sum. Several files of one process are one process first, by its kind. Retired
totals are of nobody who could be asked, so they are in sums alone, and in what a histogram counted.
"""

from __future__ import annotations

from math import ceil

from mmstats import kinds
from mmstats.aggregate.combine import agree, gather, noted
from mmstats.distribution import Distributed
from mmstats.stat import About, Snapshot, Stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from mmstats.aggregate.combine import Share
    from mmstats.stat import Origin, Problem

    Numbers = Sequence[float]

RETIRED = "retired"


def _percentile(share: float) -> Callable[[Numbers], float | None]:
    return lambda numbers: sorted(numbers)[max(1, ceil(share * len(numbers))) - 1] if numbers else None


def _mean(numbers: Numbers) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
WORDS: dict[str, Callable[[Numbers], float | None]] = {
    "sum": lambda numbers: sum(numbers) if numbers else None,
    "avg": _mean,
    "min": lambda numbers: min(numbers, default=None),
    "max": lambda numbers: max(numbers, default=None),
    "one": lambda numbers: numbers[0] if numbers else None,
    "count": len,
    "nonzero-min": lambda numbers: min((number for number in numbers if number), default=None),
    "nonzero-avg": lambda numbers: _mean([number for number in numbers if number]),
    **{word: _percentile(share) for word, share in SHARES.items()},
}
OF_DISTRIBUTIONS = {"sum": "sum", "avg": "mean", "min": "min", "max": "max", "count": "count"}


def choose(word: str, snapshots: Iterable[Snapshot]) -> Snapshot:
    """One Snapshot of all, whose values are what the word says; stats without a number are left out."""
    chosen = list(snapshots)
    problems: list[Problem] = [problem for one in chosen for problem in one.problems]
    stats = []
    for shares in gather(chosen).values():
        agreed = agree(shares, problems) if len(shares) > 1 else shares
        stat, value = agreed[0].stat, _value(word, agreed)
        if value is not None:
            stats.append(Stat(_about(stat.about, word), stat.group, None, value))
    census = noted(chosen)
    return Snapshot(kinds.merged, census.origin(), problems, census.processes(), stats)


def _value(word: str, shares: list[Share]) -> float | None:
    values = [value for value in map(_together, _by_process(shares).values()) if value is not None]
    if isinstance(shares[0].stat.value, Distributed):
        whole = _together(shares)
        if word in OF_DISTRIBUTIONS:
            return float(getattr(whole, OF_DISTRIBUTIONS[word]))
        if word in SHARES:
            return float(whole.percentile(SHARES[word]))
        values = [value.mean for value in values]
    numbers = [value for value in values if isinstance(value, (int, float))]
    if word == "sum":
        retired = [share.stat.value for share in shares if share.origin.state == RETIRED]
        numbers += [value for value in retired if isinstance(value, (int, float))]
    return WORDS[word](numbers) if numbers else None


def _by_process(shares: Iterable[Share]) -> dict[tuple[object, ...], list[Share]]:
    found: dict[tuple[object, ...], list[Share]] = {}
    for share in shares:
        if share.origin.state != RETIRED:
            found.setdefault(_process(share.origin), []).append(share)
    return found


def _process(origin: Origin) -> tuple[object, ...]:
    return (origin.host, origin.pid, origin.started) if origin.pid else (origin.file,)


def _together(shares: Sequence[Share]) -> Any:
    """The value of one process's files; None where nobody wrote it."""
    if len(shares) == 1:
        return shares[0].stat.value
    return kinds.merged([share.stat for share in shares])


def _about(about: About, word: str) -> About:
    """A sum is what it was; all else is a number that may rise and fall."""
    kind = about.kind if word == "sum" and about.kind not in kinds.OF_KIND else "gauge"
    unit = "" if word == "count" else about.unit
    said = (word, about.help, about.keep, kind, about.label)
    return About(*said, about.tags, unit, about.declared, about.ttl)
