"""What the files of one program have in common: which metrics, and what is to be done for their cells.

Processes of one program write the same METRIC blocks, byte for byte, but for the numbers of statics. Where a
file has just those, in whatever places, its cells need no more than to be added to those of the others, which
a `Tally` does. A Pattern is worked out from one such file, which was decoded the long way.

It says what to do in *steps*, tuples that begin with one of the words below:

* `NUMBERS, segment, index, rules, living`: cells that follow each other, a rule for each. `living`: without
  lanes whose thread ended.
* `SPREAD, segment, index, *shape`: a value that has a distribution. `shape`: how many cells it has, where its
  totals and its distribution begin in them, the scale, how many octaves, how many counts between bounds, and
  the index of the first bucket.
* `LATEST, segment, index, cells, besides`: the last durations of a timer, which stand behind so many cells.
* `TOLD, segment, index, cells, is_compound`: what has to be looked at in Python: its bytes of each lane are
  handed out as they are.
* `STATED, span, offset`: the number of a static, which stands in its block, and is handed out.
* `LISTED, span, offset`: such a number that is noted, with when the writer of its file began.
* `FAMILY, metric, step, ...`: what is done for each member of that metric, by steps like those above, whose
  segment and index stand in the MEMBER block.
"""

from __future__ import annotations

from mmstats import kinds
from mmstats.format import layout
from mmstats.format.compound import DISTRIBUTED
from mmstats.plan import Batch, Family, Plan, batches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.runs import Decoded

    Step = tuple[Any, ...]
    Span = tuple[bytes, int]

NUMBERS, SPREAD, TOLD, STATED, FAMILY, LATEST, LISTED = range(7)
# What is done with a cell. SET: without those that nobody wrote, which have a pattern of their own.
SUM_U64, SUM_I64, SUM_F64, SUM_SET_F64, MAX_U64, MAX_I64, MAX_F64, MIN_U64, MIN_I64, MIN_F64 = range(10)
RULES = {
    ("sum", "Q"): SUM_U64,
    ("sum", "q"): SUM_I64,
    ("sum", "d"): SUM_F64,
    ("max", "Q"): MAX_U64,
    ("max", "q"): MAX_I64,
    ("max", "d"): MAX_F64,
    ("min", "Q"): MIN_U64,
    ("min", "q"): MIN_I64,
    ("min", "d"): MIN_F64,
}
NO_HOLE = -1
EACH = "all"  # the aggregate that keeps each process's own


class NoPattern(Exception):  # noqa: N818 - nothing is wrong
    """The file has what only the long way can tell."""


class Entry:
    """One metric, and which steps are its own: -1 where it has no such step.

    `place`: of NUMBERS, SPREAD, LISTED or FAMILY; `cell`: which one of NUMBERS; `told`: of TOLD or STATED;
    `latest`: of LATEST. `finish`: parts of many files → the value; `is_plain`: which are the same.
    """

    __slots__ = ("cell", "finish", "is_plain", "latest", "names", "place", "plan", "told")

    def __init__(
        self, plan: Plan, place: int = -1, told: int = -1, *, cell: int = 0, latest: int = -1
    ) -> None:
        self.plan = plan
        self.place = place
        self.told = told
        self.latest = latest
        self.cell = cell
        self.names: list[str] = []  # of a family's tags
        word = kinds.rule(plan.about.kind, plan.about.aggregate)
        self.finish = kinds.RULES[word].finish
        self.is_plain = word in kinds.PLAIN


