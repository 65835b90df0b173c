"""Families of tags: `stats.requests.tagged('GET', '200').incr()`.

A family hands out one handle for each combination of values, its *member*. A handle reaches its cells through
a segment of its own: whoever forgets the member closes that, in every thread at once, and the
handle counts into nothing from then on. So an update costs what it costs without tags.

Members that nobody wrote for the family's ttl are forgotten by the thread that asks what gauges track, by
`mmstats.tick()`, and where members are made. Who wrote is found out in the same way: each look closes
the segments, and whose handle comes for memory after that was written.
"""

from __future__ import annotations

import time

from mmstats import cells
from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.names import OVERFLOW
from mmstats.publish import process
from mmstats.publish.dropped import dropped
from mmstats.publish.place import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, NoReturn, TypeVar

    from mmstats.publish.fields import Field
    from mmstats.publish.model import Model
    from mmstats.publish.schema import Metric

    Values = tuple[str, ...]
    Handle = TypeVar("Handle")

MANY: Values = ()  # of the member for all that are too many
LOOKS = 4  # at what was written, in the time of one ttl
clock = time.monotonic


class Member:
    """One combination of values in this process, of all models that declare the family."""

    __slots__ = ("forgotten", "is_used", "metric", "used", "values")

    def __init__(self, metric: Metric, values: Values) -> None:
        self.metric = metric
        self.values = values
        self.forgotten = False
        self.is_used = False  # since somebody looked
        self.used = clock()

    def use(self) -> None:
        """Somebody came for its cells."""
        self.is_used = True

    @property
    def label(self) -> str:
        """As readers show it."""
        names = self.metric.tags if self.values else (OVERFLOW,)
        pairs = [f'{name}="{text}"' for name, text in zip(names, self.values or ("true",))]
        return f"{self.metric.label}{{{','.join(pairs)}}}"


if TYPE_CHECKING:

    class Family(Generic[Handle]):
        """What a field with tags binds: one handle for each combination of values."""

        label: str

        def __init__(self, field: Field, model: Model, metric: Metric) -> None: ...

        def tagged(self, /, *values: object, **named: object) -> Handle:
            """The member with these values, by position or by name: the same object ever after."""

        def forget(self, /, *values: object, **named: object) -> None:
            """Publish that member no more; a handle that was kept counts into nothing."""

        def drop(self, values: Values) -> None: ...
        def is_of(self, model: Model) -> bool: ...

