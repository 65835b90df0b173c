"""Families of counters the short way: all members of a segment by one call for each lane.

Worked out once for all files with the same blocks, as a program's processes write them. Where what the cells
say needs a closer look, nothing is done, and the long way is taken instead.
"""

from __future__ import annotations

from itertools import groupby
from struct import Struct, unpack

from mmstats.errors import FormatError
from mmstats.format.members import tags_of
from mmstats.plan import Family

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.cells import Cells
    from mmstats.format.compound import Copies
    from mmstats.format.members import Slot
    from mmstats.format.runs import Decoded
    from mmstats.plan import Plan
    from mmstats.stat import Rows

STEP = 2  # words of a member: its generation, and the number
WHOLE, HALF = 1 << 64, 1 << 63
MOST_LAYOUTS = 1_000
NOWHERE: dict[int, tuple[int, int]] = {}


class Chunk:
    """Members that stand side by side in one segment, and where the lanes have them."""

    __slots__ = ("generations", "offsets", "size", "unpack")

    def __init__(self, slots: list[Slot], code: str, lanes: list[tuple[int, int]]) -> None:
        first, count = slots[0].index, len(slots)
        if [slot.index for slot in slots] != list(range(first, first + STEP * count, STEP)):
            raise FormatError(0, "members with room between them", "side by side")
        if any(first + STEP * count > room for _, room in lanes):
            raise FormatError(0, "a lane that ends within a member", "all of it")
        self.generations = tuple([unpack("<Q", slot.word)[0] for slot in slots])
        self.offsets = [start + 8 * first for start, _ in lanes]
        self.unpack = Struct(f"<{f'Q{code}' * count}").unpack_from
        self.size = 8 * STEP * count

    def numbers(self, copies: Copies) -> list[Any] | None:
        """One of each member, None where no lane counts for it; None at all: somebody was at it."""
        total: list[Any] = [None] * len(self.generations)
        for at, offset in enumerate(self.offsets):
            words = self.unpack(copies.middle, offset)
            before = words[::STEP]
            end = offset + self.size
            if copies.first[offset:end] != copies.last[offset:end]:
                before = self.unpack(copies.first, offset)[::STEP]
                if before != self.unpack(copies.last, offset)[::STEP]:
                    return None
            found: list[Any] = list(words[1::STEP])
            if before != self.generations:
                found = [
                    number if one == wanted else None
                    for number, one, wanted in zip(found, before, self.generations)
                ]
            total = _added(total, found) if at else found
        return total


def _added(one: list[Any], other: list[Any]) -> list[Any]:
    return [b if a is None else a if b is None else a + b for a, b in zip(one, other)]


class Quick:
    """All members of one family, in one file."""

    __slots__ = ("_abouts", "_chunks", "_initial", "_is_alone", "_is_signed", "_words")

    def __init__(
        self, plan: Plan, names: list[str], slots: list[Slot], decoded: Decoded, data: bytes
    ) -> None:
        """FormatError where the long way is the only one."""
        code = plan.code
        self._is_signed = code == "q"
        self._initial = plan.initial
        tags = [tags_of(data[slot.offset : slot.offset + slot.length], names, slot.offset) for slot in slots]
        if len(set(tags)) < len(tags):
            raise FormatError(0, "a member twice", "one of each")
        self._abouts = [plan.about_of(one, slot.ttl / 1e9) for one, slot in zip(tags, slots)]
        self._chunks, self._words = [], 0
        for segment, group in groupby(slots, key=lambda slot: slot.segment):
            together = list(group)
            lanes = list(decoded.cells.get(segment, {}).values())
            self._chunks.append(Chunk(together, code, lanes))
            self._words += STEP * len(together) * len(lanes)
        self._is_alone = all(len(chunk.offsets) < 2 for chunk in self._chunks)

    def add(self, rows: Rows, copies: Copies, cells: Cells) -> bool:
        """Add the stats of all members; False, and none of them, where that cannot be done so."""
        if not cells.has_room(self._words):
            return False  # where it is told which of the members are too many
        numbers: list[Any] = []
        for chunk in self._chunks:
            found = chunk.numbers(copies)
            if found is None:
                return False
            numbers += found
        cells.claim(self._words)
        wrapped = self._wrapped(numbers)
        if None in wrapped:
            for about, number in zip(self._abouts, wrapped):
                rows.add(about, number, self._initial if number is None else number)
        else:
            rows.add_plain(self._abouts, wrapped)
        return True

    def _wrapped(self, numbers: list[Any]) -> list[Any]:
        """As one cell would hold them: sums over the lanes of a process wrap at 64 bits."""
        if self._is_alone:
            return numbers
        low = -HALF if self._is_signed else 0
        return [None if number is None else (number - low) % WHOLE + low for number in numbers]


class QuickFamilies:
    """Those of many files. What is worked out for one is right for each whose blocks are the same."""

    __slots__ = ("_met",)

    def __init__(self) -> None:
        self._met: dict[tuple[object, ...], Layout] = {}

    def of(self, decoded: Decoded, copies: Copies) -> dict[int, Quick]:
        """By the identity of their plans, the families of the file that can be read so.

        Nothing where such a file was not met before: working it out takes longer than the long way.
        """
        members = decoded.member_runs or ()
        last, cells = copies.last, decoded.cells
        if not all(last.startswith(run.raw, offset) for offset, run in members):
            return {}  # some changed hands meanwhile
        key = (
            *[id(run) for run, _ in decoded.runs],
            *[id(run) for _, run in members],
            *[tuple(cells.get(segment, NOWHERE).values()) for _, run in members for segment in run.segments],
        )
        layout = self._met.get(key)
        if layout is None:
            if len(self._met) >= MOST_LAYOUTS:
                self._met.clear()
            self._met[key] = Layout(decoded)
            return {}
        if layout.families is None:
            layout.families = _families(decoded, copies.middle)
        return layout.families


class Layout:
    """What a file's blocks say, which stays alive as long as it is known by its identity."""

    __slots__ = ("families", "owned")

    def __init__(self, decoded: Decoded) -> None:
        self.families: dict[int, Quick] | None = None
        self.owned = (decoded.runs, decoded.member_runs)


def _families(decoded: Decoded, data: bytes) -> dict[int, Quick]:
    found = {}
    for run, _ in decoded.runs:
        for each in run.made or ():
            if isinstance(each, Family) and each.plan.is_plain_sum:
                slots = decoded.members.get(each.number, [])
                try:
                    found[id(each)] = Quick(each.plan, each.names, slots, decoded, data)
                except FormatError:
                    continue
    return found
