"""A file that somebody writes, by as few system calls as it takes: opened, copied, its writer looked at.

What is unusual in any way gives None, and is told by the long way.
"""

from __future__ import annotations

import os
import stat
from struct import Struct

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.host import identity, locks
from mmstats.host.descriptors import close
from mmstats.read.source import FLAGS, LARGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Union

    # dev, inode, uid and size of the file; whether one of its locks is held; state, threads and start of its
    # writer, if so; three copies
    Glanced = tuple[int, int, int, int, bool, str, int, int, bytes, bytes, bytes]
    Glance = Callable[[str, int, int, str], Union[Glanced, None]]

LEAST = layout.HEADER_SIZE

BEGINNING = layout.MAGIC + layout.MAJOR.to_bytes(2, "little")
TEXT = 64  # bytes of each
TEXTS = slice(layout.HEADER_HOSTNAME, layout.HEADER_DROPPED)
_PID = layout.HEADER_PID
_REST = ("start_ticks", "started", "time_ns", "uuid", "who")
# The layout's own, without what is not looked at.
_fields = Struct("<16xQ16xII16s16s16xI4xQQQQQ8xQ192s64xQ").unpack_from
NOTHING_DROPPED = bytes(64)


def glance(path: str, want: int, copies: int, proc: str) -> Glanced | None:
    """A file, at most `want` bytes of it, once or three times, and whether a lock of its writer is held.

    None: it is no file, cannot be opened, is cut meanwhile, or there is no saying whether a lock is held.
    `proc`: where the system tells of processes; the state is empty where it tells nothing.
    """
    try:
        fd = os.open(path, FLAGS)
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or not LEAST <= found.st_size <= LARGE:
            return None
        length = min(want, found.st_size)
        first = os.pread(fd, length, 0)
        middle, last = (os.pread(fd, length, 0), os.pread(fd, length, 0)) if copies > 1 else (first, first)
        if not len(first) == len(middle) == len(last) == length >= LEAST:
            return None
        held = [locks.held(fd, byte) for byte in (layout.LOCK_WRITER, layout.LOCK_WITNESS)]
        if None in held:
            return None
    except OSError:
        return None
    finally:
        close(fd)
    is_held = True in held
    writer = identity.process(int.from_bytes(first[_PID : _PID + 4], "little"), proc) if is_held else None
    said = (writer.state, writer.threads, writer.start_ticks) if writer else ("", 0, 0)
    return (found.st_dev, found.st_ino, found.st_uid, found.st_size, is_held, *said, first, middle, last)


class Brief:
    """What of a header the short way needs.

    `who`: host, group and command, as they stand there; `is_closed`: whether its writer said goodbye;
    `may_lose_its_lock`: whether it may live without one.
    """

    __slots__ = (
        *("boot_id", "created", "epoch", "ino", "is_closed", "may_lose_its_lock", "pid", "pid_ns"),
        *_REST,
    )

    def __init__(self, data: bytes) -> None:
        """FormatError where it is no header of a file that somebody writes or wrote, who dropped nothing."""
        flags, state, promises, self.uuid, self.boot_id, self.pid, self.start_ticks, *rest = _fields(data)
        self.pid_ns, self.time_ns, self.ino, self.created, self.started, self.who, created_monotonic = rest
        self.epoch = self.created - created_monotonic
        is_dropping = not data.startswith(NOTHING_DROPPED, layout.HEADER_DROPPED)
        self.may_lose_its_lock = bool(promises & layout.WRITER_FLAG_POSIX_LOCK)
        self.is_closed = state == layout.STATE_CLOSED
        is_ours = state == layout.STATE_LIVE or self.is_closed
        if flags or is_dropping or not is_ours or not data.startswith(BEGINNING):
            raise FormatError(0, "another header", "one of a file that a writer made")


def glance_function(*, pure: bool = False) -> Glance:
    """The native twin where it was built, unless this one is asked for."""
    if not pure:
        try:
            from mmstats.read._native import glance as native
        except ImportError:
            pass
        else:
            return native
    return glance
