"""Static fields: what does not change while the process lives, written once when a model is made."""

from __future__ import annotations

import struct

from mmstats.errors import Removed, UsageError
from mmstats.format import layout
from mmstats.format.words import as_bits, as_number
from mmstats.names import check_text
from mmstats.publish.fields import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, overload

    from typing_extensions import Self

    from mmstats.publish.model import Model
    from mmstats.publish.schema import Metric


class StaticField(Field):
    """The base of the statics. `value`: a constant, or a callable that is asked once in each process.

    Readers of several processes see the set of values.
    """

    kind = layout.KIND_STATIC
    aggregate = layout.AGGREGATE_SET

    def __init__(self, label: str | None = None, value: Any = None, **options: Any) -> None:
        super().__init__(label, **options)
        if value is None:
            raise UsageError(f"{self!r}: value is missing: give a constant or a callable")
        if self.tags:
            raise UsageError(f"{self!r}: what never changes has no tags: {self.tags!r}")
        self.value = value

    def metric(self, prefix: str, attribute: str) -> Metric:
        metric = super().metric(prefix, attribute)
        metric.source = self._source(metric.label)
        if not callable(self.value):
            metric.ask()  # a constant that is none is a mistake here; a callable speaks when it joins
        return metric

    def _source(self, label: str) -> Callable[[], tuple[int, bytes]]:
        return lambda: self.encoded(label, self.value() if callable(self.value) else self.value)

    def encoded(self, label: str, value: Any) -> tuple[int, bytes]:
        """The raw bits of a number, the bytes of a text."""
        raise NotImplementedError

    def decoded(self, bits: int, text: bytes) -> Any:  # noqa: ARG002 - a text's field looks at it
        """The value that was published as these bits, or this text."""
        return as_number(self.cell_type, bits)

    def in_class(self, attribute: str) -> object:
        return StaticValue(self, attribute)

    def bind(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        instance._mm_statics[attribute] = (model, metric)

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: NoReturn) -> None: ...


class StaticValue:
    """The data descriptor in a static field's stead: gives the value, refuses assignment."""

    def __init__(self, field: StaticField, attribute: str) -> None:
        self._field = field
        self._attribute = attribute

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self._field
        model, metric = instance._mm_statics[self._attribute]
        if model.removed:
            raise Removed(f"{metric.label!r} was removed")
        return self._field.decoded(*model.stated(metric))

    def __set__(self, instance: Any, value: Any) -> None:
        name = type(self._field).__name__
        raise TypeError(f"{self._attribute!r} is declared as {name}: its value never changes; met {value!r}")


class StaticIntegerField(StaticField):
    """The base of the static integers, which must fit."""

    cell_type = layout.CELL_TYPE_I64
    low, high = -(1 << 63), (1 << 63) - 1

    def encoded(self, label: str, value: Any) -> tuple[int, bytes]:
        try:
            number = int(value.__index__())
        except AttributeError:
            raise UsageError(
                f"value of {label!r} must be an integer, not {type(value).__name__}: {value!r}"
            ) from None
        if not self.low <= number <= self.high:
            raise UsageError(f"value of {label!r} must be from {self.low} to {self.high}: {value!r}")
        return as_bits(self.cell_type, number), b""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> int: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | int: ...


class StaticUIntField(StaticIntegerField):
    """An unsigned integer of 32 bits."""

    low, high = 0, (1 << 32) - 1


class StaticInt64Field(StaticIntegerField):
    """A signed integer of 64 bits."""


class StaticUInt64Field(StaticIntegerField):
    """An unsigned integer of 64 bits."""

    cell_type = layout.CELL_TYPE_U64
    low, high = 0, (1 << 64) - 1


class StaticDoubleField(StaticField):
    """A float of 64 bits."""

    cell_type = layout.CELL_TYPE_F64
    code = "d"

    def encoded(self, label: str, value: Any) -> tuple[int, bytes]:
        try:
            number = struct.unpack(self.code, struct.pack(self.code, value))[0]
        except (struct.error, TypeError, OverflowError) as error:
            raise UsageError(
                f"value of {label!r} must be a number, not {type(value).__name__}: {value!r}"
            ) from error
        return as_bits(self.cell_type, number), b""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> float: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | float: ...


class StaticFloatField(StaticDoubleField):
    """A float of 32 bits."""

    code = "f"


class StaticTextField(StaticField):
    """A text."""

    cell_type = layout.CELL_TYPE_TEXT

    def encoded(self, label: str, value: Any) -> tuple[int, bytes]:
        return 0, check_text(f"value of {label!r}", value).encode()

    def decoded(self, bits: int, text: bytes) -> str:  # noqa: ARG002
        return text.decode()

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> str: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | str: ...
