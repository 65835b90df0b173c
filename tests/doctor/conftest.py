"""Programs that publish in a world of the test's own."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def publishing(world):
    """Starts a program that has counted 3, and waits; (process, path below the world's own /dev/shm)."""
    started = []

    def start(twin="pure", script="", **more):
        script = script or "stats = Model()\nstats.count.incr(3)\nprint(stats.filename, flush=True)\ninput()"
        process = world.program(script, MMSTATS_CELLS=twin, **more)
        started.append(process)
        path = process.stdout.readline().strip()
        return process, path, world.shm / os.path.relpath(path, "/dev/shm")

    yield start
    for process in started:
        process.kill()
        process.communicate()
