"""A moving average of a window of time: values by slices of it, and which still count (FORMAT.md 5.1)."""

from __future__ import annotations

from struct import Struct, iter_unpack

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.compound import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.compound import Take

SLICES = 20  # of a window that this project writes
NOW = 4  # cells of {started, slice, count, sum}
SLICE = 3  # cells of {slice, count, sum}

_width = Struct("<Q")
_now = Struct("<QQQd").unpack_from


def cells_of(slices: int) -> int:
    """How many cells such a value has."""
    return layout.WINDOW_SIZE + SLICE * slices


def pack(width: int) -> bytes:
    """The `extra` of such a metric; `width` of a slice in ns."""
    return _width.pack(width)


def unpack(extra: bytes, cells: int) -> int:
    """The width of a slice in ns, of a metric with so many cells. FormatError: it cannot be such a value."""
    width = _width.unpack(extra)[0] if len(extra) == _width.size else 0
    if not width:
        raise FormatError(0, f"slices of {extra[:16].hex(' ')}", "a width in ns, eight bytes")
    if cells > layout.VALUE_CELLS or cells < cells_of(2) or (cells - layout.WINDOW_SIZE) % SLICE:
        raise FormatError(0, f"cells={cells} of a window of time", "what makes a ring of slices")
    return int(width)


def take_of(width: int, clock: int) -> Take:
    """A function for such values, when the clock of their writer says so many ns."""

    def take(data: bytes, at: int, cells: int, n: int, living: bool, _epoch: int) -> tuple[float, int] | None:
        """Sum and count of what is in the window; None where nothing is, and once the thread is gone."""
        if not living:
            return None
        now = at + 8 * (layout.WINDOW_NOW + NOW * (n & 1))
        started, newest, count, added = _now(data, now)
        ring = data[at + 8 * layout.WINDOW_RING : at + 8 * cells]
        gone = max(clock // width, newest) - len(ring) // (8 * SLICE)
        slices = [(count, added)] if newest > gone else []
        slices += [
            (count, added)
            for when, count, added in iter_unpack("<QQd", ring)
            if when < newest and when >= started and when > gone
        ]
        count = sum(count for count, _ in slices)
        return (total([added for _, added in slices]), count) if count else None

    return take
