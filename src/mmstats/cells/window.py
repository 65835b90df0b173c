"""Window of the pure twin: a moving average of the last seconds, by slices of time (FORMAT.md 5.1)."""

from __future__ import annotations

from math import isfinite
from time import monotonic_ns

from mmstats.cells.compound import Compound, total
from mmstats.cells.segment import DOUBLES, INTS
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmstats.cells.protocol import Amount
    from mmstats.cells.segment import Segment

NOW = 4  # cells of {started, slice, count, sum}
SLICE = 3  # cells of {slice, count, sum}


class Window(Compound):
    """A bound moving average of a window of time."""

    __slots__ = ("_slices", "_width")

    def __init__(
        self, segment: Segment, index: int, slices: int, width: int, label: str, refuse: Callable[[], object]
    ) -> None:
        if slices < 2 or width < 1:
            raise ValueError(f"{label!r}: no window of {slices} slices of {width} ns")
        super().__init__(segment, index, label, refuse)
        self._slices = slices
        self._width = width

    def add(self, value: Amount) -> None:
        """One more value, now."""
        self._take(Window.add, value)

    def _store(self, views: Any, real: float) -> None:
        ints, doubles, index = views[INTS], views[DOUBLES], self._index
        n = ints[index + layout.WINDOW_WITNESS]
        old = index + layout.WINDOW_NOW + NOW * (n & 1)
        new = index + layout.WINDOW_NOW + NOW * (n + 1 & 1)
        newest, count, added = ints[old + 1], ints[old + 2], doubles[old + 3]
        coming = max(monotonic_ns() // self._width, newest)
        if coming != newest:
            self._keep(ints, doubles, newest, count, added)
            count, added = 0, 0.0
        if not isfinite(added + real):
            self._refuse()
            return
        ints[new], ints[new + 1], ints[new + 2], doubles[new + 3] = ints[old], coming, count + 1, added + real
        ints[index + layout.WINDOW_WITNESS] = n + 1

    def _keep(self, ints: Any, doubles: Any, newest: int, count: int, added: float) -> None:
        """Put a slice that is over into the ring."""
        if count:
            at = self._index + layout.WINDOW_RING + SLICE * (newest % self._slices)
            ints[at], ints[at + 1], doubles[at + 2] = newest, count, added

    @property
    def value(self) -> float:
        """The mean of what the calling thread added in the window."""
        views = self._views()
        if views is None:
            return 0.0
        ints, doubles, index = views[INTS], views[DOUBLES], self._index
        now = index + layout.WINDOW_NOW + NOW * (ints[index + layout.WINDOW_WITNESS] & 1)
        started, newest = ints[now], ints[now + 1]
        gone = max(monotonic_ns() // self._width, newest) - self._slices
        ring = range(index + layout.WINDOW_RING, index + layout.WINDOW_RING + SLICE * self._slices, SLICE)
        places = [at for at in ring if started <= ints[at] < newest and ints[at] > gone]
        if newest > gone:
            places.append(now + 1)
        count = sum(ints[at + 1] for at in places)
        return total([doubles[at + 2] for at in places]) / count if count else 0.0
