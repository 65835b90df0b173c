"""What an update of several cells costs, as a ratio to an empty method call made in the same rounds.

    python bench/compound.py [--rounds N]

Each twin has a process of its own, which publishes a real model into a real file. What is printed is the
median over the rounds, and its ratio to that of the empty call; then the ratio of the least, which a machine
that is busy otherwise spoils less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from object_model import LOOPS, Holder, empty_type, measure

STATEMENTS = {
    "counter: incr()": "stats.requests.incr()",
    "average: add(1.25)": "stats.size.add(1.25)",
    "moving average of 100: add(1.25)": "stats.load.add(1.25)",
    "moving average of 60 s: add(1.25)": "stats.recent.add(1.25)",
    "timer: observe(0.25)": "stats.latency.observe(0.25)",
    "histogram: observe(0.25)": "stats.body.observe(0.25)",
    "timer: with": "with stats.latency: pass",
    "timer: start(), stop()": "stats.latency.start(); stats.latency.stop()",
    "text: assign 8 bytes": "stats.phase = 'starting'",
    "text: assign 200 bytes": f"stats.phase = {'x' * 200!r}",
    "moving average of 100: value": "stats.load.value",
}


def model():
    """A model with one field of each kind, published."""
    import mmstats

    class Stats(mmstats.BaseMmStats):
        requests = mmstats.CounterField()
        size = mmstats.AverageField()
        load = mmstats.MovingAverageField()
        recent = mmstats.MovingAverageField(window=60.0)
        latency = mmstats.TimerField()
        body = mmstats.HistogramField()
        phase = mmstats.StringField()

    return Stats()


def one_twin(rounds):
    """The nanoseconds of each round of each statement, of the twin that the environment says."""
    stats = model()
    cases = [("empty call", "stats.requests.incr()", Holder(empty_type()()))]
    cases += [(label, source, stats) for label, source in STATEMENTS.items()]
    return measure(cases, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_twin(options.rounds)))
        return
    print(f"Python {sys.version.split()[0]}, {options.rounds} rounds of {LOOPS}{'median':>28} {'least':>15}")
    for twin in ("native", "pure"):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
            command = [sys.executable, __file__, "--one", "--rounds", str(options.rounds)]
            env = {**os.environ, "MMSTATS_CELLS": twin, "MMSTATS_PATH": directory}
            done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            continue  # it has said why it is not there
        show(twin, json.loads(done.stdout))


def show(twin, times):
    empty = times["empty call"]
    for label, spent in times.items():
        median, least = statistics.median(spent), min(spent)
        ratios = f"{median / statistics.median(empty):6.2f} x {least / min(empty):12.2f} x"
        print(f"{twin + ': ' + label:<46} {median:7.1f} ns {ratios}")


if __name__ == "__main__":
    main()
