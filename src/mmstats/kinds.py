"""The table of spec/FORMAT.md section 6 as code: how what is written of one metric becomes one value.

*Parts* are a value in the form that can be merged: a number, a pair, a set. Lanes of one process and
processes of one group merge by the same rule, named by the metric's `aggregate`; a counter's lanes
are summed whatever it says. None is what nobody wrote; it changes nothing it is merged with.

Integers summed over the lanes of one process wrap at 64 bits, as the cells themselves do, so that a
counter shows what 0.8 showed. Over processes they are plain integers: no single writer ever held
the sum, and a total that fell back to zero would be read as a restart.
"""

from __future__ import annotations

from itertools import chain

from mmstats.distribution import DistributionValue, TimerValue
from mmstats.format.compound import LONG_AGO
from mmstats.format.layout import (
    CELL_TYPE_BOOL,
    CELL_TYPE_F64,
    CELL_TYPE_I64,
    CELL_TYPE_TEXT,
    CELL_TYPE_U64,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Union

    from mmstats.stat import Stat

    Number = Union[int, float]

NUMBERS = frozenset((CELL_TYPE_U64, CELL_TYPE_I64, CELL_TYPE_F64))


class Rule:
    """One word of `aggregate`: `lift` makes parts of a value, `merge` one of two, `finish` a value."""

    __slots__ = ("finish", "lift", "merge")

    def __init__(
        self,
        merge: Callable[[Any, Any], Any],
        lift: Callable[[Any, float], Any] = lambda value, stamp: value,  # noqa: ARG005
        finish: Callable[[Any], Any] = lambda parts: parts,
    ) -> None:
        self.merge = merge
        self.lift = lift
        self.finish = finish


def _add(one: Number, other: Number) -> Number:
    return one + other


def _both(one: tuple[Number, int], other: tuple[Number, int]) -> tuple[Number, int]:
    return one[0] + other[0], one[1] + other[1]


def _mean(parts: tuple[Number, int]) -> float:
    return parts[0] / parts[1]


def _later(one: tuple[float, object], other: tuple[float, object]) -> tuple[float, object]:
    return one if one[0] > other[0] else other  # of two with one stamp: the later lane


def _histograms(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    """As `format.compound` gives them, and the distribution behind."""
    count, total = one[0] + other[0], one[1] + other[1]
    return (count, total, min(one[2], other[2]), max(one[3], other[3]), one[-1].merged(other[-1]))


def _all_histograms(*parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Likewise, of many at once: those of one range are added up before any other."""
    by_range: dict[int, list[Any]] = {}
    for part in parts:
        by_range.setdefault(id(part[-1].range), []).append(part[-1])
    spread, *others = [one[0].total(one) if len(one) > 1 else one[0] for one in by_range.values()]
    for other in others:
        spread = spread.merged(other)
    counts, totals, least, most = zip(*[part[:4] for part in parts])
    return (sum(counts), sum(totals), min(least), max(most), spread)


def _all_timers(*parts: tuple[Any, ...]) -> tuple[Any, ...]:
    *totals, spread = _all_histograms(*parts)
    latest = parts[0]
    for part in parts:
        latest = latest if latest[6] > part[6] else part
    return (*totals, sum(part[4] for part in parts), sum(part[5] for part in parts), *latest[6:8], spread)


def _timers(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    """Likewise."""
    *totals, spread = _histograms(one, other)
    window, of_window = one[4] + other[4], one[5] + other[5]
    latest = one if one[6] > other[6] else other
    return (*totals, window, of_window, *latest[6:8], spread)


def _timed(parts: tuple[Any, ...]) -> TimerValue:
    count, total, least, greatest, window, of_window, _, last, spread = parts
    return TimerValue(count, total, least, greatest, last, window / of_window if of_window else 0.0, spread)


RULES = {
    "sum": Rule(_add),
    "max": Rule(max),
    "min": Rule(min),
    "avg": Rule(_both, lambda value, stamp: (value, 1), _mean),  # noqa: ARG005
    # A plain cell does not tell when it was written: the youngest writer counts as the latest.
    "last": Rule(_later, lambda value, stamp: (stamp, value), lambda parts: parts[1]),
    "all": Rule(_add, lambda value, stamp: (value,)),  # noqa: ARG005
    "any": Rule(lambda one, other: one or other, finish=bool),
    "set": Rule(frozenset.union, lambda value, stamp: frozenset((value,))),  # noqa: ARG005
    # Of compound kinds, whatever their `aggregate` says; nothing else becomes parts of theirs.
    "mean": Rule(_both, finish=_mean),
    "timer": Rule(_timers, finish=_timed),
    "histogram": Rule(_histograms, finish=lambda parts: DistributionValue(*parts)),
}
# What grows with each part would take the square of their number, one after the other.
ALL_AT_ONCE: dict[str, Callable[..., Any]] = {
    "set": frozenset.union,
    "all": lambda *parts: tuple(chain.from_iterable(parts)),
    "histogram": _all_histograms,
    "timer": _all_timers,
}
OF_NUMBERS = frozenset(("sum", "max", "min", "avg"))
PLAIN = frozenset(("sum", "max", "min"))  # whose parts are the value
OF_KIND = {"average": "mean", "moving": "mean", "timer": "timer", "histogram": "histogram"}
BLANK = {  # before anybody wrote
    "average": 0.0,
    "moving": 0.0,
    "timer": TimerValue(),
    "histogram": DistributionValue(),
    "text": "",
    "enum": "",
}
FOR_TEXT = frozenset(("last", "all", "set"))


class Kind:
    """One row: which cells it may have, and how lanes combine; `format.ends` says what a death leaves.

    `lanes`: a word of RULES; empty: the metric's own. `place`: where its value stands, in every `lane`
    (`compound`: in several cells), in the lane of the `process`, or in the `metric` itself.
    """

    __slots__ = ("cell_types", "lanes", "place")

    def __init__(self, cell_types: Iterable[int], *, place: str, lanes: str) -> None:
        self.cell_types = frozenset(cell_types)
        self.place = place
        self.lanes = lanes


# Kinds that are not here yet are not known to this reader.
KINDS = {
    "counter": Kind(NUMBERS, place="lane", lanes="sum"),
    "updown": Kind(NUMBERS, place="lane", lanes="sum"),
    "number": Kind(NUMBERS, place="lane", lanes=""),
    "average": Kind((CELL_TYPE_F64,), place="compound", lanes="mean"),
    "moving": Kind((CELL_TYPE_F64,), place="compound", lanes="mean"),
    "timer": Kind((CELL_TYPE_F64,), place="compound", lanes="timer"),
    "histogram": Kind((CELL_TYPE_F64,), place="compound", lanes="histogram"),
    "text": Kind((CELL_TYPE_TEXT,), place="compound", lanes="last"),
    "bool": Kind((CELL_TYPE_BOOL,), place="lane", lanes="any"),
    "gauge": Kind((CELL_TYPE_F64,), place="process", lanes=""),
    "enum": Kind((CELL_TYPE_U64,), place="process", lanes=""),
    "info": Kind((CELL_TYPE_TEXT,), place="metric", lanes=""),
    "static": Kind(NUMBERS | {CELL_TYPE_TEXT}, place="metric", lanes=""),
}


def remaining(kind: str, parts: Any) -> Any:
    """The parts that the end of the process leaves, of a kind that it does not take as a whole."""
    return (*parts[:4], 0.0, 0, LONG_AGO, 0.0, parts[-1]) if kind == "timer" and parts is not None else parts


def rule(kind: str, aggregate: str) -> str:
    """The word of RULES by which the parts of a stat merge."""
    return OF_KIND.get(kind, aggregate)


def merge(aggregate: str, parts: Iterable[Any]) -> Any:
    """What several parts are together; None where nobody wrote any."""
    written = (part for part in parts if part is not None)
    together = next(written, None)
    if together is None:
        return None
    if aggregate in ALL_AT_ONCE:
        rest = list(written)
        return ALL_AT_ONCE[aggregate](together, *rest) if rest else together
    if aggregate == "sum":
        return sum(written, together)
    rule = RULES[aggregate].merge
    for part in written:
        together = rule(together, part)
    return together


def takes(aggregate: str, value: object) -> bool:
    """Whether a value that was combined by another rule can be combined by this one."""
    return aggregate not in OF_NUMBERS or isinstance(value, (int, float))


def measured(
    kind: str, aggregate: str, cell_type: int, cells: Sequence[Any], stamp: float
) -> tuple[Any, Any]:
    """Parts and value of what one process wrote: `cells` of each lane, None where it never wrote.

    `stamp`: when the process began to publish; of several, the younger is the later.
    """
    how = KINDS[kind].lanes or _LANES_OF_ALL.get((aggregate, cell_type), aggregate)
    rule = RULES[how]
    parts = merge(how, [None if cell is None else rule.lift(cell, stamp) for cell in cells])
    if parts is None:
        return None, None
    if how == "sum":
        parts = _wrapped(parts, cell_type)
    value = rule.finish(parts)
    return (parts if how == aggregate else RULES[aggregate].lift(value, stamp)), value


def compounded(kind: str, aggregate: str, lanes: Iterable[Any]) -> tuple[Any, Any]:
    """Like `measured`, of the parts that each lane of a compound value has."""
    how = KINDS[kind].lanes
    parts = merge(how, lanes)
    if parts is None:
        return None, None
    value = RULES[how].finish(parts)
    word = rule(kind, aggregate)
    return (parts if how == word else RULES[word].lift(value, parts[0])), value


# What one process has of a number that is shown for each process: what fields of its type mean.
_LANES_OF_ALL = {
    ("all", CELL_TYPE_U64): "sum",
    ("all", CELL_TYPE_I64): "sum",
    ("all", CELL_TYPE_F64): "max",
}


def stated(aggregate: str, value: object, stamp: float) -> Any:
    """Parts of a value that stands as it is, in the declaration or in another program's words."""
    return RULES[aggregate].lift(value, stamp)


def finish(aggregate: str, parts: Any) -> Any:
    """The value that parts stand for."""
    return RULES[aggregate].finish(parts)


def merged(stats: Sequence[Stat]) -> Any:
    """One value of several stats of one label, by the first one's rule; others' parts are not mixed in."""
    first = stats[0]
    alike = [stat for stat in stats if (stat.kind, stat.aggregate) == (first.kind, first.aggregate)]
    word = rule(first.kind, first.aggregate)
    parts = merge(word, [stat.parts for stat in alike])
    return first.value if parts is None else finish(word, parts)


def _wrapped(total: Any, cell_type: int) -> Any:
    if cell_type == CELL_TYPE_U64:
        return total & 0xFFFF_FFFF_FFFF_FFFF
    if cell_type == CELL_TYPE_I64:
        return (total + (1 << 63)) % (1 << 64) - (1 << 63)
    return total
