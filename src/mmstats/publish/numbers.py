"""The plain numbers: `stats.errors += 1`, `stats.last_hit = time.time()`.

Each thread has a value of its own, so nothing is lost between threads; readers combine them. An
integer wraps to its width, as it did in 0.8.
"""

from __future__ import annotations

from mmstats import cells
from mmstats.format import layout
from mmstats.publish.attributes import member_of
from mmstats.publish.bound import Binds, OfBool, OfFloat, OfInt
from mmstats.publish.fields import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload

    from mmstats.publish.attributes import Attribute
    from mmstats.publish.families import Family
    from mmstats.publish.model import Model
    from mmstats.publish.place import Place
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

    def handle(self, place: Place) -> Any:
        return member_of(self.in_class("value"), place, self.initial)

    def bind(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        instance._mm_cells[attribute] = (model.segment(metric.placed), metric.index, self.initial)


class IntegerField(NumberField, Binds[OfInt]):
    """The base of the integers. Combined by sum unless `aggregate=` says otherwise."""

    cell_type = layout.CELL_TYPE_I64

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: IntegerField[Family[Attribute[int]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: IntegerField[int], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...
        def __set__(self: IntegerField[int], instance: object, value: int) -> None: ...


class UInt64Field(IntegerField[OfInt]):
    """An unsigned integer of 64 bits."""

    cell_type = layout.CELL_TYPE_U64
    signed = False

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: UInt64Field[Family[Attribute[int]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: UInt64Field[int], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class Int64Field(IntegerField[OfInt]):
    """A signed integer of 64 bits."""

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: Int64Field[Family[Attribute[int]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: Int64Field[int], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class UIntField(IntegerField[OfInt]):
    """An unsigned integer of 32 bits."""

    bits = 32
    signed = False

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: UIntField[Family[Attribute[int]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: UIntField[int], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class IntField(IntegerField[OfInt]):
    """A signed integer of 32 bits."""

    bits = 32

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: IntField[Family[Attribute[int]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: IntField[int], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class UShortField(IntegerField[OfInt]):
    """An unsigned integer of 16 bits."""

    bits = 16
    signed = False

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: UShortField[Family[Attribute[int]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: UShortField[int], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class ShortField(IntegerField[OfInt]):
    """A signed integer of 16 bits."""

    bits = 16

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: ShortField[Family[Attribute[int]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: ShortField[int], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class ByteField(IntegerField[OfInt]):
    """A signed integer of 8 bits."""

    bits = 8

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: ByteField[Family[Attribute[int]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: ByteField[int], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class DoubleField(NumberField, Binds[OfFloat]):
    """A float of 64 bits. Combined by max unless `aggregate=` says otherwise."""

    cell_type = layout.CELL_TYPE_F64
    aggregate = layout.AGGREGATE_MAX
    initial = 0.0

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: DoubleField[Family[Attribute[float]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: DoubleField[float], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...
        def __set__(self: DoubleField[float], instance: object, value: float) -> None: ...


class FloatField(DoubleField[OfFloat]):
    """A float of 32 bits: what is assigned is rounded to single precision."""

    bits = 32

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: FloatField[Family[Attribute[float]]],
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(self: FloatField[float], label: str | None = None, **options: Any) -> None: ...
        def __init__(self, label: str | None = None, **options: Any) -> None: ...


class BoolField(NumberField, Binds[OfBool]):
    """True or false: what is assigned counts by its truth. Combined: true if it is so anywhere."""

    kind = layout.KIND_BOOL
    cell_type = layout.CELL_TYPE_BOOL
    aggregate = layout.AGGREGATE_ANY
    choices: tuple[str, ...] = ()
    may_keep = False

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: BoolField[Family[Attribute[bool]]],
            initial: bool = False,
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: BoolField[bool], initial: bool = False, label: str | None = None, **options: Any
        ) -> None: ...

    def __init__(self, initial: bool = False, label: str | None = None, **options: Any) -> None:
        super().__init__(label, **options)
        self.initial = bool(initial)

    def metric(self, prefix: str, attribute: str) -> Metric:
        metric = super().metric(prefix, attribute)
        metric.initial = 2 if self.initial else 1  # as the cell would say it
        return metric

    if TYPE_CHECKING:

        def __set__(self: BoolField[bool], instance: object, value: object) -> None: ...
