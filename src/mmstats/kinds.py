"""The table of spec/FORMAT.md section 6 as code: how what is written of one metric becomes one value.

*Parts* are a value in the form that can be merged: a number, a pair, a set. Lanes of one process and
processes of one group merge by the same rule, named by the metric's `aggregate`; a counter's lanes
are summed whatever it says. None is what nobody wrote; it changes nothing it is merged with.

Integers summed over the lanes of one process wrap at 64 bits, as the cells themselves do, so that a
counter shows what 0.8 showed. Over processes they are plain integers: no single writer ever held
the sum, and a total that fell back to zero would be read as a restart.
"""

from __future__ import annotations

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
}
FOR_TEXT = frozenset(("last", "all", "set"))


class Kind:
    """One row: which cells it may have, how lanes combine, and what is left after a death.

    `lanes`: a word of `aggregate`; empty: the metric's own. `place`: where its value stands, in
    every `lane`, in the lane of the `process`, or in the `metric` itself. `process`: what the end of
    the process leaves: `stays`, `keep` (stays with the flag) or `gone`.
    """

    __slots__ = ("cell_types", "lanes", "place", "process")

    def __init__(self, cell_types: Iterable[int], *, place: str, lanes: str, process: str) -> None:
        self.cell_types = frozenset(cell_types)
        self.place = place
        self.lanes = lanes
        self.process = process


# Kinds that are not here yet are not known to this reader.
KINDS = {
    "counter": Kind(NUMBERS, place="lane", lanes="sum", process="stays"),
    "updown": Kind(NUMBERS, place="lane", lanes="sum", process="keep"),
    "number": Kind(NUMBERS, place="lane", lanes="", process="keep"),
    "bool": Kind((CELL_TYPE_BOOL,), place="lane", lanes="any", process="gone"),
    "gauge": Kind((CELL_TYPE_F64,), place="process", lanes="", process="gone"),
    "static": Kind(NUMBERS | {CELL_TYPE_TEXT}, place="metric", lanes="", process="gone"),
}
GO_WITH_THREAD = frozenset(("bool", "moving", "text"))
KEPT = frozenset(("sum", "max", "min"))


def goes_with_thread(kind: str, aggregate: str) -> bool:
    """Whether what a thread wrote is left out once the thread has ended."""
    return kind in GO_WITH_THREAD or (kind == "number" and aggregate != "sum")


def goes_with_process(kind: str, aggregate: str, keep: bool) -> bool:
    """Whether combinations leave the metric out once its writer is gone."""
    what = KINDS[kind].process if kind in KINDS else "gone"
    if what == "keep":
        return not (keep and aggregate in KEPT)
    return what == "gone"


def merge(aggregate: str, parts: Iterable[Any]) -> Any:
    """What several parts are together; None where nobody wrote any."""
    written = [part for part in parts if part is not None]
    if not written:
        return None
    together, rule = written[0], RULES[aggregate].merge
    for part in written[1:]:
        together = rule(together, part)
    return together


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
    parts = merge(first.aggregate, [stat.parts for stat in alike])
    return first.value if parts is None else finish(first.aggregate, parts)


def _wrapped(total: Any, cell_type: int) -> Any:
    if cell_type == CELL_TYPE_U64:
        return total & 0xFFFF_FFFF_FFFF_FFFF
    if cell_type == CELL_TYPE_I64:
        return (total + (1 << 63)) % (1 << 64) - (1 << 63)
    return total
