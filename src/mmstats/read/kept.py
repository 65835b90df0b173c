"""What a file said when it was decoded last, for who reads it again and again.

All that decoding looks at stands outside of the cells. Where those bytes are as they were, so is what was
decoded; nothing is believed that a writer promises. Equal bytes of many files are kept once.
"""

from __future__ import annotations

from mmstats.format.decode import decode
from mmstats.format.header import decode_header
from mmstats.format.layout import HEADER_SIZE
from mmstats.format.runs import Decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.header import Header
    from mmstats.format.runs import Schema
    from mmstats.read.source import Source

MOST_KEPT = 2_000  # files, some 20 KB each; more are decoded each time
SHARED = 10_000  # parts of files that are kept once for all of them
SAME = (
    *("cells", "compound", "folded", "lanes", "member_runs", "members", "metrics"),
    *("names", "runs", "slots", "text"),
)


class Keeping:
    """Decodes files, and keeps what each said."""

    __slots__ = ("_files", "_schema", "_shared")

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._files: dict[tuple[int, int], Kept] = {}
        self._shared: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._files)

    def __bool__(self) -> bool:
        return True

    def decode(self, source: Source, data: bytes) -> Decoded:
        """What the bytes say; as it was kept, if they say the same as then."""
        key = (source.dev, source.ino)
        kept = self._files.get(key)
        if kept is not None:
            header = decode_header(data)
            if kept.is_like(data, header):
                return kept.again(header)
        decoded = decode(data, self._schema)
        if kept is not None or len(self._files) < MOST_KEPT:
            self._files[key] = Kept(data, decoded, self._shared)
        return decoded

    def forget_but(self, seen: set[tuple[int, int]]) -> None:
        """Let go of what was kept of other files, and of shared bytes once most of them are nobody's."""
        for key in self._files.keys() - seen:
            del self._files[key]
        if len(self._shared) > max(SHARED, 100 * len(self._files)):
            self._shared.clear()


class Kept:
    """One file's."""

    __slots__ = ("_decoded", "_parts", "_problems", "_size")

    def __init__(self, data: bytes, decoded: Decoded, shared: dict[bytes, bytes]) -> None:
        self._decoded = decoded
        self._problems = list(decoded.problems)
        self._size = len(data)
        parts = [(begin, data[begin:end]) for begin, end in _outside(decoded, len(data))]
        self._parts = [(begin, shared.setdefault(part, part)) for begin, part in parts]

    def is_like(self, data: bytes, header: Header) -> bool:
        """Whether decoding that would give the same, but for the header."""
        if len(data) != self._size or header.header_size != self._decoded.header.header_size:
            return False
        return all(data.startswith(part, begin) for begin, part in self._parts)

    def again(self, header: Header) -> Decoded:
        """What was decoded, with the header as it is now."""
        before, now = self._decoded, Decoded(header)
        for name in SAME:
            setattr(now, name, getattr(before, name))
        now.problems = list(self._problems)
        now.keep_places_of(before)
        return now


def _outside(decoded: Decoded, size: int) -> list[tuple[int, int]]:
    """The parts of a file between its header and its end that are no cells."""
    spots = [spot for lanes in decoded.cells.values() for spot in lanes.values()]
    found, at = [], HEADER_SIZE
    for start, count in sorted(spots):
        if start > at:
            found.append((at, start))
        at = max(at, start + 8 * count)
    return [*found, (at, size)] if at < size else found
