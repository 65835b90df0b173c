"""What a moving average of the last seconds is made of: `MovingAverageField(window=60.0)`."""

from __future__ import annotations

import time
from math import ceil

from mmstats import cells
from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.format.window import NOW, SLICES, cells_of, pack, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mmstats.cells.compound_protocol import Moving
    from mmstats.publish.place import Place

__all__ = ["CELLS", "hand_over", "handle", "pack", "width_of"]

CELLS = cells_of(SLICES)
LEAST, MOST = 0.001, 1e9  # seconds


def width_of(field: object, window: object) -> int:
    """The width of a slice in ns. UsageError, naming the field, for what is no such number of seconds."""
    if not isinstance(window, (int, float)) or isinstance(window, bool) or not LEAST <= window <= MOST:
        raise UsageError(f"window of {field!r} must be {LEAST:g} to {MOST:g} seconds: {window!r}")
    return ceil(window * 1e9 / SLICES)


def handle(place: Place, width: int, refuse: Callable[[], None]) -> Moving:
    """What a program adds values to."""
    window: Moving = cells.Window(place.segment, place.index, SLICES, width, place.label, refuse)
    return window


def hand_over(words: memoryview, extra: bytes) -> None:
    """Let nothing count any more: another `now`, of no values, written as its owner would."""
    n = words[layout.WINDOW_WITNESS]
    if not n:
        return
    old, new = (layout.WINDOW_NOW + NOW * (each & 1) for each in (n, n + 1))
    begin = max(time.monotonic_ns() // unpack(extra, len(words)), words[old + 1])
    words[new], words[new + 1], words[new + 2], words[new + 3] = begin, begin, 0, 0
    words[layout.WINDOW_WITNESS] = n + 1
