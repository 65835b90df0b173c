"""A dead writer's file, open and held, so that nobody else folds, renames or takes it over meanwhile."""

from __future__ import annotations

import os
import stat

from mmstats.errors import FormatError, NotRead
from mmstats.format import layout
from mmstats.format.decode import decode
from mmstats.format.header import decode_header
from mmstats.host import locks
from mmstats.host.descriptors import close
from mmstats.host.liveness import GONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.header import Header
    from mmstats.format.runs import Decoded, Schema
    from mmstats.host.directory import Directory
    from mmstats.host.liveness import Judge

MAX_SIZE = 256 << 20


class Kept(Exception):  # noqa: N818 - no error: a file that stays, and why
    """The file stays as it is. As text: why. `busy`: somebody else is at it, so that it may be gone soon."""

    def __init__(self, reason: str, *, busy: bool = False) -> None:
        super().__init__(reason)
        self.busy = busy


class Damaged(Exception):  # noqa: N818 - no error of ours
    """The file of a dead writer says what no lawful file says. As text: what."""


class Dead:
    """One file. `close` lets go of it."""

    __slots__ = ("fd", "header", "ino", "mode", "name", "owner", "size")

    def __init__(self, directory: Directory, name: str, judge: Judge, *, hold: bool = True) -> None:
        """Raises Kept, Damaged, or OSError. Without `hold` it is only looked at."""
        self.name = name
        self.fd = directory.open(name)
        try:
            self._look(directory, judge)
            if hold:
                self._hold(directory)
        except BaseException:
            close(self.fd)
            raise

    def close(self) -> None:
        """Let others have it."""
        close(self.fd)

    def decoded(self, schema: Schema) -> tuple[bytes, Decoded]:
        """Its bytes and what they say; Damaged if they do not say all of it."""
        data = b""
        while more := os.pread(self.fd, max(self.size - len(data), 1), len(data)):
            data += more
            if len(data) > MAX_SIZE:
                raise Kept(f"more than {MAX_SIZE} bytes")
        try:
            decoded = decode(data, schema)
        except FormatError as error:
            raise Damaged(str(error)) from None
        if decoded.problems:
            raise Damaged(decoded.problems[0])
        return data, decoded

    def _look(self, directory: Directory, judge: Judge) -> None:
        found = os.fstat(self.fd)
        self.ino, self.size, self.mode = found.st_ino, found.st_size, found.st_mode
        self.owner = found.st_uid, found.st_gid
        if not stat.S_ISREG(self.mode):
            raise Kept(f"not a regular file (mode {stat.filemode(self.mode)})")
        if found.st_uid != directory.uid:
            raise Kept(f"owned by uid {found.st_uid}, its directory by uid {directory.uid}")
        if self.size > MAX_SIZE:
            raise Kept(f"{self.size} bytes, at most {MAX_SIZE} are read")
        self.header = self._header()
        if self.header.ino not in (0, self.ino):
            raise Kept(f"a copy: inode {self.ino}, written as {self.header.ino}")
        if self.header.compat_flags & layout.COMPAT_FLAG_PERSISTENT:
            raise Kept("persistent: the next run of its program takes it over")
        state = judge.verdict(self.header, self.fd, found.st_dev)
        if state != GONE:
            raise Kept(state)

    def _header(self) -> Header:
        try:
            return decode_header(os.pread(self.fd, layout.HEADER_SIZE, 0))
        except NotRead as error:
            raise Kept(str(error)) from None
        except FormatError as error:
            free = [locks.held(self.fd, byte) is False for byte in (layout.LOCK_WRITER, layout.LOCK_WITNESS)]
            raise Damaged(str(error)) if all(free) else Kept(f"damaged, and in use: {error}") from None

    def _hold(self, directory: Directory) -> None:
        if not locks.hold(self.fd, layout.LOCK_FOLDER) and locks.held(self.fd, layout.LOCK_FOLDER):
            raise Kept("somebody else takes it over", busy=True)
        if not directory.still_names(self.name, self.fd):
            raise Kept("its name leads to another file by now", busy=True)
