"""The plain numbers: `stats.errors += 1`, `stats.last_hit = time.time()`.

Each thread has a value of its own, so nothing is lost between threads; readers combine them. An
integer wraps to its width, as it did in 0.8.
"""

from __future__ import annotations

from mmstats import cells
from mmstats.format import layout
from mmstats.publish.fields import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    from typing_extensions import Self

    from mmstats.publish.model import Model
    from mmstats.publish.schema import Metric


class NumberField(Field):
    """The base of the plain numbers: a data descriptor of `cells` stands in the class."""

    kind = layout.KIND_NUMBER
    choices: tuple[str, ...] = ("sum", "max", "min", "avg")
    may_keep = True
    bits = 64
    signed = True
    initial: float = 0

    def in_class(self, attribute: str) -> object:
        never = self.kind == layout.KIND_NUMBER and self.aggregate != layout.AGGREGATE_SUM
        return cells.Number(attribute, self.cell_type, self.bits, self.signed, never)

    def bind(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        instance._mm_cells[attribute] = (model.segment(metric.placed), metric.index, self.initial)


class IntegerField(NumberField):
    """The base of the integers. Combined by sum unless `aggregate=` says otherwise."""

    cell_type = layout.CELL_TYPE_I64

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> int: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | int: ...
        def __set__(self, instance: object, value: int) -> None: ...


class UInt64Field(IntegerField):
    """An unsigned integer of 64 bits."""

    cell_type = layout.CELL_TYPE_U64
    signed = False


class Int64Field(IntegerField):
    """A signed integer of 64 bits."""


class UIntField(IntegerField):
    """An unsigned integer of 32 bits."""

    bits = 32
    signed = False


class IntField(IntegerField):
    """A signed integer of 32 bits."""

    bits = 32


class UShortField(IntegerField):
    """An unsigned integer of 16 bits."""

    bits = 16
    signed = False


class ShortField(IntegerField):
    """A signed integer of 16 bits."""

    bits = 16


class ByteField(IntegerField):
    """A signed integer of 8 bits."""

    bits = 8


class DoubleField(NumberField):
    """A float of 64 bits. Combined by max unless `aggregate=` says otherwise."""

    cell_type = layout.CELL_TYPE_F64
    aggregate = layout.AGGREGATE_MAX
    initial = 0.0

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> float: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | float: ...
        def __set__(self, instance: object, value: float) -> None: ...


class FloatField(DoubleField):
    """A float of 32 bits: what is assigned is rounded to single precision."""

    bits = 32


class BoolField(NumberField):
    """True or false: what is assigned counts by its truth. Combined: true if it is so anywhere."""

    kind = layout.KIND_BOOL
    cell_type = layout.CELL_TYPE_BOOL
    aggregate = layout.AGGREGATE_ANY
    choices: tuple[str, ...] = ()
    may_keep = False

    def __init__(self, label: str | None = None, initial: bool = False, **options: Any) -> None:
        super().__init__(label, **options)
        self.initial = bool(initial)

    def metric(self, prefix: str, attribute: str) -> Metric:
        metric = super().metric(prefix, attribute)
        metric.initial = 2 if self.initial else 1  # as the cell would say it
        return metric

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> bool: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | bool: ...
        def __set__(self, instance: object, value: object) -> None: ...
