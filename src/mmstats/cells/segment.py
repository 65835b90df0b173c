"""Segment of the pure twin: which memory the calling thread's cells are in, and whom to ask for it.

A lane is given back by a guard in the thread-local, whose `__del__` runs in the dying thread. It runs
too in a forked child, for the threads that the parent still has, and when a thread-local is dropped:
so a guard looks at whose the token is first, and is disarmed where the thread goes on. PyPy runs it
long after, when the lane may have been found ownerless and given to somebody else: so the cell must
still say what it said when the guard was made, which is never said again of another owner.
"""

from __future__ import annotations

import sys
from _thread import _local
from os import getpid

from mmstats.cells.wiped import OURS, doubles, ints, word
from mmstats.cells.words import signed, whole_from
from mmstats.errors import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from mmstats.cells.protocol import Amount, Later

    Views = tuple[Any, Any, Any, Any]

if "gevent.monkey" in sys.modules:
    thread_local = sys.modules["gevent.monkey"].get_original("_thread", "_local")
else:
    thread_local = _local

WENT_WRONG = (AttributeError, TypeError, ValueError, ArithmeticError)  # see the essay in `pure`
INTS, DOUBLES, OWN = 0, 1, 2  # OWN + INTS, OWN + DOUBLES: less the base


class OwnInts:
    """Integer cells, less what a former owner left in them."""

    __slots__ = ("_base", "_view")

    def __init__(self, view: Any, base: Sequence[Amount]) -> None:
        self._view = view
        self._base = [0 if isinstance(value, float) else whole_from("base", value) for value in base]

    def __getitem__(self, index: int) -> int:
        return signed(self._view[index] - self._base[index])

    def __setitem__(self, index: int, value: int) -> None:
        self._view[index] = signed(value + self._base[index])


class OwnDoubles:
    """Double cells, less what a former owner left in them."""

    __slots__ = ("_base", "_view")

    def __init__(self, view: Any, base: Sequence[Amount]) -> None:
        self._view = view
        self._base = [float(value) for value in base]

    def __getitem__(self, index: int) -> float:
        own: float = self._view[index] - self._base[index]
        return own

    def __setitem__(self, index: int, value: float) -> None:
        self._view[index] = value + self._base[index]


def views_of(memory: Any, base: Sequence[Amount] | None) -> Views:
    """The four views of one thread's memory."""
    bytes_given = memoryview(memory)
    if bytes_given.readonly:
        raise BufferError("memory is not writable")
    if not bytes_given.nbytes or bytes_given.nbytes % 8:
        raise ValueError(f"memory of {bytes_given.nbytes} bytes is not a whole number of cells")
    plain = ints(memory), doubles(memory)
    if base is None:
        return plain + plain
    base = tuple(base)
    if len(base) != len(plain[INTS]):
        raise ValueError(f"base has {len(base)} values, memory has {len(plain[INTS])} cells")
    return (*plain, OwnInts(plain[INTS], base), OwnDoubles(plain[DOUBLES], base))


class Guard:
    """Stores zero into a lane's first cell when its thread ends."""

    __slots__ = ("_cells", "_owner", "_pid", "_segment_open", "armed")

    def __init__(self, cells: Any, segment_open: list[bool]) -> None:
        self._cells = cells
        self._owner = cells[0]
        self._pid = getpid()
        self._segment_open = segment_open
        self.armed = True

    def __del__(self, word: Any = word, ours: int = OURS, getpid: Callable[[], int] = getpid) -> None:
        if not (self.armed and self._segment_open[0] and word[ours] and self._pid == getpid()):
            return
        if self._cells[0] == self._owner:
            self._cells[0] = 0


class Segment:
    """Cells that every publishing thread has a copy of, in its own lane."""

    __slots__ = ("__weakref__", "_local", "_open", "_opener")

    def __init__(self, opener: Callable[[Any], Later | None]) -> None:
        self._opener = opener
        self._local: Any = thread_local()
        self._open = [True]

    def attach(self, memory: Any, base: Sequence[Amount] | None = None, *, release: bool = False) -> None:
        """From now on the calling thread's cells are in `memory`."""
        views = views_of(memory, base)
        if not self._open[0]:
            self._open = [True]  # the guards of before stay disarmed
        self.forget()
        local = self._local
        local.guard = Guard(views[INTS], self._open) if release else None
        local.views = (None, views)
        local.pid = getpid()

    @property
    def is_attached(self) -> bool:
        """Whether the calling thread attached memory in this process."""
        return self._attached() is not None

    def forget(self) -> None:
        """The calling thread's memory no longer counts."""
        mine = self._local.__dict__
        guard = mine.get("guard")
        if guard is not None:
            guard.armed = False
        mine.clear()

    def close(self) -> None:
        """No thread's memory counts any more; every update goes to the opener."""
        self._open[0] = False
        self._local = thread_local()

    def __del__(self) -> None:
        try:
            self._open[0] = False  # the guards of threads that go on are about to be dropped
        except AttributeError:  # a handler raised in the middle of __init__
            pass

    def _standing(self) -> Views | None:
        """The calling thread's views while the token stands, or None. No system call."""
        try:
            views: Views | None = self._local.views[word[0]]
        except AttributeError:
            return None
        return views

    def _attached(self) -> Views | None:
        """The views that the calling thread attached in this process, or None."""
        mine = self._local.__dict__
        return mine["views"][1] if mine.get("pid") == getpid() else None

    def _reach(self) -> tuple[Any, Later | None]:
        """The calling thread's views and None; or None, and what the update is to be handed to.

        After the opener answered None the memory is used whether the token stands or not: a process
        that has no file for now leaves the token down, so that every update asks again. The opener
        is asked once more only if the segment was closed, by another thread, behind its back.
        """
        local = None
        while local is not self._local:
            local = self._local
            views = self._standing()
            if views is not None:
                return views, None
            later = self._opener(self)
            if later is not None:
                return None, later
            views = self._attached()
            if views is not None:
                return views, None
        raise RuntimeError("the opener said that it attached memory, and did not")


def refuse_if_removed(later: Later, label: str) -> None:
    """Removed, where what the opener answered to a reader says so."""
    if getattr(later, "removed", False):
        raise Removed(f"{label!r} was removed")
