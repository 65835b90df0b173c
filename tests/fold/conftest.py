"""A directory of this test's own, and files of dead writers in it."""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
import time
from pathlib import Path

import pytest

import filebuilder as fb
from mmstats.fold.folder import Folder
from mmstats.format import layout
from mmstats.host.directory import Directory

RETIRED = "app-retired.mmstats"


@pytest.fixture
def place():
    """A directory in memory that only its owner may write to; no inode is given twice there."""
    path = Path(tempfile.mkdtemp(prefix="mmstats-test-", dir="/dev/shm"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def directory(place):
    with Directory(str(place)) as opened:
        yield opened


@pytest.fixture
def dead(place):
    """Makes the file of a dead writer, and gives its uuid: `dead("a", ("n", "counter", fb.U64, 5))`."""

    def make(name, *rows, **given):
        uuid = os.urandom(16)
        fb.write(place / f"{name}.mmstats", fb.whole(*fb.fields(*rows), uuid=uuid, **given))
        return uuid

    return make


@pytest.fixture
def fold(place):
    """Folds all files, or those that are named; what became of each, by its name."""

    def run(*names, **more):
        there = [path.name for path in place.glob("*.mmstats") if not path.name.endswith("-retired.mmstats")]
        with Folder(str(place)) as folder:
            results = folder.fold(names or sorted(there), **more)
        return {result.name.removesuffix(".mmstats"): (result.what, result.reason) for result in results}

    return run


@pytest.fixture
def entries(place):
    """Of the retired totals: uuid → (time, inode)."""
    entry = struct.Struct("<16sQQ")

    def read(name=RETIRED):
        data = (place / name).read_bytes()
        at = layout.HEADER_SIZE
        kind, _, count = struct.unpack_from(layout.FOLDED_STRUCT, data, at)
        assert kind == layout.BLOCK_TYPE_FOLDED
        first = at + layout.FOLDED_SIZE
        return {
            uuid: (since, ino) for uuid, since, ino in entry.iter_unpack(data[first : first + 32 * count])
        }

    return read


@pytest.fixture
def clock(monkeypatch):
    """Time that goes on when the test says so: `clock.now += 10`, in seconds."""

    class Clock:
        now = 1_700_000_000

    from mmstats.fold import ledger

    class Time:
        time_ns = staticmethod(lambda: Clock.now * 10**9)
        __getattr__ = time.__dict__.__getitem__

    monkeypatch.setattr(ledger, "time", Time())
    return Clock
