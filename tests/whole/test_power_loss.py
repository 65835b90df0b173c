"""What a machine has after it lost power: what was brought to its disk, in the order in which it was.

The program is stopped after each system call. What is on the disk then is modelled: a file's bytes are
those of its last fsync, a directory's names those of its own last fsync; a rename may also have come
there by itself. Every such state, and every state of the running machine, must read as one that was.
"""

from __future__ import annotations

import os
import platform
import stat
import struct
import sys

import pytest

import programs
import traced
from mmstats import combined
from mmstats.format import layout

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not traced.NAMES,
    reason=f"not on {platform.machine()}: the numbers of its system calls are not here",
)

MODEL = """
import mmstats, os
class Billing(mmstats.BaseMmStats):
    paid = mmstats.CounterField()
    size = mmstats.AverageField()
def begin():
    return Billing(filename='billing.mmstats', persistent=True)
"""
FIRST = "stats = begin(); stats.paid.incr(3); stats.size.add(3); stats.flush()\n"
BESIDE = """
if not os.fork():
    stats.paid.incr(10)
    stats.flush()
    os._exit(0)
os.wait()
"""
MARK = "os.getpgid(0)\n"


class Disk:
    """What has come to the disk: bytes by inode, inodes by name."""

    def __init__(self, directory):
        self.directory = directory
        self.bytes = {}
        self.names = {}

    def synced(self, path):
        """An fsync of what `path` leads to is through."""
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            self.names = self.inodes()
        else:
            with open(path, "rb") as file:
                self.bytes[status.st_ino] = file.read()

    def inodes(self):
        with os.scandir(self.directory) as entries:
            return {entry.name: entry.inode() for entry in entries}


@pytest.fixture
def directory(stats_dir):
    return stats_dir


def traced_run(script, twin, directory):
    """Runs it; after each call within the marks, the call and what is on the disk."""
    disk = Disk(directory)
    for name in [*disk.inodes()]:
        disk.synced(directory / name)
    disk.synced(directory)
    environment = programs.environment(twin, directory)
    program = traced.Traced([sys.executable, "-c", MODEL + script], environment)
    try:
        for name, first in program:
            if name in ("fsync", "fdatasync"):
                disk.synced(f"/proc/{program.pid}/fd/{first}")
            yield name, disk
        assert program.code == 0
    finally:
        program.close()


def read(tmp_path, files):
    """What readers see of files by name, each in a place of its own as after a start of the machine."""
    place = tmp_path / "after"
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    for name, data in files.items():
        with open(place / name, "wb") as file:
            file.write(data)
            if len(data) > layout.HEADER_SIZE:
                file.seek(layout.HEADER_INO)
                file.write(struct.pack("<Q", os.fstat(file.fileno()).st_ino))
    whole = combined(place)
    return whole.value("paid", 0), whole.value("size", 0.0)


def running(directory):
    """The files as the machine sees them while it runs."""
    return {path.name: path.read_bytes() for path in programs.files(directory)}


def after_loss(disk, names):
    """The files that are left if the names were on the disk."""
    return {name: disk.bytes.get(inode, b"") for name, inode in names.items() if name.endswith(".mmstats")}


def test_flush_brings_everything_to_the_disk(twin, directory, tmp_path):
    script = "stats = begin(); stats.paid.incr(3); stats.size.add(3)\n" + MARK + "stats.flush()\n" + MARK
    calls = []
    for name, disk in traced_run(script, twin, directory):
        calls.append(name)
        last = disk
    order = [name for name in calls if name in ("msync", "fsync")]
    assert order == ["msync", "fsync", "fsync"], "the bytes, the file, then its name in the directory"
    assert read(tmp_path, after_loss(last, last.names)) == (3, 3.0)


def test_what_is_counted_after_a_flush_may_be_lost_and_nothing_before(twin, directory, tmp_path):
    script = "stats = begin()\n" + MARK + "stats.paid.incr(3); stats.flush()\nstats.paid.incr(1)\n" + MARK
    for _, disk in traced_run(script, twin, directory):
        last = disk
    assert read(tmp_path, after_loss(last, last.names))[0] == 3


@pytest.mark.parametrize("beside", ["", BESIDE], ids=["one file", "two files"])
def test_a_restart_never_loses_what_was_flushed(twin, directory, tmp_path, beside):
    """At every call: on the running machine, after a loss, and after one that a rename came before."""
    programs.run(MODEL + FIRST + beside, twin, directory)
    paid = 13 if beside else 3
    calls, seen = [], set()
    script = MARK + "stats = begin()\n" + MARK
    for name, disk in traced_run(script, twin, directory):
        calls.append(name)
        states = [running(directory), after_loss(disk, disk.names), after_loss(disk, disk.inodes())]
        for state in states:
            assert read(tmp_path, state) == (paid, 3.0), f"after {calls[-5:]}"
            seen.add(tuple(sorted(state)))
    assert len(seen) == (2 if beside else 1), "the file beside was there, and is gone"
    order = [name for name in calls if not name.startswith("call")]
    assert order[:6] == ["msync", "fsync", "linkat", "rename", "fsync", *(["unlink"] if beside else [])][:6]


def test_the_test_would_see_a_name_that_changes_too_early(twin, directory, tmp_path):
    """Without the fsync before the rename, a machine that loses power has neither total."""
    programs.run(MODEL + FIRST, twin, directory)
    spoilt = "from mmstats.publish.backing import File\nFile._flush = lambda self, fd: None\n"
    script = spoilt + MARK + "stats = begin()\n" + MARK
    found = [
        read(tmp_path, after_loss(disk, disk.inodes())) for _, disk in traced_run(script, twin, directory)
    ]
    assert (0, 0.0) in found
