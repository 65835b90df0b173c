"""Where the buckets of one value stand in one lane (spec/FORMAT.md 5.2)."""

from __future__ import annotations

from struct import Struct, unpack_from

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.ranges import DISTRIBUTED
from mmstats.format.spread import spread_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mmstats.format.decode import Decoded
    from mmstats.format.metric import Metric
    from mmstats.format.ranges import Range
    from mmstats.format.spread import Spread

    Again = Callable[[int, int], bytes]

_begun = Struct("<QQQ").unpack_from
BEGUN_BYTES = 24


class Octaves:
    """Of a value whose first cells are from `index` on in `segment`; `step`: how far the next value's are."""

    __slots__ = ("_first", "_places", "_range", "_room")

    def __init__(
        self, decoded: Decoded, metric: Metric, wanted: Range, lane: int, segment: int, index: int, step: int
    ) -> None:
        self._range = wanted
        self._first = 8 * DISTRIBUTED[metric.kind]
        self._room = 1 << wanted.scale
        self._places: dict[int, int] = {}
        begin = index // step * self._room
        for k, lanes in decoded.octaves(segment):
            spot = lanes.get(lane)
            if spot is None or k >= wanted.octaves:
                continue
            start, count = spot
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

    def rows_again(self, again: Again) -> dict[int, tuple[int, ...]]:
        """Likewise, each read by itself. FormatError: the file ends before."""
        return {k: self._row(again(place, 8 * self._room), place) for k, place in self._places.items()}

    def _row(self, data: bytes, place: int) -> tuple[int, ...]:
        if len(data) < 8 * self._room:
            raise FormatError(place, "the end of the file within an octave", "its cells")
        return unpack_from(f"<{self._room}Q", data)

    def begun_at(self, at: int) -> int:
        """Where `begun` is, of a value at `at`."""
        return at + self._first
