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
  the child has made a region of its own and the forking thread's memory was forgotten.
* Memory is handed over as a writable buffer of bytes, 8-aligned, a whole number of cells. The twin
  keeps it alive while it is attached, and lets go of it some time after its thread ended, forgot it
  or attached other memory, at the latest when the segment is closed.
* *base*: a thread that adopts a lane goes on from what its former owner left in the cells. Its own
  value of a summed cell is the cell less the base at that index. There is one value for each cell,
  a float where the cell is one; None where every base is zero.
* Values are checked, and wrapped, before anybody is asked for memory: a wrong type is an error where
  it was written, also when the update would have been handed to a *later*.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol, Union

    Later = Callable[..., object]
    Opener = Callable[["Segment"], "Later | None"]
    Amount = Union[int, float]

    class Token(Protocol):
        """One for the process: `cells.token`."""

        @property
        def stands(self) -> bool:
            """Whether this is still the process that called `renew`."""

        def renew(self) -> None:
            """Let attached memory count again: this process has its own.

            A second time in the same process changes nothing.
            """

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
        `_mm_verb`, or incr where it has none; None where there is nothing to call.
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

        @property
        def value(self) -> Amount:
            """What the calling thread has counted. Settable."""

        @property
        def total(self) -> Amount:
            """What the whole process has counted: `total(index, cell_type)`."""

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
