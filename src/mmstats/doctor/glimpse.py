"""What a file says besides its stats: its header, how many metrics are not live, what it took over."""

from __future__ import annotations

import os
import time

from mmstats.errors import FormatError, NotRead
from mmstats.fold.ledger import REMEMBERED
from mmstats.format import layout
from mmstats.format.decode import MAX_BLOCKS, decode
from mmstats.format.header import VERSION_1
from mmstats.read.source import Source, UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.header import Header
    from mmstats.format.runs import Folded


class Glimpse:
    """Of one file. `version`: 0 where that cannot be said; `owner`: of the file itself; `changed`: when."""

    __slots__ = ("apart", "changed", "folded", "header", "identity", "owner", "size", "version", "why_not")

    def __init__(self, path: str, owners: frozenset[int] | None = None) -> None:
        self.apart = 0
        self.changed = 0.0
        self.folded: list[Folded] = []
        self.header: Header | None = None
        self.identity = (0, 0)
        self.owner = -1
        self.size = 0
        self.version = 0
        self.why_not = ""
        try:
            with Source(path, owners) as source:
                self.identity, self.owner = (source.dev, source.ino), source.uid
                self.size, self.changed = source.size, os.fstat(source.fd).st_mtime
                self._read(source.read())
        except UnreadableError as error:
            self.why_not = str(error)

    def _read(self, data: bytes) -> None:
        if data[:1] == VERSION_1:
            self.version = 1
            return
        try:
            decoded = decode(data)
        except (FormatError, NotRead):
            return
        self.version, self.header = layout.MAJOR, decoded.header
        self.folded = decoded.folded
        self.apart = apart(data, decoded.header.header_size)

    @property
    def is_persistent(self) -> bool:
        return self.header is not None and bool(self.header.compat_flags & layout.COMPAT_FLAG_PERSISTENT)

    @property
    def lately(self) -> int:
        """How many files' totals came in within the time for which folders keep the names."""
        since = time.time_ns() - REMEMBERED
        return sum(not gone or gone > since for _, gone, _ in self.folded)


NOT_LIVE = (layout.METRIC_STATE_WITHDRAWN, layout.METRIC_STATE_ENDED)


def apart(data: bytes, offset: int) -> int:
    """How many metrics their models took back with `remove()`."""
    count = 0
    for _ in range(MAX_BLOCKS):
        if offset + layout.BLOCK_ALIGN > len(data):
            break
        kind, length = _u32(data, offset), _u32(data, offset + 4)
        if not length or length % layout.BLOCK_ALIGN:
            break
        if kind == layout.BLOCK_TYPE_METRIC and len(data) >= offset + layout.METRIC_SIZE:
            count += _u32(data, offset + layout.METRIC_STATE) in NOT_LIVE
        offset += length
    return count


def _u32(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 4], "little")
