"""What to do for one metric in whatever file it is met: worked out once, done many times."""

from __future__ import annotations

from struct import Struct

from mmstats import kinds
from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.cells import CODES, PATTERN, stated
from mmstats.stat import About

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.cells import Cells
    from mmstats.format.metric import Metric
    from mmstats.stat import Rows

PLAIN = frozenset(("sum", "max", "min"))  # parts of one value are that value


class Plan:
    """How the stat of one metric is made, of whatever file it is met in.

    `code`: for the short way, see `Batch`: the letter by which `struct` reads the only cell; empty where
    there is no such way. A value that is `never`, or not equal to itself, takes the long way all the same.
    """

    __slots__ = (
        "_initial",
        "_living",
        "_metric",
        "_never",
        "_place",
        "about",
        "code",
        "index",
        "never",
        "segment",
    )

    def __init__(self, metric: Metric) -> None:
        row = kinds.KINDS[metric.kind]
        _check(metric, row)
        aggregate = _aggregate(metric)
        self._metric = metric
        self.about = About(aggregate, metric.help, metric.keep, metric.kind, metric.label, (), metric.unit)
        self.segment, self.index = metric.segment, metric.index
        self._place = row.place
        self._living = kinds.goes_with_thread(metric.kind, aggregate)
        self._never = row.place == "process" or (not row.lanes and aggregate != "sum")
        self._initial = 0 if metric.initial is None else metric.initial
        self.code = CODES.get(metric.cell_type, "") if aggregate in PLAIN and row.place != "metric" else ""
        self.never = PATTERN.get(metric.cell_type) if self._never else None

    def add(self, rows: Rows, cells: Cells, block: int, stamp: float) -> None:
        """Add the stat of one file, the long way.

        `block`: where the run of its METRIC begins; `stamp`: when the writer began.
        """
        about, metric = self.about, self._metric
        if self._place == "metric":
            stands: Any = metric.value if _is_text(metric) else stated(cells.data, block, metric)
            rows.add(about, kinds.stated(about.aggregate, stands, stamp), stands)
            return
        found = cells.of(metric, living=self._living, never=self._never)
        parts, value = kinds.measured(about.kind, about.aggregate, metric.cell_type, found, stamp)
        rows.add(about, parts, self._initial if parts is None else value)


class NoPlan:
    """A metric that is left out, and why: `reason`. Stands in the place of a `Plan`."""

    __slots__ = ("reason",)

    code = ""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Batch:
    """Plans that follow each other, with cells that follow each other: all are read by one call.

    For the short way, where one lane has the cells and each cell is the value. `certain`: no value
    can mean that it was never written.
    """

    __slots__ = ("abouts", "certain", "end", "first", "plans", "segment", "unpack")

    def __init__(self, plans: list[Plan]) -> None:
        self.plans = plans
        self.abouts = [one.about for one in plans]
        self.segment, self.first = plans[0].segment, plans[0].index
        self.end = self.first + len(plans)
        self.unpack = Struct("<" + "".join(one.code for one in plans)).unpack_from
        self.certain = all(one.never is None and one.code != "d" for one in plans)


def batches(metrics: list[Metric]) -> list[Batch | Plan | NoPlan]:
    """What to do for a run of metrics, in its order."""
    made: list[Batch | Plan | NoPlan] = []
    together: list[Plan] = []
    for metric in metrics:
        one = plan(metric)
        if together and not _follows(one, together[-1]):
            made.append(Batch(together))
            together = []
        if isinstance(one, Plan) and one.code:
            together.append(one)
        else:
            made.append(one)
    return [*made, Batch(together)] if together else made


def _follows(one: Plan | NoPlan, before: Plan) -> bool:
    return bool(one.code) and (one.segment, one.index) == (before.segment, before.index + 1)  # type: ignore[union-attr]


def plan(metric: Metric) -> Plan | NoPlan:
    """What to do for one metric."""
    if metric.tags:
        return NoPlan("a metric with tags is not known to this reader; left out")
    if metric.kind not in kinds.KINDS:
        kind = metric.kind if metric.kind.startswith("kind ") else f"kind {metric.kind}"
        return NoPlan(f"{kind} is not known to this reader; left out")
    try:
        return Plan(metric)
    except FormatError as error:
        return NoPlan(f"damaged: found {error.found}, expected {error.expected}; left out")


def _check(metric: Metric, row: kinds.Kind) -> None:
    if metric.cell_type not in row.cell_types:
        lawful = ", ".join(map(str, sorted(row.cell_types)))
        raise FormatError(
            0, f"cell_type={metric.cell_type} of {metric.label!r}", f"{lawful} for a {metric.kind}"
        )
    if row.place != "metric" and (metric.segment == 0 or metric.cells == 0):
        found = f"segment={metric.segment} cells={metric.cells} of {metric.label!r}"
        raise FormatError(0, found, f"cells for a {metric.kind}")
    if metric.aggregate not in kinds.RULES:
        raise FormatError(0, f"{metric.aggregate} of {metric.label!r}", "a known one")


def _is_text(metric: Metric) -> bool:
    return metric.cell_type == layout.CELL_TYPE_TEXT


def _aggregate(metric: Metric) -> str:
    """The metric's own; a text has no sum, and becomes one of a set."""
    return "set" if _is_text(metric) and metric.aggregate not in kinds.FOR_TEXT else metric.aggregate
