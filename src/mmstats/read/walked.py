"""Where one file of a Pattern has its cells: what the blocks say that are not the pattern's own."""

from __future__ import annotations

from struct import Struct

from mmstats.format import layout
from mmstats.read.pattern import NO_HOLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from mmstats.read.pattern import Span

    Lane = tuple[bool, int, int]  # whether its thread lives, where the first cell is, how many there are
    Member = tuple[int, int, int, bytes, bytes]  # metric, segment, index, generation, and ttl with tags

MOST_BLOCKS = 65_536
MOST_RUNS = 1_024
KEY = 128  # bytes of MEMBER blocks by which others like them are looked up
MOST_LANES = 4_096

_word = Struct("<II").unpack_from
_u64 = Struct("<Q").unpack_from
_lane = Struct(layout.LANE_STRUCT).unpack_from
_cells = Struct(layout.CELLS_STRUCT).unpack_from
_member = Struct(layout.MEMBER_STRUCT).unpack_from


class UnaddedError(Exception):
    """Why a file is not added."""


class OtherError(UnaddedError):
    """It is of another pattern."""


class BusyError(UnaddedError):
    """Somebody is at it, or it has what only the long way can tell."""


class ShortError(UnaddedError):
    """More of it has to be read."""


class Members:
    """MEMBER blocks that follow each other, as many files have them. `made`: what is made of them, once."""

    __slots__ = ("made", "raw", "taken")

    def __init__(self, data: bytes, at: int) -> None:
        """BusyError where there is damage."""
        begin, self.taken, self.made = at, [], None
        kind, length = _word(data, at)
        while kind == layout.BLOCK_TYPE_MEMBER and length and length <= len(data) - at:
            self._take(data, at, length)
            at += length
            kind, length = _word(data, at) if at + layout.BLOCK_ALIGN <= len(data) else (0, 0)
            length -= length % layout.BLOCK_ALIGN
        self.raw = data[begin:at]

    taken: list[Member]
    made: Any

    def _take(self, data: bytes, at: int, length: int) -> None:
        _, _, generation, metric, segment, index, size, _, _ = _member(data, at)
        if not generation:
            return
        tags = at + layout.MEMBER_SIZE
        if tags + size > at + length:
            raise BusyError
        word = data[at + layout.MEMBER_GENERATION : at + layout.MEMBER_GENERATION + 8]
        ttl = data[at + layout.MEMBER_TTL : at + layout.MEMBER_TTL + 8]
        self.taken.append((metric, segment, index, word, ttl + data[tags : tags + size]))


