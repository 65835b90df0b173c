"""Average and Moving of the pure twin: values of several cells (FORMAT.md 5.1).

A signal handler may update the very value whose update it interrupted, between two of its stores. In the
middle of one it would write into the place that the other is filling. So the updates of a thread take
turns: one that comes in between is left for the one that is under way, which does it when it is through.
An exception that the handler raises ends the update where it is: the witness was not stored, and the value
is what it was before.
"""

from __future__ import annotations

import sys
from math import fsum, isfinite

from mmstats.cells.segment import DOUBLES, INTS, OWN, refuse_if_removed
from mmstats.cells.wiped import word
from mmstats.cells.words import real_from
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from mmstats.cells.protocol import Amount
    from mmstats.cells.segment import Segment


def in_turn(segment: Segment, update: Callable[..., None], *arguments: Any) -> None:
    """Do the update, after one that it interrupted on this very thread."""
    mine = segment._local.__dict__
    if mine.get("busy") and is_under_way(mine):
        mine.setdefault("waiting", []).append((update, arguments))
        return
    try:
        mine["busy"] = True
        update(*arguments)
    finally:
        mine["busy"] = False
        if "waiting" in mine:
            take_turns(segment)  # what came back to a handler as done is done, also if it then raised


turns = [in_turn.__code__]  # what an update is made by: the quick ways do the same by themselves


def take_turns(segment: Segment) -> None:
    """Do what waits; a handler that comes in between may do some of it, or all."""
    waiting = segment._local.__dict__.get("waiting", ())
    while True:
        try:
            update, arguments = waiting.pop(0)
        except (AttributeError, IndexError):
            return
        in_turn(segment, update, *arguments)


def is_under_way(mine: dict[str, Any]) -> bool:
    """Whether an update of these is on the stack: a handler that raised may have left "busy" behind.

    One that is in its middle has them as its `mine`.
    """
    frame = sys._getframe(1).f_back
    while frame is not None and not (frame.f_code in turns and frame.f_locals.get("mine") is mine):
        frame = frame.f_back
    return frame is not None


def total(values: Sequence[float]) -> float:
    """The sum, exactly rounded; as it comes where no double holds a sum on the way."""
    try:
        return fsum(values)
    except OverflowError:
        return sum(values)


def mean(values: Sequence[float]) -> float:
    """Exactly rounded; 0.0 of nothing."""
    return total(values) / len(values) if values else 0.0


class Compound:
    """What values of several cells have in common."""

    __slots__ = ("__weakref__", "_index", "_refuse", "_segment", "label")

    def __init__(self, segment: Segment, index: int, label: str, refuse: Callable[[], object]) -> None:
        if index < 0:
            raise ValueError(f"{label!r}: no segment has a cell {index}")
        self._segment = segment
        self._index = index
        self._refuse = refuse
        self.label = label

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label!r}>"

    def _take(self, method: Callable[..., None], value: Amount) -> None:
        """Check the value, and store it; `method` is what it is handed over to."""
        real = value if type(value) is float else real_from(self.label, value)
        if not isfinite(real):
            self._refuse()
            return
        own = self._segment._local.__dict__
        try:
            views = own["views"][word[0]]
        except KeyError:  # not attached
            views = None
        if views is None or own.get("busy"):
            self._take_slowly(method, value, real)
            return
        mine = own  # by which `is_under_way` knows us
        try:
            mine["busy"] = True
            self._store(views, real)
        finally:
            mine["busy"] = False
            if "waiting" in mine:
                take_turns(self._segment)

    turns.append(_take.__code__)

    def _take_slowly(self, method: Callable[..., None], value: Amount, real: float) -> None:
        """Likewise, where the segment is not attached, or another update is under way."""
        views, later = self._segment._reach()
        if later is not None:
            later(method.__get__(self), value)  # not what a subclass made of it
        else:
            in_turn(self._segment, self._store, views, real)

    def _store(self, views: Any, real: float) -> None:
        raise NotImplementedError

    def _views(self) -> Any:
        """The calling thread's views, to read from; None where it has none. Removed if it is."""
        views, later = self._segment._reach()
        if later is not None:
            refuse_if_removed(later, self.label)
        return views


class Average(Compound):
    """A bound average."""

    __slots__ = ()

    def add(self, value: Amount) -> None:
        """One more value."""
        self._take(Average.add, value)

    def _store(self, views: Any, real: float) -> None:
        ints, doubles, at = views[INTS], views[DOUBLES], self._index + layout.AVERAGE_SUM
        n = ints[self._index + layout.AVERAGE_WITNESS]
        total = doubles[at + (n & 1)] + real
        if not isfinite(total):
            self._refuse()
            return
        doubles[at + (n + 1 & 1)] = total
        ints[self._index + layout.AVERAGE_WITNESS] = n + 1

    @property
    def value(self) -> float:
        """The mean of the calling thread's values."""
        views = self._views()
        if views is None:
            return 0.0
        n = views[INTS][self._index + layout.AVERAGE_WITNESS]
        own = views[OWN + INTS][self._index + layout.AVERAGE_WITNESS]
        total: float = views[OWN + DOUBLES][self._index + layout.AVERAGE_SUM + (n & 1)]
        return total / own if own else 0.0


class Ring(Compound):
    """What those with a ring of the last values have in common; it begins at the value's cell `ring`."""

    __slots__ = ("_ring", "_room", "_size")

    _started = layout.MOVING_STARTED  # a timer has it in the same place

    def __init__(
        self,
        segment: Segment,
        index: int,
        size: int,
        label: str,
        refuse: Callable[[], object],
        ring: int = layout.MOVING_RING,
    ) -> None:
        if size < 1:
            raise ValueError(f"{label!r}: no ring of {size} values")
        super().__init__(segment, index, label, refuse)
        self._size = size
        self._ring = ring
        self._room = size + 1  # of the ring: the next value has a place that none of the last ones stands in

    def _window(self) -> list[float]:
        """The last values since the calling thread took its lane over, the oldest first."""
        views = self._views()
        if views is None:
            return []
        n, started = views[INTS][self._index], views[INTS][self._index + self._started]
        doubles, ring, room = views[DOUBLES], self._index + self._ring, self._room
        return [doubles[ring + i % room] for i in range(max(started, n - self._size), n)]

    @property
    def value(self) -> float:
        """The mean of the calling thread's last values."""
        return mean(self._window())


class Moving(Ring):
    """A bound moving average."""

    __slots__ = ()

    def add(self, value: Amount) -> None:
        """One more value."""
        self._take(Moving.add, value)

    def _store(self, views: Any, real: float) -> None:
        ints, witness = views[INTS], self._index + layout.MOVING_WITNESS
        n = ints[witness]
        views[DOUBLES][self._index + self._ring + n % self._room] = real
        ints[witness] = n + 1
