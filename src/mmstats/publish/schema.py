"""What a model declares, made ready for the file: metrics, and the schema that places their cells."""

from __future__ import annotations

from mmstats.format import encode, layout
from mmstats.format.encode import octave_segment
from mmstats.format.ends import goes_with_process
from mmstats.publish.turnover import hand_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from mmstats.format.spread import Range
    from mmstats.publish.families import Family, Member
    from mmstats.publish.model import Model

NUL = "\0"
SMALL = 8  # cells: what fits a cache line
CONSTANT = frozenset((layout.KIND_STATIC, layout.KIND_INFO))  # written once, in the METRIC block
OF_PROCESS = frozenset((layout.KIND_GAUGE, layout.KIND_ENUM))
NEVER = {
    layout.CELL_TYPE_U64: layout.NEVER_U64,
    layout.CELL_TYPE_I64: layout.NEVER_I64,
    layout.CELL_TYPE_F64: layout.NEVER_F64,
}


class Metric:
    """One metric as it is declared; what a METRIC block says, without its place."""

    __slots__ = (
        *("aggregate", "cell_type", "cells", "extra", "help", "index", "initial", "keep", "kind", "label"),
        *("families", "max_series", "members", "next_look", "segments", "tags", "ttl"),
        *("number", "schema", "source", "spread", "unit", "users", "value"),
    )

    def __init__(
        self,
        *,
        label: str,
        kind: int,
        cell_type: int,
        aggregate: int,
        unit: str = "",
        help: str = "",
        keep: bool = False,
        initial: int = 0,
        cells: int = 1,
        source: Callable[[], tuple[int, bytes]] | None = None,
    ) -> None:
        self.label = label
        self.kind = kind
        self.cell_type = cell_type
        self.aggregate = aggregate
        self.unit = unit
        self.help = help
        self.keep = keep
        self.initial = initial  # raw bits of the cell type
        self.cells = cells
        self.source = source  # of a static: its raw bits and its text, asked in each process
        self.value = b""
        self.extra = b""  # parameters of the kind: of an enum its states, each with a NUL behind it
        self.spread: Range | None = None  # of a histogram or timer
        self.users: set[Model] = set()  # that declared it
        self.tags: tuple[str, ...] = ()  # names: it is a family then, and these are about that
        self.ttl = 0  # ns
        self.max_series = 0
        self.next_look = 0.0  # when its members are looked at for their ttl
        self.members: dict[tuple[str, ...], Member] = {}
        self.families: list[Family[Any]] = []  # of each model that declares it
        self.segments: Iterator[int] = iter(())  # numbers that nobody has in the file
        self.schema: Schema | None = None
        self.index = 0
        self.number = 0

    def ask(self) -> None:
        """Let a static field's callable say its value for this process."""
        if self.source is not None:
            self.initial, self.value = self.source()

    @property
    def described(self) -> str:
        """Kind, unit and aggregate, for errors."""
        unit = f" in {self.unit}" if self.unit else ""
        if self.spread is not None:
            return f"{layout.KINDS[self.kind]}{unit} of {self.spread} and {self.cells} cells"
        if self.kind == layout.KIND_MOVING and self.extra:
            return f"{layout.KINDS[self.kind]}{unit} of slices of {int.from_bytes(self.extra, 'little')} ns"
        if self.extra:
            return f"{layout.KINDS[self.kind]}{unit} of {', '.join(self.extra.decode().split(NUL)[:-1])}"
        cells = {layout.CELL_TYPE_F64: " of floats", layout.CELL_TYPE_U64: " of unsigned integers"}
        return (
            f"{layout.KINDS[self.kind]}{unit}{cells.get(self.cell_type, '')}"
            f" combined by {layout.AGGREGATES[self.aggregate]}"
            f"{' with tags ' if self.tags else ''}{', '.join(self.tags)}"
        )

    @property
    def placed(self) -> Schema:
        """The schema that holds its cell."""
        if self.schema is None:
            raise AssertionError(f"{self.label!r} has no cell")
        return self.schema

    @property
    def measured(self) -> Range:
        """The range of its distribution."""
        if self.spread is None:
            raise AssertionError(f"{self.label!r} has no distribution")
        return self.spread

    @property
    def has_cell(self) -> bool:
        """Whether it has cells of its own; those of a family are its members'."""
        return self.kind not in CONSTANT and not self.tags

    @property
    def of_process(self) -> bool:
        """Whether it has one cell for all threads, in the process's lane."""
        return self.kind in OF_PROCESS

    @property
    def leaves(self) -> bool:
        """Whether the end of its process leaves something of it."""
        kind, aggregate = layout.KINDS[self.kind], layout.AGGREGATES[self.aggregate]
        return not goes_with_process(kind, aggregate, self.keep)

    @property
    def can_go_on(self) -> bool:
        """Whether its cells, once its last model was removed, can be taken up by the next as they are."""
        return self.kind in (layout.KIND_COUNTER, layout.KIND_AVERAGE) and not self.tags

    @property
    def never(self) -> bool:
        """Whether its cells begin as never written."""
        is_number = self.kind == layout.KIND_NUMBER and self.aggregate != layout.AGGREGATE_SUM
        return is_number or self.of_process

    @property
    def first_word(self) -> int:
        """The bits with which its cell begins in every lane."""
        return NEVER[self.cell_type] if self.never else 0

    def same_as(self, other: Metric) -> bool:
        """Whether two declarations of one label are one metric."""
        mine = self.kind, self.cell_type, self.cells, self.aggregate, self.unit, self.extra, self.tags
        its = other.kind, other.cell_type, other.cells, other.aggregate, other.unit, other.extra, other.tags
        return mine == its and self.spread == other.spread

    def follow(self, other: Metric) -> None:
        """Let the declaration say how many members there may be, and how long, unless another one said it."""
        if not self.users:
            self.ttl, self.max_series = other.ttl, other.max_series

    def block(self) -> bytes:
        """Its METRIC block."""
        return encode.metric(
            metric=self.number,
            kind=self.kind,
            cell_type=self.cell_type,
            aggregate=self.aggregate,
            flags=layout.METRIC_FLAG_KEEP if self.keep else 0,
            segment=self.schema.number if self.schema else 0,
            index=self.index,
            cells=self.cells if self.has_cell or self.tags else 0,
            initial=self.initial,
            label=self.label,
            unit=self.unit,
            help=self.help,
            value=self.value,
            tags=self.tags,
            extra=self.extra if self.spread is None else self.spread.pack(),
        )


