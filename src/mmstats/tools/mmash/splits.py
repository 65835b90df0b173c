"""Histories of what is told apart: of each process by its own, or by tags.

That of each process is there from the beginning, as long as it is small enough: what each did is known before
anybody asks. All others begin when somebody asks, and end when nobody did for a while.
"""

from __future__ import annotations

import threading
import time

from mmstats.tools.mmash.history import History
from mmstats.tools.mmash.series import by_keys, each_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mmstats.stat import About
    from mmstats.tools.mmash.series import Apart, Between
    from mmstats.tools.select import Selection

PROCESS = "process"
MOST_EACH = 4_000  # series of all processes: 29 MB of 15 minutes
MOST_SPLITS = 16
MOST_SERIES = 1_000  # of a split
UNASKED = 60.0  # seconds after which a split ends


class Split:
    """What somebody asked for."""

    __slots__ = ("_apart", "_known", "_selection", "asked", "history")

    def __init__(self, selection: Selection, apart: Apart, room: int) -> None:
        self._selection = selection
        self._apart = apart
        self._known: dict[tuple[object, ...], bool] = {}
        self.asked = 0.0
        self.history = History(room, MOST_SERIES)

    def add(self, between: Between) -> None:
        """One more sample."""
        self.history.add(between.now.at, between.numbers(self._apart, self._wanted))

    def _wanted(self, about: About) -> bool:
        key = (about.label, about.tags)
        found = self._known.get(key)
        if found is None:
            if len(self._known) > MOST_SERIES:
                self._known.clear()
            found = self._known[key] = self._selection.chooses(about)
        return found


class Splits:
    """All of them. Asked by whoever answers, added to by the sampler's thread."""

    def __init__(self, room: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._clock = clock
        self._each: History | None = History(room, MOST_EACH)
        self._splits: dict[tuple[object, ...], Split] = {}
        self._lock = threading.Lock()

    def add(self, between: Between) -> None:
        """One more sample."""
        now = self._clock()
        with self._lock:
            for key, split in list(self._splits.items()):
                if now - split.asked > UNASKED:
                    del self._splits[key]
            splits = list(self._splits.values())
        if self._each is not None:
            self._each = self._added(self._each, between)
        for split in splits:
            split.add(between)

    @staticmethod
    def _added(each: History, between: Between) -> History | None:
        """That of each process; None: there is too much of it."""
        each.add(between.now.at, between.numbers(each_process))
        if not each.left_out:
            return each
        fewer = each.without_the_past()
        return fewer if len(fewer.series) + each.left_out <= MOST_EACH else None

    def of(self, words: tuple[str, ...], selection: Selection, by: str, keys: tuple[str, ...]) -> History:
        """The history that was asked for, which may begin now. `words`: what the selection was made of."""
        each = self._each
        if by == PROCESS and each is not None:
            return each
        with self._lock:
            split = self._splits.get((words, by))
            if split is None:
                if len(self._splits) >= MOST_SPLITS:
                    del self._splits[min(self._splits, key=lambda key: self._splits[key].asked)]
                apart = each_process if by == PROCESS else by_keys(keys)
                split = self._splits[words, by] = Split(selection, apart, self._room)
            split.asked = self._clock()
            return split.history
