"""What a model declares, made ready for the file: metrics, and the schema that places their cells."""

from __future__ import annotations

from struct import pack, unpack

from mmstats import kinds
from mmstats.format import encode, layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.publish.model import Model

NEVER = {
    layout.CELL_TYPE_U64: layout.NEVER_U64,
    layout.CELL_TYPE_I64: layout.NEVER_I64,
    layout.CELL_TYPE_F64: layout.NEVER_F64,
}


class Metric:
    """One metric as it is declared; what a METRIC block says, without its place."""

    __slots__ = (
        *("aggregate", "cell_type", "help", "index", "initial", "keep", "kind", "label"),
        *("number", "schema", "source", "unit", "users", "value"),
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
        self.source = source  # of a static: its raw bits and its text, asked in each process
        self.value = b""
        self.users: set[Model] = set()  # that declared it
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
        cells = {layout.CELL_TYPE_F64: " of floats", layout.CELL_TYPE_U64: " of unsigned integers"}
        return (
            f"{layout.KINDS[self.kind]}{unit}{cells.get(self.cell_type, '')}"
            f" combined by {layout.AGGREGATES[self.aggregate]}"
        )

    @property
    def placed(self) -> Schema:
        """The schema that holds its cell."""
        if self.schema is None:
            raise AssertionError(f"{self.label!r} has no cell")
        return self.schema

    @property
    def has_cell(self) -> bool:
        return self.kind != layout.KIND_STATIC

    @property
    def never(self) -> bool:
        """Whether its cells begin as never written."""
        return self.kind == layout.KIND_NUMBER and self.aggregate != layout.AGGREGATE_SUM

    @property
    def first_word(self) -> int:
        """The bits with which its cell begins in every lane."""
        return NEVER[self.cell_type] if self.never else 0

    @property
    def goes_with_thread(self) -> bool:
        return kinds.goes_with_thread(layout.KINDS[self.kind], layout.AGGREGATES[self.aggregate])

    def same_as(self, other: Metric) -> bool:
        """Whether two declarations of one label are one metric."""
        return (self.kind, self.cell_type, self.aggregate, self.unit) == (
            *(other.kind, other.cell_type, other.aggregate, other.unit),
        )

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
            cells=1 if self.has_cell else 0,
            initial=self.initial,
            label=self.label,
            unit=self.unit,
            help=self.help,
            value=self.value,
        )


class Schema:
    """The metrics whose cells stand side by side in one segment: those that one model brought."""

    def __init__(self, number: int, metrics: Sequence[Metric]) -> None:
        self.number = number
        self.metrics = metrics
        for index, metric in enumerate(metrics):
            metric.schema, metric.index = self, index

    @property
    def first_words(self) -> list[int]:
        return [metric.first_word for metric in self.metrics]

    def reset_gone(self, words: memoryview) -> None:
        """Let the kinds that go with their thread begin anew in an adopted lane."""
        for metric in self.metrics:
            if metric.goes_with_thread:
                words[metric.index] = metric.first_word

    def bases(self, words: memoryview) -> list[int | float]:
        """What an adopter's own values begin at: what stands in the cells that stay."""
        return [0 if m.goes_with_thread else as_number(m.cell_type, words[m.index]) for m in self.metrics]


def as_number(cell_type: int, bits: int) -> int | float:
    """The number that 64 raw bits mean."""
    code = {layout.CELL_TYPE_I64: "<q", layout.CELL_TYPE_F64: "<d"}.get(cell_type, "<Q")
    number: int | float = unpack(code, bits.to_bytes(8, "little"))[0]
    return number


def as_bits(cell_type: int, number: int | float) -> int:
    """The 64 raw bits that mean a number; integers modulo 2**64."""
    if cell_type == layout.CELL_TYPE_F64:
        return int.from_bytes(pack("<d", number), "little")
    return int(number) & 0xFFFFFFFFFFFFFFFF
