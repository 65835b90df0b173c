"""The pure twin: the meaning of a cell, in Python.

One update is one expression, and each part of it has its reason:

    self._segment._local.views[word[0]][self._view][self._index] += amount

* `_local` is a thread-local of the interpreter, taken before gevent could replace it: lanes belong to
  threads of the machine, a thousand greenlets share one. Every segment has its own, so that closing
  one is dropping one: `close()` puts an empty one in its place.
* `views` is a pair: None, and the views of this thread's memory. `word` is the token, a page that the
  kernel wipes in a forked child. There the index is 0, the views are None, and None has no items: a
  TypeError, before anything was stored. No system call, no hook, no branch.
* `_view` chooses one of four views of the same memory. Integers are stored through a signed one, so
  that the usual small sum needs no mask. An adopter's own values are seen through a view that shifts
  by the base; adding needs no base, and goes through the plain ones.
* The subscript store of a view writes eight bytes at once, and one thread is its only writer. What
  no other thread can tear, a signal handler or `__del__` that counts into the same cell, in the middle
  of this expression, still can: that is a case for the native twin.

Whatever goes wrong there was not stored, and goes to the slow branch, which finds out: a thread
without memory (AttributeError), a wiped token or an amount of a wrong type (TypeError), a sum that does
not fit a signed word (ValueError, OverflowError), a NaN of `decimal`, which will not be compared (another
ArithmeticError).
"""

from __future__ import annotations

from math import isnan

from mmstats.cells.compound import Average, Moving
from mmstats.cells.counter import Counter, UpDown
from mmstats.cells.distribution import Histogram
from mmstats.cells.gauge import Gauge
from mmstats.cells.lookup import Lookup
from mmstats.cells.segment import DOUBLES, INTS, OWN, WENT_WRONG, Segment, refuse_if_removed
from mmstats.cells.text import Text
from mmstats.cells.timing import Duration, Timing
from mmstats.cells.window import Window
from mmstats.cells.wiped import Token, word
from mmstats.cells.words import (
    INFINITY,
    MASK,
    NEVER_WORDS,
    QUIET_NAN,
    beside_never,
    real_from,
    single,
    whole_from,
    wrapped,
)
from mmstats.format.layout import CELL_TYPE_BOOL, CELL_TYPE_F64, CELL_TYPE_I64, CELL_TYPE_U64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


__all__ = [
    "Average",
    "Counter",
    "Duration",
    "Gauge",
    "Histogram",
    "Instance",
    "Lookup",
    "Moving",
    "Number",
    "Segment",
    "Text",
    "Timing",
    "UpDown",
    "Window",
    "token",
]

token = Token()

FALSE, TRUE = 1, 2  # of a bool; 0 is never


