"""What an update costs while a process cannot publish: python bench/ill.py.

The directory is a path that cannot be made; every update asks its opener, which looks at the clock. Beside
it the same updates of a process that publishes. Least of many rounds, loop included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

ROUNDS, TIMES = 40, 5_000
UPDATES = ("stats.count.incr()", "stats.real = 2.5", "stats.size.add(10)", "stats.count.value")


def measured() -> None:
    """One process of one twin: a line for each update."""
    import logging

    import mmstats

    logging.getLogger("mmstats").disabled = True

    class Model(mmstats.BaseMmStats):
        count = mmstats.CounterField()
        real = mmstats.DoubleField()
        size = mmstats.AverageField()

    stats = Model()
    state = "published" if stats.filename else "ill"
    for update in UPDATES:
        scope = {"stats": stats}
        exec(f"def run():\n    for _ in range({TIMES}): {update}", scope)  # noqa: S102 - the lines above
        least = min(timed(scope["run"]) for _ in range(ROUNDS))
        print(f"{mmstats.CELLS:8}{state:12}{update:24}{least / TIMES:8.0f} ns")


def timed(work) -> int:
    begin = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - begin


def main() -> None:
    with tempfile.NamedTemporaryFile() as no_directory, tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        for twin in ("native", "pure"):
            for path in (place, no_directory.name + "/stats"):
                environ = {**os.environ, "MMSTATS_CELLS": twin, "MMSTATS_PATH": path}
                subprocess.run([sys.executable, __file__, "measured"], env=environ, check=True)


if __name__ == "__main__":
    measured() if sys.argv[1:] else main()
