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
not fit a signed word (ValueError, OverflowError).

A lane is given back by a guard in the thread-local, whose `__del__` runs in the dying thread. It runs
too in a forked child, for the threads that the parent still has, and when a thread-local is dropped:
so a guard looks at the token and the pid first, and is disarmed where the thread goes on.
"""

from __future__ import annotations

import sys
from _thread import _local
from _warnings import warn
from os import getpid

from mmstats.cells.wiped import Token, doubles, ints, word
from mmstats.cells.words import (
    INFINITY,
    MASK,
    NEVER_WORDS,
    QUIET_NAN,
    beside_never,
    real_from,
    signed,
    single,
    whole_from,
    wrapped,
)
from mmstats.errors import Removed
from mmstats.format.layout import CELL_TYPE_BOOL, CELL_TYPE_F64, CELL_TYPE_I64, CELL_TYPE_U64

if "gevent.monkey" in sys.modules:
    _local = sys.modules["gevent.monkey"].get_original("_thread", "_local")

token = Token()

FALSE, TRUE = 1, 2  # of a bool; 0 is never
INTS, DOUBLES, OWN = 0, 1, 2  # OWN + INTS, OWN + DOUBLES: less the base
WENT_WRONG = (AttributeError, TypeError, ValueError, OverflowError)


class OwnInts:
    """Integer cells, less what a former owner left in them."""

    __slots__ = ("_base", "_view")

    def __init__(self, view, base) -> None:
        self._view = view
        self._base = [value if isinstance(value, float) else whole_from("base", value) for value in base]

    def __getitem__(self, index: int) -> int:
        return signed(self._view[index] - self._base[index])

    def __setitem__(self, index: int, value: int) -> None:
        self._view[index] = signed(value + self._base[index])


class OwnDoubles:
    """Double cells, less what a former owner left in them."""

    __slots__ = ("_base", "_view")

    def __init__(self, view, base) -> None:
        self._view = view
        self._base = [float(value) for value in base]

    def __getitem__(self, index: int) -> float:
        return self._view[index] - self._base[index]

    def __setitem__(self, index: int, value: float) -> None:
        self._view[index] = value + self._base[index]


def views_of(memory, base):
    """The four views of one thread's memory."""
    bytes_given = memoryview(memory)
    if bytes_given.readonly:
        raise BufferError("memory is not writable")
    if not bytes_given.nbytes or bytes_given.nbytes % 8:
        raise ValueError(f"memory of {bytes_given.nbytes} bytes is not a whole number of cells")
    plain = ints(memory), doubles(memory)
    if base is None:
        return plain + plain
    base = tuple(base)
    if len(base) != len(plain[INTS]):
        raise ValueError(f"base has {len(base)} values, memory has {len(plain[INTS])} cells")
    return plain + (OwnInts(plain[INTS], base), OwnDoubles(plain[DOUBLES], base))


class Guard:
    """Stores zero into a lane's first cell when its thread ends."""

    __slots__ = ("_cells", "_pid", "_segment_open", "armed")

    def __init__(self, cells, segment_open: list[bool]) -> None:
        self._cells = cells
        self._pid = getpid()
        self._segment_open = segment_open
        self.armed = True

    def __del__(self, word=word, getpid=getpid) -> None:
        if self.armed and self._segment_open[0] and word[0] and self._pid == getpid():
            self._cells[0] = 0


