"""`with stats.inflight.held():` one more inside of the block, however it is left."""

from __future__ import annotations

from mmstats.publish import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from mmstats.cells.protocol import UpDown


class Held:
    """The context. It keeps nothing but the process that entered it.

    A forked child begins at zero, so it takes nothing away for what its parent holds. What a thread has
    entered another one may leave: only the sum over threads is told.
    """

    __slots__ = ("_pid", "_updown")

    def __init__(self, updown: UpDown) -> None:
        self._updown = updown
        self._pid = 0

    def __enter__(self) -> None:
        self._updown.incr()
        self._pid = process.current_pid()

    def __exit__(self, *exc: object) -> Literal[False]:
        if self._pid == process.current_pid():
            self._updown.decr()
        return False
