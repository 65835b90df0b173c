"""Where the buckets of one value stand in one lane (spec/FORMAT.md 5.2)."""

from __future__ import annotations

from struct import Struct, unpack_from

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.compound import DISTRIBUTED
from mmstats.format.spread import spread_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mmstats.format.metric import Metric
    from mmstats.format.runs import Decoded
    from mmstats.format.spread import Range, Spread

    Again = Callable[[int, int], bytes]

_begun = Struct("<QQQ").unpack_from


class Octaves:
    """Of a value whose first cells are from `index` on in `segment`; `step`: how far the next value's are."""

    __slots__ = ("_first", "_places", "_range", "_room")

    BEGUN = 24  # bytes of that cell and the two behind it

    def __init__(
        self, decoded: Decoded, metric: Metric, wanted: Range, lane: int, segment: int, index: int, step: int
    ) -> None:
        self._range = wanted
        self._first = 8 * DISTRIBUTED[metric.kind]
        self._room = 1 << wanted.scale
        self._places: dict[int, int] = {}
        there = decoded.octaves(segment, lane)
        if there and index % step:
            raise FormatError(
                0, f"index={index} of {metric.label!r}", f"a multiple of {step}, as it has octaves"
            )
        begin = index // step * self._room
        for k, start, count in there:
            if k >= wanted.octaves:
                break
            if begin + self._room > count:
                found = f"{count} cells of octave {wanted.low + k}"
                raise FormatError(start - layout.CELLS_SIZE, found, f"cell {begin + self._room - 1}")
            self._places[k] = start + 8 * begin

    @property
    def cells(self) -> int:
        """How many there are."""
        return len(self._places) * self._room

    def spread(self, data: bytes, at: int, rows: dict[int, tuple[int, ...]], begun: bytes, n: int) -> Spread:
        """What they say, and the value's first cells at `at` of `data`, under the witness n."""
        words = unpack_from(f"<{self._range.cells}Q", data, at + self._first)
        return spread_of(self._range, words, rows, _begun(begun), n)

    def rows(self, data: bytes) -> dict[int, tuple[int, ...]]:
        """The buckets of each octave, as a copy of the whole file has them."""
        return {k: unpack_from(f"<{self._room}Q", data, place) for k, place in self._places.items()}

    def read(self, again: Again) -> list[bytes]:
        """Their bytes, each read by itself; nothing is done with them, as a writer may not wait."""
        size = 8 * self._room
        return [again(place, size) for place in self._places.values()]

    def rows_of(self, read: list[bytes]) -> dict[int, tuple[int, ...]]:
        """Like `rows`, of what was read. FormatError: the file ends before."""
        if any(len(data) < 8 * self._room for data in read):
            raise FormatError(max(self._places.values()), "the end of the file within an octave", "its cells")
        return {k: unpack_from(f"<{self._room}Q", data) for k, data in zip(self._places, read)}

    def begun_at(self, at: int) -> int:
        """Where `begun` is, of a value at `at`."""
        return at + self._first