class Segment:
    """Cells that every publishing thread has a copy of, in its own lane."""

    __slots__ = ("__weakref__", "_closings", "_local", "_open", "_opener")

    def __init__(self, opener) -> None:
        self._opener = opener
        self._local = _local()
        self._open = [True]
        self._closings = 0

    def attach(self, memory, base=None, *, release: bool = False) -> None:
        """From now on the calling thread's cells are in `memory`."""
        views = views_of(memory, base)
        if not self._open[0]:
            self._open = [True]  # the guards of before stay disarmed
        self.forget()
        local = self._local
        local.guard = Guard(views[INTS], self._open) if release else None
        local.views = (None, views)
        local.pid = getpid()

    def forget(self) -> None:
        """The calling thread's memory no longer counts."""
        mine = self._local.__dict__
        guard = mine.get("guard")
        if guard is not None:
            guard.armed = False
        mine.clear()

    def close(self) -> None:
        """No thread's memory counts any more; every update goes to the opener."""
        self._open[0] = False
        self._local = _local()
        self._closings += 1

    def __del__(self) -> None:
        self._open[0] = False  # the guards of threads that go on are about to be dropped

    def _standing(self):
        """The calling thread's views while the token stands, or None. No system call."""
        try:
            return self._local.views[word[0]]
        except AttributeError:
            return None

    def _attached(self):
        """The views that the calling thread attached in this process, or None."""
        mine = self._local.__dict__
        return mine["views"][1] if mine.get("pid") == getpid() else None

    def _reach(self):
        """The calling thread's views and None; or None, and what the update is to be handed to.

        After the opener answered None the memory is used whether the token stands or not: a process
        that has no file for now leaves the token down, so that every update asks again. The opener
        is asked once more only if the segment was closed, by another thread, behind its back.
        """
        closings = None
        while closings != self._closings:
            closings = self._closings
            views = self._standing()
            if views is not None:
                return views, None
            later = self._opener(self)
            if later is not None:
                return None, later
            views = self._attached()
            if views is not None:
                return views, None
        raise RuntimeError("the opener said that it attached memory, and did not")


def refuse_if_removed(later, label: str) -> None:
    """Removed, where what the opener answered to a reader says so."""
    if getattr(later, "removed", False):
        raise Removed(f"{label!r} was removed")


warned_of_wrap = False


def warn_of_wrap(label: str) -> None:
    """Once per process: a negative amount for an unsigned cell."""
    global warned_of_wrap
    if not warned_of_wrap:
        warned_of_wrap = True
        what = f"{label!r}: a negative amount wraps modulo 2**64; what goes down is an UpDownField"
        warn(what, RuntimeWarning, stacklevel=5)


