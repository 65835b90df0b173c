"""The numbers of one metric, one of each lane that has them (spec/FORMAT.md section 5).

A cell needs no protocol: the eight bytes are the old value or the new one.
"""

from __future__ import annotations

from struct import unpack_from

from mmstats.errors import FormatError
from mmstats.format import compound, layout
from mmstats.format.header import layout_gen
from mmstats.format.members import tags_of
from mmstats.format.metric import NEVER, PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from mmstats.format.compound import Copies, Take
    from mmstats.format.members import Slot, Tags
    from mmstats.format.metric import Cell, Metric
    from mmstats.format.octaves import Octaves
    from mmstats.format.runs import Decoded
    from mmstats.format.spread import Range


MAX_BUCKETS = 1 << 20  # of one file, of those in which there is anything


class OutgrownError(Exception):
    """A value got cells after the file had been decoded: whoever decoded it has to do so again."""


class Cells:
    """Reads the cells of one file; gives up on a file whose metrics claim more cells than it has.

    `alone`: segment → where its first cell is and how many it has, if just one lane has that segment
    and its thread lives: in most files that is every segment, and readers may take a short way.
    `clock()`: what CLOCK_MONOTONIC says where the writer is, in ns; 0: as its newest value says.
    """

    __slots__ = ("_copies", "_decoded", "_epoch", "_left", "_looked_again", "_room", "alone", "clock", "data")

    def __init__(self, copies: Copies, decoded: Decoded, clock: Callable[[], int] = lambda: 0) -> None:
        self.clock = clock
        self.data = data = copies.middle
        self._copies = copies
        self._decoded = decoded
        self._epoch = decoded.header.created - decoded.header.created_monotonic
        # Cells belong to one metric each, so all of them together are no more than the file's words.
        self._left = len(data) // 8
        self._room = MAX_BUCKETS
        self._looked_again = False
        self.alone = decoded.alone()

    def claim(self, words: int, offset: int = 0) -> None:
        """So many words of the file are read once more. FormatError: more than it has."""
        self._left -= words
        if self._left < 0:
            raise FormatError(offset, "values that share their cells", "cells of their own")

    def has_room(self, words: int) -> bool:
        """Whether so many words can be claimed."""
        return self._left >= words

    def keep(self, buckets: int) -> None:
        """So many buckets are kept of a value. FormatError: they would take too much memory."""
        if self._room < buckets:
            raise FormatError(0, f"more than {MAX_BUCKETS} buckets with values", "fewer")
        self._room -= buckets

    def of(self, metric: Metric, *, living: bool, never: bool) -> list[Cell]:
        """One value of each lane.

        `living`: without lanes whose thread ended. `never`: None where the cell holds the pattern
        for that.
        """
        lanes = self._decoded.cells.get(metric.segment, {})
        self.claim(len(lanes))
        read, states = (NEVER if never else PLAIN)[metric.cell_type], self._decoded.lanes
        found = []
        for lane, spot in lanes.items():
            if not living or states.get(lane, 1):
                found.append(read(self.data, _offset(metric, *spot)))
        return found

    def behind(self, metric: Metric, count: int) -> tuple[int, ...]:
        """The words behind the metric's own cells in the process's lane, as retired totals have them."""
        spot = self._decoded.cells.get(metric.segment, {}).get(0)
        if spot is None:
            raise FormatError(0, f"no cells of {metric.label!r} in lane 0", "those of a total")
        at = _offset(metric, *spot, metric.cells + count) + 8 * metric.cells
        return unpack_from(f"<{count}Q", self.data, at)

    def compound(self, metric: Metric, take: Take) -> Iterator[Any]:
        """The parts of each lane, None where its thread wrote nothing; one by one, as they may be long."""
        lanes, states = self._decoded.cells.get(metric.segment, {}), self._decoded.lanes
        self.claim(metric.cells * len(lanes))
        for lane, spot in lanes.items():
            living = bool(states.get(lane, 1))
            yield self._whole(metric, take, _offset(metric, *spot, metric.cells), living=living)

    def _whole(self, metric: Metric, take: Take, at: int, *, living: bool) -> Any:
        """The parts of one lane, as they were between two updates."""
        copies = self._copies
        n = copies.witness(at)
        if n is not None:
            return take(copies.middle, at, metric.cells, n, living, self._epoch) if n else None
        while True:
            before = copies.again(at, 8)
            value = copies.again(at, 8 * metric.cells)
            after = copies.again(at, 8)
            if len(before) < 8 or len(value) < 8 * metric.cells:
                raise FormatError(at, f"the end of the file within {metric.label!r}", "its cells")
            n = compound.witness(before, 0)
            if before == after or copies.is_late():
                break
        if before != after:
            self._note_mixed(metric)
        return take(value, 0, metric.cells, n, living, self._epoch) if n else None

    def distributed(
        self, metric: Metric, spread: Range, take: Take, slot: Slot | None = None
    ) -> Iterator[Any]:
        """Like `compound`, of values with that distribution, which ends their parts; of a member, too."""
        from mmstats.format.octaves import Octaves  # most files need none

        segment, index = (metric.segment, metric.index) if slot is None else (slot.segment, slot.index)
        lanes, states = self._decoded.cells.get(segment, {}), self._decoded.lanes
        step = metric.cells + (slot is not None)
        step += layout.RETIRED_SIZE if self._decoded.header.state == layout.STATE_RETIRED else 0
        for lane, spot in lanes.items():
            self.claim(metric.cells)
            whose = (metric.number, segment, index, lane)
            octaves = self._decoded.places.get(whose)
            if octaves is None:
                octaves = Octaves(self._decoded, metric, spread, lane, segment, index, step)
                self._decoded.places[whose] = octaves
            self.claim(octaves.cells)
            at, word = _offset(metric, *spot, metric.cells) if slot is None else 0, b""
            if slot is not None:
                at, word = _member_offset(metric, slot, *spot, metric.cells), slot.word
            yield self._with_spread(metric, take, at, word, octaves, living=bool(states.get(lane, 1)))

    def _with_spread(
        self, metric: Metric, take: Take, at: int, word: bytes, octaves: Octaves, *, living: bool
    ) -> Any:
        """The parts of one lane, as they were between two updates; `word`: the generation, of a member."""
        copies, value = self._copies, at + len(word)
        head = len(word) + 8
        before, after = copies.first[at : at + head], copies.last[at : at + head]
        if before and before == after:
            n, begun = compound.witness(before, len(word)), octaves.begun_at(value)
            last = copies.last[begun : begun + octaves.BEGUN]
            spread = octaves.spread(copies.middle, value, octaves.rows(copies.middle), last, n)
            if not n or not before.startswith(word):
                return None
            if spread.tells(n):
                return (*take(copies.middle, value, metric.cells, n, living, self._epoch), spread)
        self._looked_again = True
        return self._again(metric, take, at, word, octaves, living=living)

    def _again(
        self, metric: Metric, take: Take, at: int, word: bytes, octaves: Octaves, *, living: bool
    ) -> Any:
        """Likewise, read by itself until it is whole. OutgrownError: so it cannot be."""
        again, value = self._copies.again, at + len(word)
        head, size, begun = len(word) + 8, 8 * metric.cells, octaves.begun_at(value)
        is_whole = False
        while not is_whole:
            before, data, rows = again(at, head), again(value, size), octaves.read(again)
            last, after = again(begun, octaves.BEGUN), again(at, head)
            if len(after) < head or len(data) < size:
                raise FormatError(at, f"the end of the file within {metric.label!r}", "its cells")
            is_late = self._copies.is_late()
            if before != after and before.startswith(word) and not is_late:
                continue
            n = compound.witness(before, len(word))
            spread = octaves.spread(data, 0, octaves.rows_of(rows), last, n)
            is_whole = before == after and spread.tells(n)
            if is_late or not before.startswith(word):
                break
            if not is_whole and self._has_grown():
                raise OutgrownError
        if not (n and before.startswith(word) and after.startswith(word)):
            return None
        if not is_whole:
            self._note_mixed(metric)
        return (*take(data, 0, metric.cells, n, living, self._epoch), spread)

    def _has_grown(self) -> bool:
        """Whether the file has other blocks now than those that were decoded."""
        now = self._copies.again(layout.HEADER_LAYOUT_GEN, 8)
        return len(now) == 8 and layout_gen(now) != self._decoded.header.layout_gen

    def _note_mixed(self, metric: Metric) -> None:
        self._decoded.note(f"{metric.label!r} was written all the time; what is shown may mix two updates")

    # --- of the members of a family ---------------------------------------------------------------

    def slots(self, metric: Metric) -> list[Slot]:
        """Those that members of the family had when the file was read first."""
        return self._decoded.members.get(metric.number, [])

    def tags(self, metric: Metric, slot: Slot) -> Tags | None:
        """The tags of the member that has the slot; None: it changes hands. FormatError: they are damaged."""
        copies = self._copies
        self._looked_again = not copies.first
        if copies.first:
            block = copies.middle[slot.offset : slot.offset + slot.length]
        else:
            block = copies.again(slot.offset, slot.length)
        if len(block) < slot.length or not self.stands(slot):
            return None
        return tags_of(block, metric.tags, slot.offset)

    def stands(self, slot: Slot) -> bool:
        """Whether the slot belongs to the same member after all that was read of it."""
        at = slot.offset + layout.MEMBER_GENERATION
        word = self._copies.again(at, 8) if self._looked_again else self._copies.last[at : at + 8]
        return word == slot.word

    def of_member(self, metric: Metric, slot: Slot, *, living: bool, never: bool) -> list[Cell]:
        """Like `of`."""
        read = (NEVER if never else PLAIN)[metric.cell_type]
        return [read(data, at) for data, at, lives in self._counting(metric, slot, 8) if lives or not living]

    def compound_of_member(self, metric: Metric, slot: Slot, take: Take) -> Iterator[Any]:
        """Like `compound`."""
        for data, at, living in self._counting(metric, slot, 16):
            n = compound.witness(data, at)
            yield take(data, at, metric.cells, n, living, self._epoch) if n else None

    def behind_member(self, metric: Metric, slot: Slot, count: int) -> tuple[int, ...]:
        """Like `behind`."""
        spot = self._decoded.cells.get(slot.segment, {}).get(0)
        if spot is None:
            raise FormatError(slot.offset, f"no cells of a member of {metric.label!r}", "those of a total")
        at = _member_offset(metric, slot, *spot, metric.cells + count) + 8 * (1 + metric.cells)
        return unpack_from(f"<{count}Q", self.data, at)

    def _counting(self, metric: Metric, slot: Slot, head: int) -> Iterator[tuple[bytes, int, bool]]:
        """Of each lane that counts for the slot's member: where its value is whole, and if its thread lives.

        `head`: bytes that tell it, the generation and, of a compound value, the witness.
        """
        lanes, states = self._decoded.cells.get(slot.segment, {}), self._decoded.lanes
        self.claim((1 + metric.cells) * len(lanes), slot.offset)
        for lane, spot in lanes.items():
            at = _member_offset(metric, slot, *spot, metric.cells)
            found = self._whole_of_member(metric, slot, at, head)
            if found is not None:
                yield (*found, bool(states.get(lane, 1)))

    def _whole_of_member(self, metric: Metric, slot: Slot, at: int, head: int) -> tuple[bytes, int] | None:
        """The value of one lane, in some bytes, at some place; None: it is another generation's."""
        copies = self._copies
        before, after = copies.first[at : at + head], copies.last[at : at + head]
        if before and before == after:
            return (copies.middle, at + 8) if before[:8] == slot.word else None
        self._looked_again = True
        while True:
            before = copies.again(at, head)
            value = copies.again(at, 8 + 8 * metric.cells)
            after = copies.again(at, head)
            if len(after) < head or len(value) < 8 + 8 * metric.cells:
                raise FormatError(at, f"the end of the file within {metric.label!r}", "its cells")
            if before == after or copies.is_late():
                break
        if before != after:
            self._note_mixed(metric)
        return (value, 8) if before[:8] == slot.word == after[:8] else None


def _member_offset(metric: Metric, slot: Slot, start: int, count: int, cells: int) -> int:
    """Where a lane has the generation and then the cells of a member."""
    index = int(slot.index)
    if index + 1 + cells > count:
        last = index + cells
        raise FormatError(start - layout.CELLS_SIZE, f"{count} cells", f"cell {last} of {metric.label!r}")
    return start + 8 * index


def _offset(metric: Metric, start: int, count: int, cells: int = 1) -> int:
    """Where a lane has the cells of `metric`."""
    if metric.index + cells > count:
        last = metric.index + cells - 1
        raise FormatError(start - layout.CELLS_SIZE, f"{count} cells", f"cell {last} of {metric.label!r}")
    return start + 8 * metric.index
