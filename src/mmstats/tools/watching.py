"""Again and again, on a steady beat, until a signal says that it is enough."""

from __future__ import annotations

import _signal
import gc
import os
import select
import sys
import time

from mmstats.tools.ends import OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ENDS = (_signal.SIGTERM, _signal.SIGINT)


def watch(seconds: float, work: Callable[[], int]) -> int:
    """The exit code, after SIGTERM or SIGINT; one that comes while there is work waits for its end."""
    gc.enable()  # what runs for months may make garbage that is worth looking for
    told = _told()
    beat = time.monotonic()
    while True:
        work()
        sys.stdout.flush()
        now = time.monotonic()
        beat += ((now - beat) // seconds + 1) * seconds  # beats that passed during the work are left out
        if select.select([told], [], [], max(0.0, beat - now))[0]:
            return OK


def _told() -> int:
    """A descriptor that can be read once a signal came. A handler, as init's default is to hear none."""
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    _signal.set_wakeup_fd(tell)
    for number in ENDS:
        _signal.signal(number, lambda *_: None)
    return told