else:

    class Family(cells.Lookup):
        """What a field with tags binds: one handle for each combination of values."""

        __slots__ = ("_field", "_many", "_metric", "_model", "label")

        def __init__(self, field: Field, model: Model, metric: Metric) -> None:
            super().__init__(metric.tags)
            self._field = field
            self._model = model
            self._metric = metric
            self._many: Any = None  # the handle of what is too much
            self.label = metric.label
            metric.families.append(self)

        def __repr__(self) -> str:
            return f"<Family {self.label!r} by {', '.join(self._names)}>"

        def forget(self, /, *values: object, **named: object) -> None:
            """Publish that member no more; a handle that was kept counts into nothing."""
            given = self._by_name(values, named) if named else values
            self._forget(self._texts(given))

        def drop(self, values: Values) -> None:
            """The member was forgotten."""
            if values == MANY:
                self._many = None
            self._handles.pop(values, None)

        def is_of(self, model: Model) -> bool:
            """Whether it is that model's."""
            return self._model is model

        def _find(self, given: tuple[object, ...], named: dict[str, object]) -> Any:
            """The member with these values, for the first time, or where they are no plain texts.

            Values are texts; numbers and bools become texts as `str` makes them. UsageError for anything
            else, a wrong number of values, a name that the family does not have. What is beyond
            `max_series`, or no text that can be kept, is the member tagged `overflow="true"`, and counted as
            dropped.
            """
            values = self._texts(self._by_name(given, named) if named else given)
            found = self._handles.get(values)
            return process.alone(self._member, values) if found is None else found

        def _by_name(self, values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
            if not values and len(named) == len(self._names):
                try:
                    return tuple([named[name] for name in self._names])
                except KeyError:
                    pass
            return self._refuse((*values, *(f"{name}={value!r}" for name, value in named.items())))

        def _texts(self, given: tuple[object, ...]) -> Values:
            if len(given) != len(self._names):
                self._refuse(given)
            texts = tuple([self._text(name, value) for name, value in zip(self._names, given)])
            return texts if all(map(_can_be_kept, texts)) else MANY

        def _text(self, name: str, value: object) -> str:
            if isinstance(value, str):
                return str.__str__(value)
            if hasattr(type(value), "__index__") or hasattr(type(value), "__float__"):
                return str(value)
            what = f"{name} takes a text, a number or a bool, not {type(value).__name__}: {value!r}"
            raise UsageError(f"{self.label!r}: {what}")

        def _refuse(self, given: tuple[object, ...]) -> NoReturn:
            met = ", ".join(map(str, given)) or "none"
            raise UsageError(f"{self.label!r} takes one value for each of {', '.join(self._names)}: {met}")

        def _member(self, values: Values) -> Any:
            metric = self._metric
            look_at(self._model, metric)
            if values == MANY:
                dropped.add(layout.DROP_REASON_VALUE)
            elif values not in metric.members and len(metric.members.keys() - {MANY}) >= metric.max_series:
                dropped.add(layout.DROP_REASON_SERIES)
                values = MANY
            return (self._handles.get(values) if values else self._many) or self._made(values)

        def _made(self, values: Values) -> Any:
            member = self._metric.members.setdefault(values, Member(self._metric, values))
            model = self._model
            segment = model.segment_of(member)
            place = Place(
                segment,
                0,
                member.label,
                model.total_of_member(member),
                model,
                octave=lambda k: model.octave_of(member, k),
                measured=model.publication.whole.measured(model, self._metric, member),
            )
            made = self._field.handle(place)
            if values == MANY:
                self._many = made = self._many or made
            else:
                made = self._handles.setdefault(values, made)
            if not model.removed:
                model.publication.membership.show(member)
            return made

        def _forget(self, values: Values) -> None:
            if process.inside():
                process.put_off(self._forget, values)
            else:
                process.alone(self._model.publication.membership.forget, self._metric, values)


def _can_be_kept(text: str) -> bool:
    """Whether the format has room for it: no NUL, UTF-8, not too long."""
    try:
        return len(text) <= layout.TEXT_LIMIT and len(text.encode()) <= layout.TEXT_LIMIT and "\0" not in text
    except UnicodeEncodeError:
        return False


def look_at(model: Model, metric: Metric) -> None:
    """Forget the members that nobody wrote for the family's ttl, if it is time to look."""
    now = clock()
    if not metric.ttl or now < metric.next_look or process.is_nested():
        return
    ttl = metric.ttl / 1e9
    metric.next_look = now + ttl / LOOKS
    for member in list(metric.members.values()):
        if member.is_used:
            member.is_used, member.used = False, now
            model.publication.membership.close(member)
        elif now - member.used >= ttl:
            model.publication.membership.forget(metric, member.values)


class Expiry:
    """Looks at one family now and then, in the stead of a gauge's callable (see `ticker`)."""

    def __init__(self, model: Model, metric: Metric) -> None:
        self._model = model
        self._metric = metric

    @property
    def is_over(self) -> bool:
        """Whether nobody needs it any more."""
        return self._model.removed

    def begin_anew(self) -> None:
        """In a forked child nothing is different."""

    def speak(self, _forgiven: type[BaseException]) -> None:
        """Look, if it is time for that."""
        if clock() >= self._metric.next_look:
            process.alone(look_at, self._model, self._metric)
