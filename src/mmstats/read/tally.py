"""The cells of many files of one Pattern, as one value each.

`Tally.read` takes what a file said three times, one copy after the other, and `add` adds all of it: only a
file that has the blocks of the pattern, and whose values nobody was at meanwhile. Any other one is read the
long way, which tells what it is. Over the lanes of one file sums of integers are modulo 2**64, as cells are;
over files they are exact. Sums of doubles are made in the order in which they come.

`tally_type()` gives the native twin where it was built. It is a module of its own, as who reads loads nothing
of what writes.
"""

from __future__ import annotations

from mmstats.read.pattern import FAMILY, NUMBERS, SPREAD, STATED, SUM_I64, SUM_U64, TOLD
from mmstats.read.slots import Slots
from mmstats.read.steps import Numbers, Spread, Stated, Told
from mmstats.read.walked import BusyError, OtherError, ShortError, UnaddedError, Walked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Union

    from mmstats.read.pattern import Span, Step
    from mmstats.read.steps import Handed
    from mmstats.read.walked import Member, Members

    # Of each step that hands out: what each lane has; of a family by the number of its member.
    Answer = Union[list[Any], int]
    Lawful = Callable[[int, bytes], bool]

# Why a file is not read: it is of another pattern; it needs the long way; more of it is needed.
OTHER, BUSY, SHORT = range(3)
ANSWERS: dict[type[UnaddedError], int] = {OtherError: OTHER, BusyError: BUSY, ShortError: SHORT}
MOST_MEMBERS = 65_536


class Tally:
    """Files of one pattern."""

    __slots__ = ("_added", "_families", "_is_read", "_known", "_present", "_spans", "_steps", "_totals")

    def __init__(self, spans: Sequence[Span], steps: Sequence[Step]) -> None:
        self._spans = list(spans)
        self._steps: list[tuple[Any, tuple[int, ...]]] = []
        self._families: dict[int, Family] = {}
        self._known: dict[bytes, Members] = {}
        self._totals: list[Any] = []  # of members that are one number each
        self._added: set[int] = set()  # which of those there were
        self._present: list[Present] = []
        self._is_read = False
        for number, step in enumerate(steps):
            what, *rest = step
            if what == FAMILY:
                family = self._families[rest[0]] = Family(number, rest[1:])
                self._steps.append((family, ()))
            elif what == STATED:
                self._steps.append((Stated(*rest), ()))
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
        """By step: of NUMBERS one of each cell, None where nobody wrote.

        Of a SPREAD None, or count, sum, min, max, zero, overflow, negative, counts between bounds, and
        bucket, counted from the lowest one of the range, → count. None for what is handed out. Of a FAMILY
        of each member its ttl and tags, its number, and what its first step has: a number, or like a SPREAD.
        """
        return [
            step.value(self._totals, self._added)
            if isinstance(step, Family)
            else None
            if isinstance(step, HANDING)
            else step.value()
            for step, _ in self._steps
        ]


class Present:
    """What is to be done for members that follow each other. `numbers`: who they are."""

    __slots__ = ("_single", "numbers", "slots")

    def __init__(
        self, members: Members, families: dict[int, Family], totals: list[Any], lawful: Lawful
    ) -> None:
        """BusyError where one cannot be, or is there twice."""
        self.numbers: set[int] = set()
        self.slots: list[tuple[Slots, tuple[int, int]]] = []
        self._single: list[tuple[Family, int, Member]] = []
        side_by_side: list[tuple[int, int, Member]] = []  # number, rule, member
        for member in members.taken:
            family = families.get(member[0])
            if family is None:
                raise BusyError
            number = family.number_of(member[4], totals, lawful)
            if number in self.numbers:
                raise BusyError
            self.numbers.add(number)
            if family.rule is None:
                self._single.append((family, number, member))
                continue
            if side_by_side and not _follows(member, side_by_side[-1][2]):
                self._put(side_by_side)
                side_by_side = []
            side_by_side.append((number, family.rule, member))
        if side_by_side:
            self._put(side_by_side)

    def _put(self, together: list[tuple[int, int, Member]]) -> None:
        numbers, rules, members = zip(*together)
        _, segment, index, _, _ = members[0]
        slots = Slots(list(numbers), list(rules), [member[3] for member in members])
        self.slots.append((slots, (segment, index)))

    def read(self, file: Walked) -> None:
        for slots, where in self.slots:
            slots.read(file, *where)
        for family, number, member in self._single:
            family.take(file, number, member)


def _follows(member: Member, before: Member) -> bool:
    return member[1:3] == (before[1], before[2] + Slots.STEP)


class Family:
    """The members of a family, as they come into sight. `rule`: of one that is summed up; None: of others."""

    __slots__ = ("_members", "_now", "_number", "_steps", "hands", "rule")

    def __init__(self, number: int, steps: Sequence[Step]) -> None:
        self._number = number
        self._steps = steps
        self.hands = any(step[0] == TOLD for step in steps)
        what, rules, *living = steps[0]
        is_sum = what == NUMBERS and rules[0] in (SUM_U64, SUM_I64) and not living[0]
        self.rule = rules[0] if is_sum else None
        self._members: dict[bytes, tuple[int, list[Any]]] = {}
        self._now: dict[int, list[Any]] = {}

    def read(self, _file: Walked) -> None:
        """Those of one file follow."""
        self._now = {}

    def number_of(self, key: bytes, totals: list[Any], lawful: Lawful) -> int:
        """Who it is: a number that no member of another family has. BusyError: it cannot be."""
        known = self._members.get(key)
        if known is None:
            if len(self._members) >= MOST_MEMBERS or not lawful(self._number, key):
                raise BusyError
            steps = [] if self.rule is not None else [MADE[one[0]](*one[1:]) for one in self._steps]
            known = self._members[key] = (len(totals), steps)
            totals.append(None)
        return known[0]

    def take(self, file: Walked, number: int, member: Member) -> None:
        """One member of the file."""
        _, segment, index, word, key = member
        steps = self._now[number] = self._members[key][1]
        for step in steps:
            step.read(file, segment, index, word)

    def handed(self) -> dict[int, Handed]:
        return {number: steps[-1].held for number, steps in self._now.items()}

    def add(self) -> None:
        for steps in self._now.values():
            for step in steps:
                if not isinstance(step, Told):
                    step.add()

    def value(self, totals: list[Any], added: set[int]) -> list[tuple[bytes, int, Any]]:
        return [
            (key, number, _value(steps[0]) if steps else totals[number])
            for key, (number, steps) in self._members.items()
            if number in added
        ]


def _value(step: Any) -> Any:
    if isinstance(step, Numbers):
        return step.value()[0]
    return None if isinstance(step, Told) else step.value()


def _hands(step: Any) -> bool:
    return step.hands if isinstance(step, Family) else isinstance(step, HANDING)


MADE: dict[int, Any] = {NUMBERS: Numbers, SPREAD: Spread, TOLD: Told}
HANDING = (Told, Stated)


def tally_type(*, pure: bool = False) -> type[Tally]:
    """The native twin where it was built, unless this one is asked for."""
    if not pure:
        try:
            from mmstats.read._native import Tally as Native
        except ImportError:
            pass
        else:
            return Native  # type: ignore[return-value]  # the same by its methods
    return Tally
