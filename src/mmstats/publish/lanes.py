"""Lanes: each publishing thread has one in a region, and the next thread goes on where it ended.

Whether a lane is free stands in the file alone, in its LANE block: the twin stores zero there when
the owner's thread ends, and who needs a lane looks there. A lane of a thread that ended unseen (it
counted once more while its thread-locals were already being torn down) is found by its thread id,
which the kernel no longer lists.
"""

from __future__ import annotations

import os

from mmstats.format import encode, layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mmstats.publish.schema import Schema
    from mmstats.publish.storage import Storage

PATIENCE = 64  # up to so many lanes each new thread looks for the unseen dead; beyond, now and then


class Lane:
    """One lane: its number, where its state stands, and its cells by the number of their schema."""

    __slots__ = ("bases", "cells", "number", "owners", "state_at")

    def __init__(self, number: int, state_at: int) -> None:
        self.number = number
        self.state_at = state_at
        self.owners = 1  # so far
        self.cells: dict[int, memoryview] = {}
        self.bases: dict[int, Sequence[int | float]] = {}


class Lanes:
    """The lanes of one file."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lanes: list[Lane] = []
        self._next_look = PATIENCE

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes))

    def of(self, thread: int) -> Lane | None:
        """The lane that `thread` has, if any; of 0: one that is free."""
        return next((lane for lane in self._lanes if self._thread(lane) == thread), None)

    def take(self, thread: int, schemas: Mapping[int, Schema]) -> Lane:
        """A lane for `thread`: one that is free, or a new one. OSError: no space."""
        lane = self.of(0)
        if lane is None and self._free_unseen_dead():
            lane = self.of(0)
        if lane is None:
            return self._new(thread)
        self._adopt(lane, thread, schemas)
        return lane

    def state_memory(self, lane: Lane) -> memoryview:
        """The eight bytes in which a twin gives the lane back."""
        return self._storage.bytes(lane.state_at, 8)

    def _thread(self, lane: Lane) -> int:
        """The id of the thread that has the lane; 0: nobody."""
        return self._storage.word(lane.state_at) & 0xFFFFFFFF

    def _new(self, thread: int) -> Lane:
        number = len(self._lanes) + 1
        offset = self._storage.put(encode.lane(number, encode.lane_state(thread, 1)))
        lane = Lane(number, offset + layout.LANE_STATE)
        self._lanes.append(lane)
        return lane

    def _adopt(self, lane: Lane, thread: int, schemas: Mapping[int, Schema]) -> None:
        """Give the lane to `thread`: totals stay, what goes with a thread is reset, then it is owned."""
        for number, words in lane.cells.items():
            schemas[number].reset_gone(words)
            lane.bases[number] = schemas[number].bases(words)
        lane.owners += 1
        self._storage.set_word(lane.state_at, encode.lane_state(thread, lane.owners))

    def _free_unseen_dead(self) -> bool:
        """Free the lanes whose owners are no longer threads of this process; whether there were any."""
        if PATIENCE < len(self._lanes) < self._next_look:
            return False
        try:
            living = {int(name) for name in os.listdir("/proc/self/task")}
        except OSError:
            return False
        dead = [lane for lane in self._lanes if self._thread(lane) not in living]
        for lane in dead:
            self._storage.set_word(lane.state_at, 0)
        self._next_look = 2 * len(self._lanes)
        return bool(dead)
