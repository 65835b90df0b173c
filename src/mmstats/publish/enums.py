"""One of several states: `stats.mode = 'ready'`."""

from __future__ import annotations

from mmstats import cells
from mmstats.cells.words import wrong_type
from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.names import check_text
from mmstats.publish.attributes import member_of
from mmstats.publish.bound import Binds, OfText
from mmstats.publish.fields import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, overload

    from mmstats.publish.attributes import Attribute
    from mmstats.publish.families import Family
    from mmstats.publish.model import Model
    from mmstats.publish.place import Place
    from mmstats.publish.schema import Metric


class EnumField(Field, Binds[OfText]):
    """One of `states`, for the whole process: the last assignment wins. `""` before the first.

    Readers give the state's text; of several processes the set of states that they are in.
    """

    kind = layout.KIND_ENUM
    cell_type = layout.CELL_TYPE_U64
    aggregate = layout.AGGREGATE_SET

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: EnumField[Family[Attribute[str]]],
            label: str | None = None,
            states: Iterable[str] = (),
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: EnumField[str], label: str | None = None, states: Iterable[str] = (), **options: Any
        ) -> None: ...

    def __init__(self, label: str | None = None, states: Iterable[str] = (), **options: Any) -> None:
        super().__init__(label, **options)
        self.states = () if isinstance(states, str) else tuple(states)
        for state in self.states:
            if check_text(f"state of {self!r}", state) == "":
                raise UsageError(f"{self!r}: a state is empty: {self.states!r}")
        if not self.states or len(set(self.states)) < len(self.states):
            raise UsageError(f"{self!r}: states must be different texts, at least one: {states!r}")

    def metric(self, prefix: str, attribute: str) -> Metric:
        metric = super().metric(prefix, attribute)
        metric.extra = b"".join(state.encode() + b"\0" for state in self.states)
        return metric

    def in_class(self, attribute: str) -> object:
        return State(self, attribute)

    def handle(self, place: Place) -> Any:
        return member_of(State(self, "value"), place, None)

    def bind(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        instance._mm_cells[attribute] = (model.segment(metric.placed), metric.index, None)

    if TYPE_CHECKING:

        def __set__(self: EnumField[str], instance: object, value: str) -> None: ...


class State:
    """The data descriptor in the field's stead: what is stored is the state's place among the states."""

    def __init__(self, field: EnumField[Any], attribute: str) -> None:
        self._field = field
        self._attribute = attribute
        self._places = {state: place for place, state in enumerate(field.states)}
        self._number = cells.Number(attribute, layout.CELL_TYPE_U64, 64, False, True)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self._field
        place = self._number.__get__(instance, owner)
        return "" if place is None else self._field.states[place]

    def __set__(self, instance: Any, value: Any) -> None:
        states = ", ".join(self._field.states)
        if not isinstance(value, str):
            raise wrong_type(self._attribute, f"one of {states}", value)
        if value not in self._places:
            raise UsageError(f"{self._attribute!r} takes one of {states}: {value!r}")
        self._number.__set__(instance, self._places[value])

    def __delete__(self, instance: object) -> None:
        raise TypeError(f"{self._attribute!r} cannot be deleted")
