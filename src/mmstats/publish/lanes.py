"""Lanes: each publishing thread has one in a region, and the next thread goes on where it ended.

Whether a lane is free stands in the file alone, in its LANE block: the twin stores zero there when
the owner's thread ends, and who needs a lane looks there. A lane of a thread that ended unseen (it
counted once more while its thread-locals were already being torn down) is found by its thread id,
which the kernel no longer lists.

A lane for which the file has no space stands in private memory, and is *placed* when there is some.
"""

from __future__ import annotations

import os

from mmstats.publish.lane import Lane, ProcessLane

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmstats.publish.schema import Metric, Schema
    from mmstats.publish.storage import Storage

PATIENCE = 64  # up to so many lanes each new thread looks for the unseen dead; beyond, now and then


class Lanes:
    """The lanes of one file."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.process = ProcessLane(storage)
        self._lanes: list[Lane] = []
        self._next_look = PATIENCE

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes))

    @property
    def are_placed(self) -> bool:
        """Whether all that the threads count stands in the file."""
        return all(lane.is_placed for lane in self._all())

    def _all(self) -> list[Lane]:
        """Those of threads, and the process's."""
        return [*self._lanes, self.process]

    def of(self, thread: int) -> Lane | None:
        """The lane that `thread` has, if any; of 0: one that is free."""
        return next((lane for lane in self._lanes if lane.owner() == thread), None)

    def take(self, thread: int) -> Lane:
        """A lane for `thread`: one that is free, or a new one, in private memory where there is no space."""
        lane = self.of(0)
        if lane is None and self._free_unseen_dead():
            lane = self.of(0)
        if lane is None:
            return self._new(thread)
        lane.adopt(thread)
        return lane

    def _new(self, thread: int) -> Lane:
        lane = Lane(len(self._lanes) + 1, thread, self._storage)
        try:
            lane.place()
        except OSError:
            pass  # its cells will say so
        self._lanes.append(lane)
        return lane

    def place(self) -> None:
        """Put what stands in private memory into the file. OSError: no space for all of it."""
        for lane in self._all():
            lane.place()

    def catch_up(self) -> None:
        """Bring over what threads stored where their cells were before."""
        for lane in self._all():
            lane.catch_up()

    def moved(self) -> None:
        """The storage has other memory now, with the same bytes."""
        for lane in self._all():
            lane.moved()

    def cells_of(self, schema: Schema) -> list[memoryview]:
        """The words of that schema, in every lane that has them."""
        self.catch_up()
        return [lane.cells[schema] for lane in self if schema in lane.cells]

    def begin_anew(self, metric: Metric) -> None:
        """Let every thread's own value of the metric begin at what its cells have now."""
        self.catch_up()
        schema = metric.placed
        for lane in self:
            words = lane.cells.get(schema)
            if words is not None:
                lane.bases[schema] = schema.base_without(metric, words, lane.bases.get(schema))

    def _free_unseen_dead(self) -> bool:
        """Free the lanes whose owners are no longer threads of this process; whether there were any."""
        if PATIENCE < len(self._lanes) < self._next_look:
            return False
        try:
            living = {int(name) for name in os.listdir("/proc/self/task")}
        except OSError:
            return False
        dead = [lane for lane in self._lanes if lane.owner() not in living]
        for lane in dead:
            lane.free()
        self._next_look = 2 * len(self._lanes)
        return bool(dead)
