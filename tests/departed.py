"""Programs that publish until they are killed, files of the dead made by hand, and what is left then."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from contextlib import contextmanager

import filebuilder as fb
import mmstats
import programs


class Program:
    """A program that publishes, and waits for its end. `path`: its file."""

    def __init__(self, twin, directory, script="", *, under=(), **options):
        command = [*under, sys.executable, "-c", f"{programs.MODEL}\n{script or COUNT_3}\n{WAIT}"]
        more = {"MMSTATS_GROUP": options.pop("group", "app"), **options.pop("env", {})}
        self.process = subprocess.Popen(
            command,
            env=programs.environment(twin, directory, **more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )
        self.pid, self.path = self.process.stdout.readline().split(maxsplit=1)
        self.pid, self.path = int(self.pid), self.path.rstrip()

    def kill(self):
        """As by kill -9; nobody waits for it any more."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.communicate()

    def exit(self):
        """In order."""
        self.process.communicate("\n")


COUNT_3 = "stats = Model(); stats.count.incr(3)"
BYTES = """
class Young(mmstats.BaseMmStats):
    count = mmstats.CounterField(label="count", unit="bytes")
stats = Young(); stats.count.incr(40)
"""
WAIT = """
print(os.getpid(), stats.filename, flush=True)
sys.stdin.readline()
"""


@contextmanager
def folding(directory):
    """While somebody else folds there: another process, as the lock is one of processes."""
    script = f"import fcntl; f = open({str(directory / '.fold')!r}, 'w'); fcntl.lockf(f, fcntl.LOCK_EX)\n"
    command = [sys.executable, "-c", script + "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        try:
            yield other
        finally:
            if other.poll() is None:
                other.communicate(b"\n")


def dead(directory, name="app-4711-aa", *rows, **header):
    """A file whose writer let go of it; rows as `fields` has them."""
    rows = rows or [("count", "counter", fb.U64, 5)]
    return fb.write(
        directory / f"{name}.mmstats", fb.whole(*fb.fields(*rows), **{"pid": gone_pid(), **header})
    )


def gone_pid():
    """A number that no process has."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def old(directory, pid=None, *, created=None, name="app-1-1", age=60.0):
    """A file of version 1, `age` seconds after its last change."""

    def field(label, code, value):
        raw = label.encode()
        return struct.pack(f"<H{len(raw)}sH1sB", len(raw), raw, 1, code.encode(), 255) + struct.pack(
            f"<{code}", value
        )

    known = [("sys.pid", "I", pid), ("sys.created", "d", created), ("hits", "Q", 5)]
    fields = [field(*one) for one in known if one[2] is not None]
    path = directory / f"{name}.mmstats"
    path.write_bytes((b"\x01" + b"".join(fields)).ljust(4096, b"\0"))
    at = time.time() - age
    os.utime(path, (at, at))
    return str(path)


def everything(directory):
    """All that there is in a directory, bytes and times and all."""
    return {
        path.name: (
            os.lstat(path)[:7],
            os.lstat(path).st_mtime_ns,
            os.lstat(path).st_ctime_ns,
            bytes_of(path),
        )
        for path in directory.iterdir()
    }


def bytes_of(path):
    return b"" if path.is_symlink() or not path.is_file() else path.read_bytes()


def names(directory):
    return sorted(path.name for path in directory.iterdir() if path.name != ".fold")


def objects(out):
    """JSON lines, by a parser that takes nothing that JSON has not."""

    def refuse(word):
        raise ValueError(word)

    return [json.loads(line, parse_constant=refuse) for line in out.splitlines()]


def counted(directory):
    """What all there is comes to: by group and label, of all that counts."""
    found = mmstats.combined(directory).stats
    return {(stat.group, stat.label): stat.value for stat in found if stat.kind == "counter"}


def leftover(path, age=120.0):
    path.write_bytes(b"")
    at = time.time() - age
    os.utime(path, (at, at))
    return path