class Number:
    """A data descriptor for a plain number or a bool."""

    __slots__ = (
        "_bits",
        "_blank",
        "_cell_type",
        "_highest",
        "_lowest",
        "_never",
        "_shown",
        "_signed",
        "_view",
        "name",
    )

    def __init__(self, name: str, cell_type: int, bits: int, signed: bool, never: bool) -> None:
        is_real = cell_type == CELL_TYPE_F64
        if cell_type not in (CELL_TYPE_U64, CELL_TYPE_I64, CELL_TYPE_F64, CELL_TYPE_BOOL) or bits not in (
            (32, 64) if is_real else (8, 16, 32, 64)
        ):
            raise ValueError(f"{name!r}: no number of {bits} bits in cells of type {cell_type}")
        self.name = name
        self._cell_type = cell_type
        self._bits = bits
        self._signed = signed
        self._never = never
        summed = not never and cell_type != CELL_TYPE_BOOL
        self._view = (DOUBLES if is_real else INTS) + (OWN if summed else 0)
        self._blank = NEVER_WORDS[cell_type] if never or cell_type == CELL_TYPE_BOOL else None
        self._shown = self._shown_by()
        self._lowest, self._highest = self._stored_as_they_are()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _shown_by(self) -> Callable[[Any], Any] | None:
        """What makes the value of what is stored; None: it is the value."""
        if self._cell_type == CELL_TYPE_BOOL:
            return TRUE.__eq__
        if self._cell_type == CELL_TYPE_F64:
            return single if self._bits == 32 else None
        return None if self._signed else MASK.__and__

    def _stored_as_they_are(self) -> tuple[float, float]:
        """The lowest and the highest value that need neither wrapping nor rounding."""
        if self._cell_type == CELL_TYPE_BOOL or (self._cell_type == CELL_TYPE_F64 and self._bits == 32):
            return INFINITY, -INFINITY
        if self._cell_type == CELL_TYPE_F64:
            return -INFINITY, INFINITY
        if self._signed:
            return -(1 << self._bits - 1) + self._never, (1 << self._bits - 1) - 1
        return 0, (1 << min(self._bits, 63)) - 1

    def __set__(self, instance: Any, value: Any) -> None:
        try:
            if self._lowest <= value <= self._highest:
                segment, index, _ = instance._mm_cells[self.name]
                segment._local.views[word[0]][self._view][index] = value
                return
        except (*WENT_WRONG, KeyError):
            pass
        self._set_slowly(instance, value)

    def __delete__(self, instance: object) -> None:
        raise TypeError(f"{self.name!r} cannot be deleted")

    def _set_slowly(self, instance: Any, value: Any) -> None:
        stored = self._checked(value)
        segment, index, _ = self._place(instance)
        views, later = segment._reach()
        if later is not None:
            later(self.__set__, instance, value)
        else:
            views[self._view][index] = stored

    def _place(self, instance: Any) -> tuple[Segment, int, Any]:
        cells: dict[str, tuple[Segment, int, Any]] = instance._mm_cells
        try:
            return cells[self.name]
        except KeyError:
            raise AttributeError(self.name) from None

    def _checked(self, value: Any) -> Any:
        """What is stored for the value, or TypeError."""
        if self._cell_type == CELL_TYPE_BOOL:
            return TRUE if value else FALSE
        if self._cell_type == CELL_TYPE_F64:
            real = real_from(self.name, value)
            real = single(real) if self._bits == 32 else real
            return QUIET_NAN if self._never and isnan(real) else real
        stored = wrapped(whole_from(self.name, value), self._bits, self._signed)
        return beside_never(self._cell_type, stored) if self._never else stored

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return getattr(owner, "__mmstats_fields__", {}).get(self.name, self)
        segment, index, initial = self._place(instance)
        try:
            views = segment._local.views[word[0]]
            stored = views[self._view][index]
        except WENT_WRONG:
            views, later = segment._reach()
            if later is not None:
                refuse_if_removed(later, self.name)
                return initial
            stored = views[self._view][index]
        if self._blank is not None and views[INTS][index] == self._blank:
            return initial
        return stored if self._shown is None else self._shown(stored)


def is_data_descriptor(kind: type, name: str) -> bool:
    """Whether assigning to that name is the business of something in the class."""
    for base in kind.__mro__:
        if name in base.__dict__:
            return hasattr(type(base.__dict__[name]), "__set__")
    return False


def declared_field(instance: object, name: str) -> Any:
    """The field of that name, if it is one that takes no assignment."""
    kind = type(instance)
    fields: Any = getattr(kind, "__mmstats_fields__", ())
    return fields[name] if name in fields and not is_data_descriptor(kind, name) else None


def what_it_is(instance: object, name: str, field: object) -> str:
    return f"{name!r} is declared as {type(field).__name__} of {type(instance).__name__}"


class Instance:
    """The base of a model's instances: fields that are no plain numbers cannot be assigned."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        nearest = type(self).__dict__.get(name)
        if type(nearest) is Number:
            nearest.__set__(self, value)  # what object.__setattr__ would come to, and sooner
            return
        field = declared_field(self, name)
        if field is not None:
            verb = getattr(field, "_mm_verb", "incr")
            if verb == "set":  # assigning is another way to call it
                object.__getattribute__(self, name).set(value)
                return
            how = f"call its methods, as {verb}(); " if verb is not None else ""
            raise TypeError(f"{what_it_is(self, name, field)}: {how}it cannot be assigned")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        field = declared_field(self, name)
        if field is not None:
            raise TypeError(f"{what_it_is(self, name, field)}: it cannot be deleted")
        object.__delattr__(self, name)

    def _mm_bind(self, name: str, handle: object) -> None:
        """Make `handle` a plain attribute, as only the model itself may."""
        object.__setattr__(self, name, handle)
