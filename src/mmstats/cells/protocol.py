"""What a twin is: the names both `pure` and `native` offer, for the type checker and for readers.

How the pieces meet:

* A *segment* is a list of cells that every publishing thread has a copy of, in its own lane. The
  twin keeps, for each thread, where that copy is; finding it is the first half of every update.
* Where the calling thread has no copy yet (its first update, a forked child, a removed model), the
  update calls the segment's *opener*, once, and outside the fast path. The opener either attaches
  memory for the calling thread and returns None, and the update is done then; or it returns a
  callable *later*, and the update is handed to it as `later(function, *arguments)`: to be done when
  the slow path that this one interrupted is through, or to be counted as dropped. After None the
  memory is used whether the token stands or not: who leaves it down is asked again each time.
* A read calls the opener exactly as an update does. If it is given a *later*, it answers with the
  initial value (0 of a counter), or raises `mmstats.errors.Removed`, naming the label, if the later
  has an attribute `removed` that is true.
* The *token* is a page that the kernel wipes in every forked child, however the fork was made. A
  segment's memory counts as attached only while the token stands. `renew()` sets it up again, after
  the child has made a region of its own and the forking thread's memory was forgotten. `lower()` lets
  it fall in a process that cannot publish all it wants to: every update asks its opener then. That is
  no fork: `is_ours` goes on saying so, and threads that end give their lanes back.
* Memory is handed over as a writable buffer of bytes, 8-aligned, a whole number of cells. The twin
  keeps it alive while it is attached, and lets go of it some time after its thread ended, forgot it
  or attached other memory, at the latest when the segment is closed.
* *base*: a thread that adopts a lane goes on from what its former owner left in the cells. Its own
  value of a summed cell is the cell less the base at that index. There is one value for each cell,
  a float where the cell is one; None where every base is zero.
* What values of several cells are is said in `compound_protocol`.
* Values are checked, and wrapped, before anybody is asked for memory: a wrong type is an error where
  it was written, also when the update would have been handed to a *later*.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, Protocol, TypeVar, Union

    from mmstats.cells.exceptions import Exceptions

    Later = Callable[..., object]
    Opener = Callable[["Segment"], "Later | None"]
    Amount = Union[int, float]
    Reckoned = TypeVar("Reckoned", bound=Callable[[], Amount])

    class Token(Protocol):
        """One for the process: `cells.token`."""

        @property
        def stands(self) -> bool:
            """Whether attached memory counts."""

        @property
        def is_ours(self) -> bool:
            """Whether this is still the process that called `renew`, be the token lowered or not."""

        def renew(self) -> None:
            """Let attached memory count: this process has its own. A second time changes nothing."""

        def lower(self) -> None:
            """Let every update ask its opener, until the token is renewed."""

    class Segment(Protocol):
        """Cells that every publishing thread has a copy of, in its own lane."""

        def __init__(self, opener: Opener) -> None: ...

        def attach(
            self,
            memory: memoryview,
            base: Sequence[Amount] | None = None,
            *,
            release: bool = False,
        ) -> None:
            """From now on the calling thread's cells are in `memory`.

            With `release`, zero is stored into the first cell when the thread ends, unless this
            is a forked child by then, or the cell says something else than now: that is how a
            lane is given back, once.
            """

        @property
        def is_attached(self) -> bool:
            """Whether the calling thread attached memory in this process and keeps it, token or not."""

        def forget(self) -> None:
            """The calling thread's memory no longer counts."""

        def close(self) -> None:
            """No thread's memory counts any more; every update goes to the opener.

            Memory attached after that counts again: a forked child lets go of its parent's so.
            """

    class Instance(Protocol):
        """The base of a model's instances.

        Assigning to, or deleting, a name in the type's `__mmstats_fields__` that is not a data
        descriptor is a TypeError that names the field, and one of its methods: the field's attribute
        `_mm_verb`, or incr where it has none; None where there is nothing to call. If that is `set`,
        assigning calls it: `stats.free = 12` is `stats.free.set(12)`.
        """

        def _mm_bind(self, name: str, handle: object) -> None:
            """Make `handle` a plain attribute, as only the model itself may.

            Neither `object.__setattr__` (refused for a type with a C `__setattr__`) nor
            `self.__dict__` (which makes a dict of the inline values, and loads slower) does it.
            """

    class Counter(Protocol):
        """A bound counter. `cell_type` is layout.CELL_TYPE_U64, _I64 (updown) or _F64."""

        def __init__(
            self,
            segment: Segment,
            index: int,
            cell_type: int,
            label: str,
            total: Callable[[int, int], Amount],
        ) -> None: ...

        label: str

        def incr(self, amount: Amount = 1) -> None:
            """Add `amount`, of any size. A u64 cell wraps modulo 2**64.

            An amount below zero wraps too, with one RuntimeWarning per process. TypeError, with label
            and value, for what is no number, and for what is no integer if the cell is one.
            """

        def inc(self, n: Amount = 1) -> None:
            """0.8's first name for `incr`."""

        def count_exceptions(self, *types: type[BaseException]) -> Exceptions:
            """One more for each of these that is raised: a context, and a decorator (see `exceptions`)."""

        @property
        def value(self) -> Amount:
            """What the calling thread has counted. Settable."""

        @property
        def total(self) -> Amount:
            """What the whole process has counted: `total(index, cell_type)`."""

    class UpDown(Counter, Protocol):
        """A bound number that goes up and down: a Counter in cells of type I64 or F64."""

        def __init__(
            self,
            segment: Segment,
            index: int,
            cell_type: int,
            label: str,
            total: Callable[[int, int], Amount],
            held: Callable[[UpDown], AbstractContextManager[None]],
        ) -> None: ...

        def decr(self, amount: Amount = 1) -> None:
            """Take `amount` away, as `incr` adds it."""

        def dec(self, n: Amount = 1) -> None:
            """The short name of `decr`."""

        def held(self) -> AbstractContextManager[None]:
            """One more inside of the `with`: what `held(self)` gives."""

    class Number(Protocol):
        """A data descriptor for a plain number or a bool: stands in the class, under the field's name.

        Where an instance's cell is stands in its `_mm_cells`, a dict from the field's name to
        `(segment, index, initial)` that the model fills, and does not change afterwards: a twin may
        cache it, holding the instance weakly. Reading gives the calling thread's own value, `initial`
        where it never wrote. Asked of the class it is the declared field. Assigning checks the value,
        wraps an integer to the field's width, and stores one cell.
        `cell_type` is layout.CELL_TYPE_U64, _I64, _F64 or _BOOL; `bits` 8, 16, 32 or 64 (an F64 of
        32 bits is rounded to single precision); `never`: the cells begin as the never pattern of
        FORMAT.md section 5, else as zero. Wrong types are a TypeError that names field and value;
        deleting is one, too. Only a cell that begins as zero, and is no bool, is seen less its base.
        """

        def __init__(self, name: str, cell_type: int, bits: int, signed: bool, never: bool) -> None: ...

    class Gauge(Protocol):
        """A bound gauge: one cell, of type F64, that every thread of the process attaches.

        It begins as never_f64. Nothing reads it in order to write it, so threads may store as they like.
        """

        def __init__(
            self,
            segment: Segment,
            index: int,
            label: str,
            refuse: Callable[[], object],
            track: Callable[[Gauge, Callable[[], Amount]], Callable[[], Amount]],
        ) -> None: ...

        label: str

        def set(self, value: Amount) -> None:
            """The value from now on; infinities are lawful, of a NaN `refuse()` is told.

            TypeError, with label and value, for what is no number.
            """

        def set_to_current_time(self) -> None:
            """Set `time.time()`, whatever that is at the time."""

        def track(self, callable: Reckoned) -> Reckoned:  # noqa: A002 - the public name
            """What `track(self, callable)` gives: the callable."""

        @property
        def value(self) -> float:
            """What the process set last; 0.0 before that."""

    class Text(Protocol):
        """A data descriptor for a text: stands in the class, under the field's name.

        The instance's `_mm_cells` has `(segment, index, initial)` as for a Number. Reading gives the
        text that the calling thread wrote last, `initial` where it wrote none; its slot has a time of 0
        then, or the witness is 0. Assigning takes a str, and cuts its UTF-8 at the end of the last
        whole character that fits `size` bytes; what UTF-8 cannot say (a lone surrogate) becomes "?".
        It has TEXT_SIZE + 2 * (SLOT_BYTES + ceil(size / 8)) cells; the bytes behind the text, up to the
        end of its last word, are zero. Anything else is a TypeError that names field and value.
        """

        def __init__(self, name: str, size: int) -> None: ...

    class Lookup(Protocol):
        """The base of families, which have a `_find(values, named)`: which object stands for some values.

        It is asked for what is not in `_handles` yet, and for values that are no str, int, float or bool
        themselves, or not as many as the names; those the twin makes texts of, as `str` does.
        """

        _names: tuple[str, ...]
        _handles: dict[tuple[str, ...], Any]

        def __init__(self, names: tuple[str, ...]) -> None: ...

        def tagged(self, /, *values: object, **named: object) -> Any:
            """What stands for these values, by position or by name."""
