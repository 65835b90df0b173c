"""A reader that judges one file, and what simpler schemes than the verdict would say of it.

    judging.py FILE [UID]

Prints JSON: scheme → alive, gone, or what else there is to say. With UID it drops its privileges first.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import sys

from mmstats.format import layout
from mmstats.format.header import decode_header
from mmstats.host import identity, locks
from mmstats.read.snapshot import snapshot

ALIVE, GONE = "alive", "gone"
RECORD = 1 << 20  # the byte that the writer locked as Java would, for the scheme `record`
FLOCK = struct.Struct("hhqqi4x")


def by_verdict(path):
    """What readers say: the state of who wrote it, or why it is not counted."""
    (one,) = snapshot(path)
    return one.origin.state if one.origin.uuid else one.problems[0].reason.partition(":")[0]


def by_pid(header, _):
    """Whether there is a process of that number."""
    try:
        os.kill(header.pid, 0)
    except ProcessLookupError:
        return GONE
    except PermissionError:
        return ALIVE
    return ALIVE


def by_start(header, _):
    """Whether /proc shows it, no zombie, started when the writer was."""
    process = identity.process(header.pid)
    if process is None or process.state in "ZX":
        return GONE
    return ALIVE if process.start_ticks == header.start_ticks else GONE


def by_flock(_, fd):
    """Whether a BSD lock can be had."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return ALIVE
    return GONE


def by_one_lock(_, fd):
    """Whether the lock is held that the writer took through a descriptor of its own."""
    return ALIVE if locks.held(fd, layout.LOCK_WITNESS) else GONE


def by_record(_, fd):
    """Whether a POSIX record lock is held."""
    answer = fcntl.fcntl(fd, fcntl.F_GETLK, FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, RECORD, 1, 0))
    return GONE if FLOCK.unpack(answer)[0] == fcntl.F_UNLCK else ALIVE


SIMPLER = {"pid": by_pid, "start": by_start, "flock": by_flock, "one": by_one_lock, "record": by_record}


def main() -> None:
    path, uid = sys.argv[1], int((sys.argv[2:] or ["0"])[0])
    if uid:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    fd = os.open(path, os.O_RDONLY)
    header = decode_header(os.pread(fd, 4096, 0))
    said = {name: scheme(header, fd) for name, scheme in SIMPLER.items()}
    os.close(fd)
    print(json.dumps({"verdict": by_verdict(path), **said}))


if __name__ == "__main__":
    main()