class Pattern:
    """`spans`: the METRIC blocks in the order of the file, and where eight bytes of each may differ.

    `end`: where what was decoded ended in its file. `is_whole`: whether one copy of a file tells all.
    """

    __slots__ = ("end", "entries", "is_whole", "spans", "steps")

    def __init__(self, decoded: Decoded, data: bytes) -> None:
        """NoPattern where there can be none."""
        if decoded.problems or decoded.folded or decoded.header.dropped:
            raise NoPattern
        blocks = [_span(data, at, len(run.raw)) for run, at in decoded.runs]
        if any(run.damage or run.apart or not run.raw for run, _ in decoded.runs):
            raise NoPattern
        self.spans: list[Span] = blocks
        ends = [at + len(raw) for (_, at), (raw, _) in zip(decoded.runs, blocks)]
        self.end = max(ends + _ends(decoded), default=0)
        self.is_whole = not decoded.compound
        self.steps: list[Step] = []
        self.entries: list[Entry] = []
        for span, (run, _) in enumerate(decoded.runs):
            for each in run.made or batches(run.metrics):
                self._add(each, span)
        if not self.entries:
            raise NoPattern

    def _add(self, each: Any, span: int) -> None:
        if isinstance(each, Batch):
            for plan in each.plans:
                self._add_plan(plan, span)
        elif isinstance(each, Plan):
            self._add_plan(each, span)
        elif isinstance(each, Family):
            self._add_family(each)
        else:
            raise NoPattern

    def _add_plan(self, plan: Plan, span: int) -> None:
        rule = _rule(plan)
        if plan.is_constant:
            self._add_constant(plan, span)
        elif rule is not None:
            self._add_number(plan, rule)
        else:
            places = {SPREAD: -1, TOLD: -1, LATEST: -1}
            for what, *rest in _compound(plan):
                places[what] = len(self.steps)
                self.steps.append((what, plan.segment, plan.index, *rest))
            self.entries.append(Entry(plan, places[SPREAD], places[TOLD], latest=places[LATEST]))

    def _add_constant(self, plan: Plan, span: int) -> None:
        step = len(self.steps)
        if plan.is_text:
            self.entries.append(Entry(plan))
            return
        is_own = plan.about.aggregate == EACH
        self.entries.append(Entry(plan, told=step) if is_own else Entry(plan, step))
        self.steps.append((STATED if is_own else LISTED, span, layout.METRIC_INITIAL))

    def _add_number(self, plan: Plan, rule: int) -> None:
        last = self.steps[-1] if self.steps else (STATED,)
        if last[0] == NUMBERS:
            _, segment, index, rules, living = last
            if (segment, index + len(rules), living) == (plan.segment, plan.index, plan.living):
                self.steps[-1] = (NUMBERS, segment, index, rules + bytes((rule,)), living)
                self.entries.append(Entry(plan, len(self.steps) - 1, cell=len(rules)))
                return
        self.entries.append(Entry(plan, len(self.steps)))
        self.steps.append((NUMBERS, plan.segment, plan.index, bytes((rule,)), plan.living))

    def _add_family(self, family: Family) -> None:
        plan, rule = family.plan, _rule(family.plan)
        if plan.about.aggregate == EACH:
            raise NoPattern  # whose tags are needed with each of them
        steps = _compound(plan) if rule is None else [(NUMBERS, bytes((rule,)), plan.living)]
        place = len(self.steps)
        words = [step[0] for step in steps]
        told, latest = (place if what in words else -1 for what in (TOLD, LATEST))
        entry = Entry(plan, place, told, latest=latest)
        entry.names = family.names
        self.entries.append(entry)
        self.steps.append((FAMILY, family.number, *steps))


def _compound(plan: Plan) -> list[Step]:
    """What has a distribution, and of a timer the last durations; or what is told in bytes.

    Without segment and index.
    """
    metric, wanted = plan.metric, plan.spread
    steps: list[Step] = []
    if wanted is not None:
        totals = layout.TIMER_TOTALS if metric.kind == "timer" else layout.HISTOGRAM_TOTALS
        counts = len(wanted.bounds) + 1 if wanted.bounds else 0
        distribution, first = DISTRIBUTED[metric.kind], wanted.low << wanted.scale
        shape = (metric.cells, totals, distribution, wanted.scale, wanted.octaves, counts, first)
        steps.append((SPREAD, *shape))
    if wanted is not None and metric.kind == "timer":
        steps.append((LATEST, metric.cells, layout.TIMER_DISTRIBUTION + wanted.cells))
    elif wanted is None:
        if plan.width:
            raise NoPattern
        steps.append((TOLD, metric.cells, plan.is_compound))
    return steps


def _rule(plan: Plan) -> int | None:
    """What is done with the only cell of each lane; None: it is no such value."""
    aggregate = plan.about.aggregate
    if not plan.code or (kinds.KINDS[plan.about.kind].lanes or aggregate) != aggregate:
        return None
    if aggregate == "sum" and plan.leaves_out_never:
        return SUM_SET_F64 if plan.code == "d" else None
    return RULES[aggregate, plan.code] if aggregate == "sum" or plan.leaves_out_never else None


def _span(data: bytes, at: int, length: int) -> Span:
    if data[at + layout.METRIC_KIND] not in (layout.KIND_STATIC, layout.KIND_INFO):
        return data[at : at + length], NO_HOLE
    hole, raw = layout.METRIC_INITIAL, data[at : at + int.from_bytes(data[at + 4 : at + 8], "little")]
    return raw[:hole] + bytes(8) + raw[hole + 8 :], hole


def _ends(decoded: Decoded) -> list[int]:
    return [start + 8 * count for lanes in decoded.cells.values() for start, count in lanes.values()]
