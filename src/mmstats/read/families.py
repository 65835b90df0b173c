"""Members of families in a `Tally`: who they are, and what is done for those of one file."""

from __future__ import annotations

from mmstats.read.pattern import LATEST, NUMBERS, SPREAD, SUM_I64, SUM_U64, TOLD
from mmstats.read.slots import Slots
from mmstats.read.spreads import Latest, Spread
from mmstats.read.steps import Numbers, Told
from mmstats.read.walked import BusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from mmstats.read.pattern import Step
    from mmstats.read.steps import Handed
    from mmstats.read.walked import Member, Members, Walked

    Lawful = Callable[[int, bytes], bool]

MOST_MEMBERS = 65_536
MADE: dict[int, Any] = {NUMBERS: Numbers, SPREAD: Spread, TOLD: Told, LATEST: Latest}


def no_member() -> NoReturn:
    """IndexError."""
    raise IndexError("no such member")


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

    __slots__ = ("_has_latest", "_keys", "_members", "_now", "_number", "_steps", "hands", "rule")

    def __init__(self, number: int, steps: Sequence[Step]) -> None:
        self._number = number
        self._steps = steps
        self.hands = any(step[0] == TOLD for step in steps)
        self._has_latest = any(step[0] == LATEST for step in steps)
        what, rules, *living = steps[0]
        is_sum = what == NUMBERS and rules[0] in (SUM_U64, SUM_I64) and not living[0]
        self.rule = rules[0] if is_sum else None
        self._members: dict[bytes, tuple[int, list[Any]]] = {}
        self._keys: dict[int, bytes] = {}  # the other way
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
            self._keys[len(totals)] = key
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

    def value(self, totals: list[Any], added: set[int]) -> tuple[list[int], list[Any], list[Any]]:
        found = [(number, steps) for number, steps in self._members.values() if number in added]
        values = [_value(steps[0]) if steps else totals[number] for number, steps in found]
        latest = [steps[1].value() for _, steps in found] if self._has_latest else []
        return [number for number, _ in found], values, latest

    def key(self, number: int) -> bytes:
        return self._keys[number] if number in self._keys else no_member()

    def clear(self) -> None:
        self._now = {}
        for _, steps in self._members.values():
            for step in steps:
                if not isinstance(step, Told):
                    step.clear()


def _value(step: Any) -> Any:
    if isinstance(step, Numbers):
        return step.value()[0]
    return None if isinstance(step, Told) else step.value()
