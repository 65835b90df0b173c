"""Who holds a directory's `.fold` folds there, and nobody else (spec/FORMAT.md section 9.1).

A POSIX record lock, because a forked child does not inherit it: a lock of the description would be
kept by a child that was forked in the middle of a fold, long after the folder is dead. But it does not
keep two threads of one process apart, nor code that interrupts ours; a second lock, of the process, does.
Neither is ever waited for.
"""

from __future__ import annotations

import errno
import fcntl
import os
from _thread import allocate_lock

from mmstats.host.descriptors import close
from mmstats.host.locks import FLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.host.directory import Directory

NAME = ".fold"
TAKEN = (errno.EAGAIN, errno.EACCES)
TRIES = 3  # that a lock file is replaced while it is taken is somebody's mistake, made once

_of_process = {os.getpid(): allocate_lock()}


class FoldLock:
    """Of one directory. Made by `take`, ended by `release`."""

    __slots__ = ("_fd", "_mine")

    def __init__(self, fd: int, mine: object) -> None:
        self._fd = fd
        self._mine = mine

    def release(self) -> None:
        """Let others fold."""
        close(self._fd)  # and with it the lock
        self._mine.release()  # type: ignore[attr-defined]


def take(directory: Directory) -> FoldLock | None:
    """The lock; None: somebody else has it. OSError: it cannot be asked for."""
    mine = _of_process.setdefault(os.getpid(), allocate_lock())
    if not mine.acquire(blocking=False):
        return None
    fd = None
    try:
        fd = _locked(directory)
        return FoldLock(fd, mine) if fd is not None else None
    finally:
        if fd is None:
            mine.release()


def holder(directory: Directory) -> int | None:
    """The pid of who folds there just now, 0 where that cannot be told; None: nobody. Takes nothing."""
    mine = _of_process.get(os.getpid())
    if mine is not None and mine.locked():
        return os.getpid()  # and to close the file would end our own lock on it
    try:
        fd = directory.open(NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
        kind, _, _, _, pid = FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    finally:
        os.close(fd)
    return None if kind == fcntl.F_UNLCK else max(pid, 0)


def _locked(directory: Directory) -> int | None:
    for _ in range(TRIES):
        fd = directory.open(NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC)
        is_ours = is_it = False
        try:
            _give_to_owner(directory, fd)
            is_ours = _lock(fd)
            is_it = is_ours and directory.still_names(NAME, fd)
        finally:
            if not is_it:
                close(fd)
        if is_it or not is_ours:
            return fd if is_it else None
    return None


def _lock(fd: int) -> bool:
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        raise
    return True


def _give_to_owner(directory: Directory, fd: int) -> None:
    """What root makes in a user's directory is that user's."""
    if os.geteuid() == 0 != directory.uid:
        os.fchown(fd, directory.uid, -1)
