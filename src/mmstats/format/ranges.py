"""What range a distribution has, as METRIC blocks say it in `extra` (spec/FORMAT.md 5.2)."""

from __future__ import annotations

from math import isfinite
from struct import Struct, pack, unpack_from

from mmstats.errors import FormatError
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_range = Struct(layout.RANGE_STRUCT)
DISTRIBUTED = {"histogram": layout.HISTOGRAM_DISTRIBUTION, "timer": layout.TIMER_DISTRIBUTION}


class Range:
    """Octaves `low` to `high` - 1, of 2**`scale` buckets each, and bounds whose counts are exact."""

    __slots__ = ("bounds", "high", "low", "scale")

    def __init__(self, scale: int, low: int, high: int, bounds: Sequence[float] = ()) -> None:
        self.scale = scale
        self.low = low
        self.high = high
        self.bounds = tuple(bounds)

    def __repr__(self) -> str:
        return f"Range({self.scale}, {self.low}, {self.high}, {self.bounds})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Range) and self.pack() == other.pack()

    def __hash__(self) -> int:
        return hash((self.scale, self.low, self.high, self.bounds))

    @property
    def cells(self) -> int:
        """How many of a value's first cells its distribution has."""
        return layout.DISTRIBUTION_SIZE + (len(self.bounds) + 1 if self.bounds else 0)

    @property
    def octaves(self) -> int:
        return self.high - self.low

    def pack(self) -> bytes:
        """As `extra` has it."""
        count = len(self.bounds)
        return _range.pack(self.scale, self.low, self.high, count) + pack(f"<{count}d", *self.bounds)

    @classmethod
    def unpack(cls, raw: bytes) -> Range:
        """FormatError where it is none."""
        if len(raw) < layout.RANGE_SIZE:
            raise FormatError(0, f"a range of {len(raw)} bytes", f"at least {layout.RANGE_SIZE}")
        scale, low, high, count = _range.unpack_from(raw)
        most = layout.OCTAVE_MOST
        if scale > layout.SCALE_MOST or not -most <= low < high <= most:
            raise FormatError(0, f"scale={scale} low={low} high={high}", "a range that can be")
        if count > layout.BOUNDS_MOST or len(raw) != layout.RANGE_SIZE + 8 * count:
            raise FormatError(
                0, f"{count} bounds in {len(raw)} bytes", f"at most {layout.BOUNDS_MOST}, 8 each"
            )
        bounds = unpack_from(f"<{count}d", raw, layout.RANGE_SIZE)
        if not all(map(isfinite, bounds)) or any(one >= next_ for one, next_ in zip(bounds, bounds[1:])):
            raise FormatError(0, f"bounds {bounds}"[:200], "finite ones that ascend")
        return cls(scale, low, high, bounds)

    def with_(self, other: Range) -> Range:
        """The range that both fit into: the smaller scale, and bounds only where they are the same."""
        return Range(
            min(self.scale, other.scale),
            min(self.low, other.low),
            max(self.high, other.high),
            self.bounds if self.bounds == other.bounds else (),
        )


def octave_segment(segment: int, k: int) -> int:
    """The segment of the k-th octave, from `low` on, of a value whose first cells are in `segment`."""
    return segment + layout.OCTAVE_STEP * (k + 1)
