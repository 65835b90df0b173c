"""Forks in C beside other threads of Python: what has to be waited for, and what cannot be had."""

from __future__ import annotations

import os
import sys
import threading
import time

LONG = 20  # seconds
# PyPy's own locks do not outlive a fork in C while other threads run.
IN_C_BESIDE_THREADS = sys.implementation.name != "pypy"


def others():
    """State, and how often it was switched away from, of each other thread."""
    found = {}
    for task in set(os.listdir("/proc/self/task")) - {str(threading.get_native_id())}:
        try:
            with open(f"/proc/self/task/{task}/status") as file:
                lines = dict(line[:-1].split(":\t", 1) for line in file if ":\t" in line)
        except OSError:
            continue  # it ended just now
        found[task] = lines["State"], lines["voluntary_ctxt_switches"], lines["nonvoluntary_ctxt_switches"]
    return found


def until_others_sleep():
    """Until every other thread sleeps for good: one that waits for the interpreter wakes every 5 ms.

    A child of a fork in C goes on asking for a thread that does not exist there to take over.
    """
    end = time.monotonic() + LONG
    while True:
        before = others()
        time.sleep(0.03)
        if before == others() and all(state.startswith("S") for state, *_ in before.values()):
            return
        assert time.monotonic() < end, "another thread does not come to rest"
