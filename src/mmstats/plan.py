"""What to do for one metric in whatever file it is met: worked out once, done many times."""

from __future__ import annotations

from struct import Struct

from mmstats import kinds
from mmstats.errors import FormatError
from mmstats.format import compound, layout
from mmstats.format.compound import DISTRIBUTED
from mmstats.format.ends import goes_with_thread
from mmstats.format.metric import CODES, PATTERN, stated
from mmstats.stat import About

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from mmstats.format.cells import Cells
    from mmstats.format.compound import Take
    from mmstats.format.members import Slot, Tags
    from mmstats.format.metric import Metric
    from mmstats.format.spread import Range
    from mmstats.stat import Rows

PLAIN = frozenset(("sum", "max", "min"))  # parts of one value are that value
MOST_REMEMBERED = 65_536  # members of a family


class Plan:
    """How the stat of one metric is made, of whatever file it is met in.

    `code`: for the short way, see `Batch`: the letter by which `struct` reads the only cell; empty where
    there is no such way. A value that is `never`, or not equal to itself, takes the long way all the same.
    `width`: of a window's slices, 0: there are none; such a value depends on when it is looked at.
    """

    __slots__ = (
        *("_abouts", "_states", "about", "code", "index", "initial", "is_compound", "is_constant", "is_text"),
        *("leaves_out_never", "living", "metric", "never", "segment", "spread", "width"),
    )

    def __init__(self, metric: Metric) -> None:
        row = kinds.KINDS[metric.kind]
        self.spread, self.width, self._states = _rest_of(metric)
        _check(metric, row, self.spread)
        aggregate = _aggregate(metric)
        self.metric = metric
        self.about = About(aggregate, metric.help, metric.keep, metric.kind, metric.label, (), metric.unit)
        self.segment, self.index = metric.segment, metric.index
        self.is_constant = row.place == "metric"  # its value stands in the METRIC block
        self.is_compound = row.place == "compound"
        self.is_text = metric.cell_type == layout.CELL_TYPE_TEXT
        self.living = goes_with_thread(metric.kind, aggregate)
        self.leaves_out_never = row.place == "process" or (not row.lanes and aggregate != "sum")
        self.initial = kinds.BLANK.get(metric.kind, 0 if metric.initial is None else metric.initial)
        is_plain = aggregate in PLAIN and row.place not in ("metric", "compound")
        self.code = CODES.get(metric.cell_type, "") if is_plain else ""
        self.never = PATTERN.get(metric.cell_type) if self.leaves_out_never else None
        self._abouts: dict[tuple[Tags, float], About] = {}

    @property
    def is_plain_sum(self) -> bool:
        """Whether the value is the sum of a whole number in each lane, living or not."""
        is_sum = self.about.aggregate == "sum" and self.code in ("Q", "q")
        return is_sum and not (self.living or self.leaves_out_never)

    def about_of(self, tags: Tags, ttl: float) -> About:
        """What is said of one member of a family; the same each time, for as long as it is remembered."""
        key = (tags, ttl)
        found = self._abouts.get(key)
        if found is None:
            if len(self._abouts) >= MOST_REMEMBERED:
                self._abouts.clear()  # members come and go
            about = self.about
            said = (about.aggregate, about.help, about.keep, about.kind, about.label)
            found = self._abouts[key] = About(*said, tags, about.unit, ttl=ttl)
        return found

    def add(self, rows: Rows, cells: Cells, block: int, stamp: float) -> None:
        """Add the stat of one file, the long way.

        `block`: where the run of its METRIC begins; `stamp`: when the writer began.
        """
        about, metric = self.about, self.metric
        if self.is_constant:
            stands: Any = metric.value if self.is_text else stated(cells.data, block, metric)
            rows.add(about, kinds.stated(about.aggregate, stands, stamp), stands)
        elif self.is_compound:
            self._put(rows, about, *self._compounded(cells))
        else:
            found = cells.of(metric, living=self.living, never=self.leaves_out_never)
            self._put(rows, about, *self.measured(found, stamp))

    def add_member(self, rows: Rows, cells: Cells, slot: Slot, tags: Tags, stamp: float) -> None:
        """Add the stat of one member of a family, if it is that member's to the end."""
        about, metric = self.about_of(tags, slot.ttl / 1e9), self.metric
        if self.is_compound:
            parts, value = self._compounded(cells, slot)
        else:
            found = cells.of_member(metric, slot, living=self.living, never=self.leaves_out_never)
            parts, value = self.measured(found, stamp)
        if cells.stands(slot):
            self._put(rows, about, parts, value)

    def _lanes(self, cells: Cells, slot: Slot | None = None) -> Iterator[Any]:
        """The parts of each lane, of a member if it is said."""
        metric, take = self.metric, self.take(cells.clock)
        if self.spread is not None:
            return cells.distributed(metric, self.spread, take, slot)
        return cells.compound(metric, take) if slot is None else cells.compound_of_member(metric, slot, take)

    def take(self, clock: Callable[[], int]) -> Take:
        """The function that takes the parts of one lane."""
        if not self.width:
            return compound.take_of(self.metric.kind, self.spread)
        from mmstats.format import window

        return window.take_of(self.width, clock())

    def _compounded(self, cells: Cells, slot: Slot | None = None) -> tuple[Any, Any]:
        parts, value = kinds.compounded(self.about.kind, self.about.aggregate, self._lanes(cells, slot))
        if self.spread is not None and parts is not None:
            cells.keep(len(parts[-1].buckets))
        return parts, value

    def measured(self, found: list[Any], stamp: float) -> tuple[Any, Any]:
        """Parts and value of the cells of each lane."""
        about, metric = self.about, self.metric
        if self._states:
            from mmstats.format.states import texts_of

            found = texts_of(metric, self._states, found)
        parts, value = kinds.measured(about.kind, about.aggregate, metric.cell_type, found, stamp)
        if self._states and parts is not None and len(parts) == 1:
            (value,) = parts
        return parts, value

    def _put(self, rows: Rows, about: About, parts: Any, value: Any) -> None:
        rows.add(about, parts, self.initial if parts is None else value)


