"""Thousands of short processes leave a handful of files, and cost readers nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

import programs
from mmstats import combined, snapshot
from mmstats.fold import ledger
from mmstats.fold.folder import Folder

pytestmark = [pytest.mark.main, pytest.mark.slow]

LIVING = 16
AT_ONCE = 4
HANDFUL = 16  # eight that are folded by the next one, and those that were killed since
SLOWER = 1.2
PAIRS = 500

FORKED = """
import atexit, mmstats.fold.folder, signal
number = int(sys.argv[1])
running = set()
for each in range(number):
    if len(running) == {at_once}:
        running.discard(os.wait()[0])
    pid = os.fork()
    if not pid:
        stats = Model(group='short')
        stats.count.incr(1 + each % 3)
        stats.number += 1
        if each % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        atexit._run_exitfuncs()
        os._exit(0)
    running.add(pid)
for _ in running:
    os.wait()
"""
ALIVE = """
stats = Model(group='short')
print('ready', flush=True)
sys.stdin.read()
os._exit(0)
"""


def run(number, twin, directory):
    subprocess.run(
        [sys.executable, "-c", programs.MODEL + FORKED.format(at_once=AT_ONCE), str(number)],
        env=programs.environment(twin, directory),
        check=True,
        timeout=600,
    )


@contextmanager
def living(twin, directory):
    """Some that live, and count nothing."""
    command = [sys.executable, "-c", programs.MODEL + ALIVE]
    those = [
        subprocess.Popen(
            command, env=programs.environment(twin, directory), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(LIVING)
    ]
    try:
        for one in those:
            assert one.stdout.readline() == b"ready\n"
        yield
    finally:
        for one in those:
            one.communicate()


def check(number, twin, directory):
    run(number, twin, directory)
    whole = combined(directory)
    assert whole.value("count") == sum(1 + each % 3 for each in range(number))
    assert whole.value("number") == number
    assert len(os.listdir(directory)) <= LIVING + HANDFUL


def test_five_hundred_leave_a_handful(twin, stats_dir):
    with living(twin, stats_dir):
        check(500, twin, stats_dir)


@pytest.mark.soak
def test_ten_thousand_leave_a_handful(twin, stats_dir):
    with living(twin, stats_dir):
        check(10_000, twin, stats_dir)


def test_a_snapshot_costs_what_the_living_cost(twin, stats_dir, monkeypatch):
    """Once those are through whose names are told for a minute, beside one that has no history."""
    other = stats_dir / "other"
    with living(twin, stats_dir), living(twin, other):
        run(1_000, twin, stats_dir)
        a_minute_later(twin, stats_dir, monkeypatch)
        assert ratio(stats_dir, other) <= SLOWER


def a_minute_later(twin, directory, monkeypatch):
    """The first fold finds out which files are gone, the second one forgets their names."""
    monkeypatch.setattr(ledger, "REMEMBERED", -1)
    for _ in range(2):
        programs.run("Model(group='short').count.incr(); os._exit(0)", twin, directory)
        with Folder(str(directory)) as folder:
            folder.fold(path.name for path in programs.files(directory))


def ratio(one, other):
    """How much longer it takes to read the one than the other: the median of many pairs."""
    ratios = []
    for _ in range(PAIRS):
        times = []
        for place in one, other:
            began = time.perf_counter()
            snapshot(place)
            times.append(time.perf_counter() - began)
        ratios.append(times[0] / times[1])
    return sorted(ratios)[len(ratios) // 2]
