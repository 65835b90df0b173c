"""The cells of many files of one Pattern, as one value each.

`Tally.read` takes what a file said three times, one copy after the other, and `add` adds all of it: only a
file that has the blocks of the pattern, and whose values nobody was at meanwhile. Any other one is read the
long way, which tells what it is. Over the lanes of one file sums of integers are modulo 2**64, as cells are;
over files they are exact. Sums of doubles are made in the order in which they come.

`tally_type()` gives the native twin where it was built.
"""

from __future__ import annotations

from struct import Struct

from mmstats.read.families import MADE, Family, Present, no_member
from mmstats.read.pattern import FAMILY, LISTED, STATED
from mmstats.read.steps import Listed, Stated, Told
from mmstats.read.twins import twin
from mmstats.read.walked import BusyError, OtherError, ShortError, UnaddedError, Walked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Union

    from mmstats.read.pattern import Span, Step
    from mmstats.read.walked import Members

    # Of each step that hands out: what each lane has; of a family by the number of its member.
    Answer = Union[list[Any], int]
    Lawful = Callable[[int, bytes], bool]
    Noted = tuple[bytes, int, int]  # uuid, pid, start

# Why a file is not read: it is of another pattern; it needs the long way; more of it is needed.
OTHER, BUSY, SHORT = range(3)
ANSWERS: dict[type[UnaddedError], int] = {OtherError: OTHER, BusyError: BUSY, ShortError: SHORT}
MOST_MEMBERS = 65_536

# Of a header: uuid, pid, when its file was made, when its writer started.
_whose = Struct("<48x16s32xI36xQ8xQ").unpack_from


class Tally:
    """Files of one pattern."""

    __slots__ = (
        *("_added", "_families", "_is_read", "_known", "_noted", "_present", "_spans", "_steps", "_totals"),
        "_youngest",
    )

    def __init__(
        self,
        spans: Sequence[Span],
        steps: Sequence[Step],
        *,
        is_whole: bool = False,  # noqa: ARG002 - what only the native twin has to know
        is_told: bool = False,  # noqa: ARG002 - likewise
    ) -> None:
        """`is_whole`: one copy of a file tells all; `is_told`: who gathers has to tell of each file."""
        self._spans = list(spans)
        self._steps: list[tuple[Any, tuple[int, ...]]] = []
        self._families: dict[int, Family] = {}
        self._known: dict[bytes, Members] = {}
        self._totals: list[Any] = []  # of members that are one number each
        self._added: set[int] = set()  # which of those there were
        self._present: list[Present] = []
        self._is_read = False
        self._noted: list[Noted] = []
        self._youngest: tuple[tuple[int, bytes], bytes, str] = ((-1, b""), b"", "")
        for number, step in enumerate(steps):
            what, *rest = step
            if what == FAMILY:
                family = self._families[rest[0]] = Family(number, rest[1:])
                self._steps.append((family, ()))
            elif what in ALONE:
                self._steps.append((ALONE[what](*rest), ()))
            else:
                segment, index, *shape = rest
                self._steps.append((MADE[what](*shape), (segment, index)))

    def read(self, first: bytes, middle: bytes, last: bytes, size: int, lawful: Lawful) -> Answer:
        """One file of `size` bytes, of which each copy has as many; why not, where it cannot be added.

        What the steps hand out: of each lane that counts, the bytes and whether its thread lives; of a
        family by the number of the member. `lawful(step, ttl and tags)`: whether a member can have those,
        asked when it comes into sight.
        """
        self._is_read = False
        try:
            file = Walked(self._spans, self._known, (first, middle, last), size)
            for step, where in self._steps:
                step.read(file, *where)
            self._read_members(file, lawful)
        except UnaddedError as error:
            return ANSWERS[type(error)]
        self._is_read = True
        steps = [step for step, _ in self._steps]
        return [step.held if isinstance(step, HANDING) else step.handed() for step in steps if _hands(step)]

    def _read_members(self, file: Walked, lawful: Lawful) -> None:
        seen: set[int] = set()
        self._present = []
        for members in file.members:
            present = members.made
            if present is None:
                present = members.made = Present(members, self._families, self._totals, lawful)
            if not seen.isdisjoint(present.numbers):
                raise BusyError
            seen |= present.numbers
            self._present.append(present)
            present.read(file)
        if len(seen) > MOST_MEMBERS:
            raise BusyError

    def add(self) -> None:
        """Add the file that was read last. ValueError: it was not read, or was added."""
        if not self._is_read:
            raise ValueError("no file was read that can be added")
        self._is_read = False
        for step, _ in self._steps:
            if not isinstance(step, HANDING):
                step.add()
        for present in self._present:
            self._added |= present.numbers
            for slots, _ in present.slots:
                for number, value in zip(slots.numbers, slots.held):
                    if value is not None:
                        before = self._totals[number]
                        self._totals[number] = value if before is None else before + value

    def values(self) -> list[Any]:
        """What each step comes to; None for what is handed out.

        * NUMBERS: one for each cell, None where nobody wrote.
        * SPREAD: None, or count, sum, min, max, zero, overflow, negative, counts between bounds, and index of
          each bucket → count.
        * LATEST: None, or sum and count of the last durations, time of the last one, and it.
        * LISTED: of each file the number, as eight bytes hold it, and when the writer began.
        * FAMILY: the numbers of its members; what the first step of each has, a number or like a SPREAD; and
          what LATEST has, if the second is one.
        """
        return [
            step.value(self._totals, self._added)
            if isinstance(step, Family)
            else None
            if isinstance(step, HANDING)
            else step.value()
            for step, _ in self._steps
        ]

    def key(self, step: int, number: int) -> bytes:
        """The ttl and the tags of a member, as they stand in files. IndexError: there is none."""
        family = self._steps[step][0]
        return family.key(number) if isinstance(family, Family) else no_member()

    @property
    def met(self) -> int:
        """How many members it remembers."""
        return len(self._totals)

    def clear(self) -> None:
        """Begin anew, with the members that were met."""
        self._is_read = False
        self._noted = []
        self._youngest = ((-1, b""), b"", "")
        self._totals = [None] * len(self._totals)
        self._added = set()
        for step, _ in self._steps:
            if not isinstance(step, HANDING):
                step.clear()

    # --- whose files were added ---------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many files were noted."""
        return len(self._noted)

    def note(self, header: bytes, prefix: str, name: str) -> None:
        """Whose file was added; its path in two pieces."""
        uuid, pid, created, started = _whose(header)
        self._noted.append((uuid, pid, started))
        if (created, uuid) > self._youngest[0]:
            self._youngest = ((created, uuid), header, prefix + name)

    def youngest(self) -> tuple[bytes, str]:
        """Header and path of the youngest one's file. ValueError: none was noted."""
        if not self._noted:
            raise ValueError("no file was noted")
        return self._youngest[1:]

    def people(self) -> set[tuple[int, float]]:
        """Pid and start, in seconds, of each."""
        return {(pid, started / 1e9) for _, pid, started in self._noted}

    def uuids(self) -> set[bytes]:
        """The uuids of their files."""
        return {uuid for uuid, _, _ in self._noted}


def _hands(step: Any) -> bool:
    return step.hands if isinstance(step, Family) else isinstance(step, HANDING)


ALONE: dict[int, Any] = {STATED: Stated, LISTED: Listed}  # what has no cells
HANDING = (Told, Stated)


def tally_type(*, pure: bool = False) -> type[Tally]:
    """The native twin where it was built, unless this one is asked for."""
    return twin(Tally, "Tally", pure=pure)