class Schema:
    """The metrics whose cells stand side by side in one segment: those that one model brought."""

    def __init__(self, number: int, metrics: Sequence[Metric]) -> None:
        self.number = number
        self.metrics = metrics
        self.cells = 0  # how many there are in each lane
        self.octaves: dict[int, OctaveSchema] = {}
        for metric in metrics:
            metric.schema, metric.index = self, self.cells
            self.cells += metric.cells

    @property
    def of_process(self) -> bool:
        """Whether all threads share its cells."""
        return self.metrics[0].of_process

    @property
    def first_words(self) -> list[int]:
        return [word for metric in self.metrics for word in [metric.first_word] * metric.cells]

    def hand_over(self, words: memoryview) -> list[int | float] | None:
        """Make an adopted lane ready: what its new owner's values begin at, None where that is zero."""
        base = [
            value
            for metric in self.metrics
            for value in hand_over(metric, words[metric.index : metric.index + metric.cells])
        ]
        return base if any(base) else None

    def base_without(
        self, metric: Metric, words: memoryview, base: Sequence[int | float] | None
    ) -> list[int | float]:
        """The base of a lane that leaves out, besides, what is counted in one metric's cells so far."""
        changed = list(base or [0] * self.cells)
        own = slice(metric.index, metric.index + metric.cells)
        changed[own] = hand_over(metric, words[own])
        return changed

    def bring(self, source: memoryview, target: memoryview) -> None:
        """Make `target` what `source` is, as its thread would have: the witnesses last."""
        witnesses = {metric.index for metric in self.metrics if metric.cells > 1}
        for index in [*(set(range(self.cells)) - witnesses), *witnesses]:
            if target[index] != source[index]:
                target[index] = source[index]

    def octave(self, k: int) -> OctaveSchema:
        """The schema of the k-th octave of its values."""
        known = self.octaves.get(k)
        return known if known is not None else self.octaves.setdefault(k, self._new_octave(k))

    def _new_octave(self, k: int) -> OctaveSchema:
        (metric,) = self.metrics  # large values have a schema each
        return OctaveSchema(self, k, 1 << metric.measured.scale, 1)

    def label_at(self, index: int) -> str:
        """The label of the metric whose first cell that is."""
        return next(metric.label for metric in self.metrics if metric.index == index)


class OctaveSchema(Schema):
    """The cells of one octave: of each value whose first cells are in one schema, 2**scale of them."""

    def __init__(self, base: Schema, k: int, room: int, values: int) -> None:
        super().__init__(octave_segment(base.number, k), ())
        self.room = room  # cells of one value
        self.cells = room * values

    @property
    def of_process(self) -> bool:
        """They are counted by threads."""
        return False

    @property
    def first_words(self) -> list[int]:
        return [0] * self.cells

    def hand_over(self, words: memoryview) -> None:
        """Counts stay; nobody's own value begins at them."""

    def of_value(self, place: int) -> slice:
        """The cells of the value whose first cells are the `place`-th of the base."""
        return slice(place * self.room, (place + 1) * self.room)


def placed_in(metrics: Sequence[Metric]) -> list[list[Metric]]:
    """Which metrics share a segment.

    Small ones stand close together; a large one has a segment of its own, so that a thread which never
    uses it does not pay for its cells. What the process has once stands by itself, in the process's lane.
    """
    placed = [metric for metric in metrics if metric.has_cell]
    shared = [metric for metric in placed if metric.of_process]
    small = [metric for metric in placed if not metric.of_process and metric.cells <= SMALL]
    large = [[metric] for metric in placed if metric.cells > SMALL]
    return [together for together in (small, shared, *large) if together]