class Family:
    """Plan of a metric with tags: the stats of all its members, in whatever file they are met."""

    __slots__ = ("about", "metric", "names", "number", "plan")

    code = ""

    def __init__(self, metric: Metric) -> None:
        self.plan = Plan(metric)
        if self.plan.is_constant:
            raise FormatError(0, f"tags of {metric.label!r}, a {metric.kind}", "a kind that has cells")
        self.metric = metric
        self.about = self.plan.about
        self.number, self.names = metric.number, metric.tags

    def add(self, rows: Rows, cells: Cells, _block: int, stamp: float) -> None:
        """Add the stat of each member. FormatError: one is damaged; the others are there."""
        for _ in self.added(rows, cells, stamp):
            pass

    def added(self, rows: Rows, cells: Cells, stamp: float) -> Iterator[Slot]:
        """Add them, one by one; the slot of each."""
        seen: set[Tags] = set()
        damage = None
        for slot in cells.slots(self.metric):
            before = len(rows.abouts)
            try:
                tags = cells.tags(self.metric, slot)
                if tags is not None:
                    _demand_new(self.metric, slot, tags, seen)
                    self.plan.add_member(rows, cells, slot, tags, stamp)
            except FormatError as error:
                damage = damage or error
            if len(rows.abouts) > before:
                yield slot
        if damage is not None:
            raise damage


def _demand_new(metric: Metric, slot: Slot, tags: Tags, seen: set[Tags]) -> None:
    if tags in seen:
        found = f"a second member of {metric.label!r} with {dict(tags)}"
        raise FormatError(slot.offset, found, "one of each")
    seen.add(tags)


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


def batches(metrics: list[Metric]) -> list[Batch | Plan | Family | NoPlan]:
    """What to do for a run of metrics, in its order."""
    made: list[Batch | Plan | Family | NoPlan] = []
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


def _follows(one: Plan | Family | NoPlan, before: Plan) -> bool:
    return bool(one.code) and (one.segment, one.index) == (before.segment, before.index + 1)  # type: ignore[union-attr]


def plan(metric: Metric) -> Plan | Family | NoPlan:
    """What to do for one metric."""
    if metric.kind not in kinds.KINDS:
        kind = metric.kind if metric.kind.startswith("kind ") else f"kind {metric.kind}"
        return NoPlan(f"{kind} is not known to this reader; left out")
    try:
        return Family(metric) if metric.tags else Plan(metric)
    except FormatError as error:
        return NoPlan(f"damaged: found {error.found}, expected {error.expected}; left out")


def _rest_of(metric: Metric) -> tuple[Range | None, int, list[str]]:
    """What stands in `extra`: a distribution's range, the width of a window's slices, an enum's states."""
    spread, width, states = None, 0, []
    if metric.kind in DISTRIBUTED:  # most files need none of these
        from mmstats.format.spread import Range

        spread = Range.unpack(metric.extra)
    elif metric.kind == "moving" and metric.extra:
        from mmstats.format import window

        width = window.unpack(metric.extra, metric.cells)
    elif metric.kind == "enum":
        from mmstats.format.states import states_of

        states = states_of(metric)
    return spread, width, states


def _check(metric: Metric, row: kinds.Kind, spread: Range | None) -> None:
    if metric.cell_type not in row.cell_types:
        lawful = ", ".join(map(str, sorted(row.cell_types)))
        raise FormatError(
            0, f"cell_type={metric.cell_type} of {metric.label!r}", f"{lawful} for a {metric.kind}"
        )
    if row.place != "metric" and ((metric.segment == 0 and not metric.tags) or metric.cells == 0):
        found = f"segment={metric.segment} cells={metric.cells} of {metric.label!r}"
        raise FormatError(0, found, f"cells for a {metric.kind}")
    if spread is not None and metric.segment >= layout.OCTAVE_STEP:
        found = f"segment={metric.segment} of {metric.label!r}"
        raise FormatError(0, found, f"below {layout.OCTAVE_STEP}, as it has octaves")
    if row.place == "compound" and not compound.is_lawful(metric.kind, metric.cells, spread):
        raise FormatError(0, f"cells={metric.cells} of {metric.label!r}", f"what makes a whole {metric.kind}")
    if metric.aggregate not in layout.AGGREGATES.values():
        raise FormatError(0, f"{metric.aggregate} of {metric.label!r}", "a known one")


def _aggregate(metric: Metric) -> str:
    """The metric's own; a text has no sum, and is the latest or one of a set; a kind's own rule is a sum."""
    if metric.kind in kinds.OF_KIND:
        return "sum"
    if metric.kind == "enum":
        return "set"
    if metric.cell_type == layout.CELL_TYPE_TEXT and metric.aggregate not in kinds.FOR_TEXT:
        return "last" if metric.kind == "text" else "set"
    return metric.aggregate