class Walked:
    """One file. `lanes`: segment → lane → where; `octaves`: segment → place and segment of each octave."""

    __slots__ = (
        *("_cells", "_is_cut", "_known", "_left", "_of_pattern", "_states", "first", "lanes", "last"),
        *("_places", "created", "epoch", "members", "middle", "octaves", "spans"),
    )

    def __init__(
        self, spans: Sequence[Span], known: dict[bytes, Members], copies: Sequence[bytes], size: int
    ) -> None:
        """One of the errors above, where it is no file of the pattern that can be read now.

        `known`: members of files that were walked before; those of this one go there.
        """
        self.first, self.middle, self.last = first, middle, last = copies
        if not len(first) == len(middle) == len(last):
            raise BusyError
        if len(first) < layout.HEADER_SIZE:
            raise OtherError
        self.lanes: dict[int, dict[int, Lane]] = {}
        self.members: list[Members] = []
        self.octaves: dict[int, list[tuple[int, int]]] = {}
        self.spans: list[int] = []
        self._cells: list[tuple[int, int, int, int]] = []
        self._is_cut = len(first) < size
        self._known = known
        self._left = size // 8
        self.created = _u64(first, layout.HEADER_CREATED)[0]
        # What a monotonic time of its writer needs to be one since 1970.
        self.epoch = self.created - _u64(first, layout.HEADER_CREATED_MONOTONIC)[0]
        self._of_pattern = spans
        self._states: dict[int, int] = {}
        self._places: list[int] = []  # of those members
        self._walk()
        self._order()
        self._stand_still()

    def _stand_still(self) -> None:
        """BusyError: somebody changed the blocks while the copies were made."""
        for members, at in zip(self.members, self._places):
            if not (self.middle.startswith(members.raw, at) and self.last.startswith(members.raw, at)):
                raise BusyError
        at = layout.HEADER_LAYOUT_GEN
        if self.first[at : at + 8] != self.last[at : at + 8]:
            raise BusyError

    def claim(self, words: int) -> None:
        """So many words are read. BusyError: more than there are."""
        self._left -= words
        if self._left < 0:
            raise BusyError

    @staticmethod
    def place(lane: Lane, index: int, words: int) -> int:
        """Where so many words from cell `index` on are. BusyError: beyond the lane's end."""
        _, start, count = lane
        if index + words > count:
            raise BusyError
        return start + 8 * index

    def _walk(self) -> None:
        """Follow the chain of blocks to its end."""
        first, size = self.first, len(self.first)
        at = int.from_bytes(first[layout.HEADER_HEADER_SIZE : layout.HEADER_HEADER_SIZE + 4], "little")
        if at < layout.HEADER_SIZE or at % layout.BLOCK_ALIGN:
            raise OtherError
        for _ in range(MOST_BLOCKS):
            kind, length = _word(first, at) if at + layout.BLOCK_ALIGN <= size else (0, 0)
            if not length:
                break
            if length % layout.BLOCK_ALIGN or length > size - at:
                raise self._end()
            take = _TAKES.get(kind)
            at += length if take is None else take(self, at, length)
        if self._is_cut and at + layout.BLOCK_ALIGN > size:
            raise ShortError
        if len(self.spans) < len(self._of_pattern) or len(self._states) > MOST_LANES:
            raise OtherError

    def _end(self) -> UnaddedError:
        """What it is that something goes beyond the bytes."""
        return ShortError() if self._is_cut else OtherError()

    # Each takes what is at some place of the first copy, and tells how long it is.

    def take_span(self, at: int, _length: int) -> int:
        if len(self.spans) == len(self._of_pattern):
            raise OtherError
        raw, hole = self._of_pattern[len(self.spans)]
        if at + len(raw) > len(self.first):
            raise self._end()
        if hole == NO_HOLE:
            is_there = self.first.startswith(raw, at)
        else:
            is_there = self.first.startswith(raw[:hole], at)
            is_there = is_there and self.first.startswith(raw[hole + 8 :], at + hole + 8)
        if not is_there:
            raise OtherError
        self.spans.append(at)
        return len(raw)

    def take_members(self, at: int, _length: int) -> int:
        key = self.first[at : at + KEY]
        members = self._known.get(key)
        if members is None or not self.first.startswith(members.raw, at):
            members = Members(self.first, at)
            if len(self._known) >= MOST_RUNS:
                self._known.clear()
            self._known[key] = members
        self.members.append(members)
        self._places.append(at)
        return len(members.raw)

    def take_cells(self, at: int, length: int) -> int:
        _, _, lane, segment, count = _cells(self.first, at)
        if layout.CELLS_SIZE + 8 * count > length:
            raise OtherError
        self._cells.append((segment, lane, at + layout.CELLS_SIZE, count))
        return length

    def take_lane(self, at: int, length: int) -> int:
        _, _, lane, _, state = _lane(self.first, at)
        if lane == 0 or lane in self._states:
            raise OtherError
        self._states[lane] = state
        return length

    def take_folded(self, _at: int, _length: int) -> int:
        raise OtherError

    def _order(self) -> None:
        """Cells by segment; lanes and octaves as they follow each other."""
        for segment, lane, start, count in self._cells:
            lanes = self.lanes.setdefault(segment, {})
            if lane in lanes:
                raise OtherError
            lanes[lane] = (bool(self._states.get(lane, 1)), start, count)
        for segment in sorted(self.lanes):
            above, base = divmod(segment, layout.OCTAVE_STEP)
            if above:
                self.octaves.setdefault(base, []).append((above - 1, segment))


_TAKES = {
    layout.BLOCK_TYPE_METRIC: Walked.take_span,
    layout.BLOCK_TYPE_MEMBER: Walked.take_members,
    layout.BLOCK_TYPE_CELLS: Walked.take_cells,
    layout.BLOCK_TYPE_LANE: Walked.take_lane,
    layout.BLOCK_TYPE_FOLDED: Walked.take_folded,
}
