"""How many instructions an update takes: a figure that no busy machine changes.

    python bench/instructions.py

Each update is run 2,000 times and 4,000 times under `valgrind --tool=callgrind`; what is printed is the
difference by 2,000, less that of an empty loop. It takes some minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile

LOOPS = 2_000
PROGRAM = """
import sys, mmstats
from time import perf_counter
sys.path.insert(0, {bench!r})
from object_model import Holder, empty_type
class Stats(mmstats.BaseMmStats):
    hits = mmstats.CounterField()
    ratio = mmstats.DoubleField()
    free = mmstats.GaugeField()
    body = mmstats.HistogramField(unit="seconds")
    latency = mmstats.TimerField()
    requests = mmstats.CounterField(tags=("method", "status"))
stats, empty = Stats(), Holder(empty_type()())
def work(many, stats=stats, empty=empty, perf_counter=perf_counter):
    for _ in range(many):
        {statement}
work(100)
work(int(sys.argv[1]))
"""
UPDATES = {
    "an empty method call": "empty.requests.incr()",
    "counter: 1 more": "stats.hits.incr()",
    "counter: 5 more": "stats.hits.incr(5)",
    "a number is assigned": "stats.ratio = 1.5",
    "gauge: set": "stats.free.set(1.5)",
    "histogram: observe": "stats.body.observe(0.25)",
    "a block is timed": "with stats.latency: pass",
    "two readings of the clock, by themselves": "perf_counter(); perf_counter()",
    "family: look a member up, 1 more": "stats.requests.tagged('GET', '200').incr()",
}


def instructions(statement: str, twin: str, directory: str) -> float:
    """Of one update and one round of the loop."""
    program = PROGRAM.format(statement=statement, bench=os.path.dirname(os.path.abspath(__file__)))
    counts = []
    for many in (LOOPS, 2 * LOOPS):
        done = subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"),
                *(sys.executable, "-c", program, str(many)),
            ],
            env={
                **os.environ,
                "MMSTATS_PATH": directory,
                "MMSTATS_CELLS": twin,
                "PYTHONHASHSEED": "0",
            },
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
        counts.append(int(re.findall(r"Collected : (\d+)", done.stderr)[0]))
    return (counts[1] - counts[0]) / LOOPS


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        loop = instructions("pass", "native", directory)
        print("|  | native | pure |\n|---|---|---|")
        for title, statement in UPDATES.items():
            found = [instructions(statement, twin, directory) - loop for twin in ("native", "pure")]
            print(f"| {title} | {found[0]:,.0f} | {found[1]:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
