"""What killed creators and folders left on its way to a name (spec/FORMAT.md sections 7 and 9.1)."""

from __future__ import annotations

import os
import stat
import time

from mmstats.format import layout
from mmstats.host import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mmstats.host.directory import Directory

TEMPORARY = ".retired.new"
UNBORN = ".new-"
HEX = frozenset("0123456789abcdef")
AGE = 60.0  # seconds; whoever is at it needs a thousandth of one
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def left_in(directory: Directory) -> Iterator[str]:
    """The names of what nobody finishes any more: old, of the directory's owner, and held by nobody."""
    for name in sorted(directory.names()):
        if may_be_left(name) and _take(directory, name, lambda _: True):
            yield name


def remove_left(directory: Directory, name: str) -> bool:
    """Whether it was one, and is gone. To be used by whoever holds the directory's lock. OSError."""
    return _take(directory, name, lambda fd: _remove(directory, name, fd))


def may_be_left(name: str) -> bool:
    """Whether something with this name is never more than on its way to another one."""
    return name == TEMPORARY or (name.startswith(UNBORN) and len(name) == 37 and HEX.issuperset(name[5:]))


def _take(directory: Directory, name: str, then: Callable[[int], bool]) -> bool:
    try:
        fd = directory.open(name, FLAGS)
    except OSError:
        return False
    try:
        return _is_left(directory, fd) and then(fd)
    finally:
        os.close(fd)


def _is_left(directory: Directory, fd: int) -> bool:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != directory.uid:
        return False
    free = [locks.held(fd, byte) is False for byte in (layout.LOCK_WRITER, layout.LOCK_WITNESS)]
    return all(free) and time.time() - found.st_mtime > AGE


def _remove(directory: Directory, name: str, fd: int) -> bool:
    if not directory.still_names(name, fd):
        return False
    directory.unlink(name)
    return True
