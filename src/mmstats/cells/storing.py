"""Whether somebody may be in the middle of a store: the cells of who was forgotten are given to nobody then.

The native twin has no such moment. In the pure one a thread may stand between finding a cell and storing into
it: another thread, which matters where threads share the cell, or this very one, below a signal handler.
"""

from __future__ import annotations

import os
import sys
from _thread import get_ident

from mmstats.cells import CELLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

HERE = os.path.dirname(__file__) + os.sep
STORES_NOTHING = HERE + "lookup.py"
ASKED = os.path.join(os.path.dirname(os.path.dirname(__file__)), "publish", "")
SLOW_PATH = ASKED + "process.py"


def is_storing(*, anybody: bool) -> bool:
    """Whether this thread, or `anybody`, is in the code of the pure twin, further down its stack."""
    if CELLS == "native":
        return False
    frames = sys._current_frames() if anybody else {}
    frames[get_ident()] = sys._getframe(1)
    return any(map(_is_in_twin, frames.values()))


def _is_in_twin(top: FrameType) -> bool:
    """Whether some update on this stack may have found its cell by now.

    One that is in the slow path, or waits for it, has found none, and will look for it then.
    """
    frame: FrameType | None = top
    asks = False  # whether all frames since the slow path's are between it and the update that asks it
    while frame is not None:
        file = frame.f_code.co_filename
        if file == SLOW_PATH:
            asks = True
        elif _is_of_twin(file):
            if not asks:
                return True
        elif not file.startswith(ASKED):
            asks = False
        frame = frame.f_back
    return False


def _is_of_twin(file: str) -> bool:
    return file.startswith(HERE) and file != STORES_NOTHING
