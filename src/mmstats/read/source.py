"""One file opened so that nothing in a directory can do harm, and read as a copy.

`O_NOFOLLOW`: no link leads elsewhere. `O_NONBLOCK`: a FIFO does not hang. Only regular files, with
a limit on their size. Read with `pread`, never mapped: a file truncated meanwhile is short, and no
signal; and whole words are copied whole.
"""

from __future__ import annotations

import errno
import os
import stat

from mmstats.host.descriptors import close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import Self

MAX_SIZE = 256 << 20
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class UnreadableError(Exception):
    """Why a file is not read, as the rest of a sentence.

    `vanished`: it is gone meanwhile. `ordinary`: nobody need hear of it unless they named the file: it
    vanished, or it is somebody else's in a directory for everybody.
    """

    def __init__(self, reason: str, *, ordinary: bool = False, vanished: bool = False) -> None:
        super().__init__(reason)
        self.ordinary = ordinary or vanished
        self.vanished = vanished


class Source:
    """An open file. `with` closes it for sure."""

    __slots__ = ("dev", "fd", "ino", "size", "uid")

    def __init__(self, path: str, owners: frozenset[int] | None = None) -> None:
        try:
            self.fd = os.open(path, FLAGS)
        except OSError as error:
            raise _unreadable(error) from None
        except ValueError as error:  # a NUL in the path
            raise UnreadableError(str(error)) from None
        try:
            self._check(owners)
        except BaseException:
            close(self.fd)
            raise

    def _check(self, owners: frozenset[int] | None) -> None:
        found = os.fstat(self.fd)
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableError(f"not a regular file (mode {stat.filemode(found.st_mode)})")
        if owners is not None and found.st_uid not in owners:
            raise UnreadableError(
                f"owned by uid {found.st_uid}, which this place does not belong to", ordinary=True
            )
        if found.st_size > MAX_SIZE:
            raise UnreadableError(f"{found.st_size} bytes, at most {MAX_SIZE} are read")
        self.size, self.dev, self.ino, self.uid = found.st_size, found.st_dev, found.st_ino, found.st_uid

    def refresh(self) -> None:
        """Look again how long the file is; never more than is read at all."""
        self.size = min(os.fstat(self.fd).st_size, MAX_SIZE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> Literal[False]:
        close(self.fd)
        return False

    def read(self) -> bytes:
        """The whole file as it was when it was opened; less if it was cut."""
        data = self.read_at(0, self.size)
        while len(data) < self.size:  # a signal or a large file may cut a read short
            more = self.read_at(len(data), self.size - len(data))
            if not more:
                break
            data += more
        return data

    def read_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes at `offset`."""
        try:
            return os.pread(self.fd, length, offset)
        except OSError as error:
            raise _unreadable(error) from None


def _unreadable(error: OSError) -> UnreadableError:
    if error.errno == errno.ELOOP:
        return UnreadableError("a link, and links are not followed")
    vanished = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)
    return UnreadableError(error.strerror or str(error), vanished=vanished)
