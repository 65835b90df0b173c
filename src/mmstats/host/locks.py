"""Locks on single bytes that belong to an open file description, not to a process.

Such a lock lives as long as the description, or a mapping made through it, in any process; it ends
at exec and at SIGKILL, and another process can ask for it without taking it (spec/FORMAT.md
section 7). What this file needs of Linux: `F_OFD_SETLK` and `F_OFD_GETLK`. Where they are missing
nothing can be held or asked, and readers then judge a writer by its pid or not at all.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import sys

SUPPORTED = sys.platform.startswith("linux")

# PyPy's fcntl lacks the names; the numbers are the same on every Linux.
F_OFD_GETLK: int = getattr(fcntl, "F_OFD_GETLK", 36)
F_OFD_SETLK: int = getattr(fcntl, "F_OFD_SETLK", 37)

# type, whence, start, length, pid, as the compiler of this machine pads it
FLOCK = struct.Struct("hhqqi4x")

TAKEN = frozenset((errno.EAGAIN, errno.EACCES))
NOT_TO_BE_HAD = frozenset((errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EREMOTEIO))


def hold(fd: int, byte: int) -> bool:
    """Whether a write lock on `byte` is ours now; never waits.

    False where somebody else holds it, and where this file system or kernel has no such locks;
    `held` tells the two apart. The descriptor must be open for writing.
    """
    return _set(fd, fcntl.F_WRLCK, byte)


def release(fd: int, byte: int) -> None:
    """Give the lock on `byte` back; fine where there is none."""
    _set(fd, fcntl.F_UNLCK, byte)


def held(fd: int, byte: int) -> bool | None:
    """Whether another description holds a lock on `byte`; None where that cannot be asked.

    Takes nothing and needs only a descriptor open for reading. A POSIX record lock, as Java's
    `FileChannel.lock` takes it, is seen too.
    """
    if not SUPPORTED:
        return None
    try:
        answer = fcntl.fcntl(fd, F_OFD_GETLK, FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0))
    except OSError as error:
        if error.errno in NOT_TO_BE_HAD or error.errno in TAKEN:
            return None
        raise
    return bool(FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _set(fd: int, kind: int, byte: int) -> bool:
    if not SUPPORTED:
        return False
    try:
        fcntl.fcntl(fd, F_OFD_SETLK, FLOCK.pack(kind, os.SEEK_SET, byte, 1, 0))
    except OSError as error:
        if error.errno in TAKEN or error.errno in NOT_TO_BE_HAD:
            return False
        raise
    return True