class Counter:
    """A bound counter."""

    __slots__ = ("__weakref__", "_cell_type", "_index", "_segment", "_total", "_unsigned", "_view", "label")

    def __init__(self, segment: Segment, index: int, cell_type: int, label: str, total) -> None:
        if cell_type not in (CELL_TYPE_U64, CELL_TYPE_I64, CELL_TYPE_F64):
            raise ValueError(f"{label!r}: nothing counts in cells of type {cell_type}")
        self._segment = segment
        self._index = index
        self._cell_type = cell_type
        self._view = DOUBLES if cell_type == CELL_TYPE_F64 else INTS
        self._unsigned = cell_type == CELL_TYPE_U64
        self._total = total
        self.label = label

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label!r}>"

    def incr(self, amount=1) -> None:
        """Add `amount`. A u64 cell wraps modulo 2**64."""
        try:
            if amount >= 0 or not self._unsigned:
                self._segment._local.views[word[0]][self._view][self._index] += amount
                return
        except WENT_WRONG:
            pass
        self._add_slowly(amount)

    def inc(self, n=1) -> None:
        """The first name of `incr`."""
        Counter.incr(self, n)

    def _add_slowly(self, amount) -> None:
        word_added = self._checked(amount)
        views, later = self._segment._reach()
        if later is not None:
            later(Counter.incr.__get__(self), amount)
            return
        cells = views[self._view]
        total = cells[self._index] + word_added
        cells[self._index] = total if self._view == DOUBLES else signed(total)

    def _checked(self, amount):
        """The amount as a number that the cell can take, or TypeError."""
        if self._view == DOUBLES:
            return real_from(self.label, amount)
        whole = whole_from(self.label, amount)
        if whole < 0 and self._unsigned:
            warn_of_wrap(self.label)
        return whole

    @property
    def value(self):
        """What the calling thread has counted."""
        try:
            own = self._segment._local.views[word[0]][OWN + self._view][self._index]
        except WENT_WRONG:
            views, later = self._segment._reach()
            if later is not None:
                refuse_if_removed(later, self.label)
                return 0.0 if self._view == DOUBLES else 0
            own = views[OWN + self._view][self._index]
        return own & MASK if self._unsigned else own

    @value.setter
    def value(self, value) -> None:
        self._store(value)

    def _store(self, value) -> None:
        """The setter of `value`, for whom it is handed to."""
        own = self._checked(value)
        views, later = self._segment._reach()
        if later is not None:
            later(self._store, value)
        else:
            views[OWN + self._view][self._index] = own if self._view == DOUBLES else signed(own)

    @property
    def total(self):
        """What the whole process has counted."""
        return self._total(self._index, self._cell_type)


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

    def _shown_by(self):
        """What makes the value of what is stored; None: it is the value."""
        if self._cell_type == CELL_TYPE_BOOL:
            return TRUE.__eq__
        if self._cell_type == CELL_TYPE_F64:
            return single if self._bits == 32 else None
        return None if self._signed else MASK.__and__

    def _stored_as_they_are(self):
        """The lowest and the highest value that need neither wrapping nor rounding."""
        if self._cell_type == CELL_TYPE_BOOL or (self._cell_type == CELL_TYPE_F64 and self._bits == 32):
            return INFINITY, -INFINITY
        if self._cell_type == CELL_TYPE_F64:
            return -INFINITY, INFINITY
        if self._signed:
            return -(1 << self._bits - 1) + self._never, (1 << self._bits - 1) - 1
        return 0, (1 << min(self._bits, 63)) - 1

    def __set__(self, instance, value) -> None:
        try:
            if self._lowest <= value <= self._highest:
                segment, index, _ = instance._mm_cells[self.name]
                segment._local.views[word[0]][self._view][index] = value
                return
        except (*WENT_WRONG, KeyError):
            pass
        self._set_slowly(instance, value)

    def __delete__(self, instance) -> None:
        raise TypeError(f"{self.name!r} cannot be deleted")

    def _set_slowly(self, instance, value) -> None:
        stored = self._checked(value)
        segment, index, _ = self._place(instance)
        views, later = segment._reach()
        if later is not None:
            later(self.__set__, instance, value)
        else:
            views[self._view][index] = stored

    def _place(self, instance):
        cells = instance._mm_cells
        try:
            return cells[self.name]
        except KeyError:
            raise AttributeError(self.name) from None

    def _checked(self, value):
        """What is stored for the value, or TypeError."""
        if self._cell_type == CELL_TYPE_BOOL:
            return TRUE if value else FALSE
        if self._cell_type == CELL_TYPE_F64:
            real = real_from(self.name, value)
            real = single(real) if self._bits == 32 else real
            return QUIET_NAN if self._never and real != real else real
        stored = wrapped(whole_from(self.name, value), self._bits, self._signed)
        return beside_never(self._cell_type, stored) if self._never else stored

    def __get__(self, instance, owner=None):
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


def declared_field(instance, name: str):
    """The field of that name, if it is one that takes no assignment."""
    kind = type(instance)
    fields = getattr(kind, "__mmstats_fields__", ())
    return fields[name] if name in fields and not is_data_descriptor(kind, name) else None


class Instance:
    """The base of a model's instances: fields that are no plain numbers cannot be assigned."""

    __slots__ = ()

    def __setattr__(self, name: str, value) -> None:
        nearest = type(self).__dict__.get(name)
        if type(nearest) is Number:
            nearest.__set__(self, value)  # what object.__setattr__ would come to, and sooner
            return
        field = declared_field(self, name)
        if field is not None:
            verb = getattr(field, "_mm_verb", "incr")
            how = f"call its methods, as {verb}(); " if verb is not None else ""
            raise TypeError(f"{name!r} is a {type(field).__name__} of {type(self).__name__}: {how}it cannot be assigned")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        field = declared_field(self, name)
        if field is not None:
            raise TypeError(f"{name!r} is a {type(field).__name__} of {type(self).__name__}: it cannot be deleted")
        object.__delattr__(self, name)

    def _mm_bind(self, name: str, handle) -> None:
        """Make `handle` a plain attribute, as only the model itself may."""
        object.__setattr__(self, name, handle)
