"""Interpreters of one process, each with a GIL of its own: the native twin works in all, at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

import programs
from mmstats import snapshot

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 12) or sys.implementation.name == "pypy",
    reason="not on PyPy, and not on Python before 3.12: interpreters share one GIL",
)

PROGRAM = """
import sys, threading
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    make = lambda: interpreters.create('isolated')
else:
    import _xxsubinterpreters as interpreters
    make = lambda: interpreters.create(isolated=True)

WORK = '''
import mmstats, mmstats.cells, os, sys
class Own(mmstats.BaseMmStats):
    hits = mmstats.CounterField()
    size = mmstats.HistogramField()
    latency = mmstats.TimerField()
    ratio = mmstats.DoubleField()
    free = mmstats.GaugeField()
stats = Own()
for number in range(20_000):
    stats.hits.incr()
    stats.size.observe(number % 7)
    stats.ratio = number
    stats.free = number
    with stats.latency:
        pass
os.write(1, (str(mmstats.cells.CELLS) + chr(10)).encode())  # in one go: the others write, too
'''
MANY = 4
made = [make() for _ in range(MANY)]
threads = [threading.Thread(target=interpreters.run_string, args=(each, WORK)) for each in made]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("ready", flush=True)
sys.stdin.read()
import os; os._exit(0)
"""


def test_each_counts_for_itself(twin, stats_dir):
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=programs.environment(twin, stats_dir),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert [program.stdout.readline() for _ in range(5)] == [f"{twin}\n"] * 4 + ["ready\n"]
        found = snapshot(stats_dir)
    finally:
        program.communicate()
    assert [one.problems for one in found] == [[]] * 4
    told = [
        (one.value("hits"), one.value("size").count, one.value("latency").count, one.value("free"))
        for one in found
    ]
    assert told == [(20_000, 20_000, 20_000, 19_999)] * 4
