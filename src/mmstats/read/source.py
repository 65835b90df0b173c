"""One file opened so that nothing in a directory can do harm, and read as a copy.

`O_NOFOLLOW`: no link leads elsewhere. `O_NONBLOCK`: a FIFO does not hang. Only regular files, with
a limit on their size. Read with `pread`, never mapped: a file truncated meanwhile is short, and no
signal; and whole words are copied whole.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from mmstats.format.compound import Copies
from mmstats.host.descriptors import close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import Self

    from mmstats.format.runs import Decoded

MAX_SIZE = 256 << 20
LARGE = 16 << 20  # bytes, of which three copies would be too many
PATIENCE = 0.05  # seconds
LEAST_TRIES = 100  # however long they take: a reader may not be let run while its time goes by
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


def copies_of(data: bytes, source: Source, patience: Patience, decoded: Decoded) -> Copies:
    """The file three times where it has values that need it; once where it is large, or shrank meanwhile."""
    if not decoded.compound:
        return Copies.of_one(data)
    if len(data) > LARGE:
        return Copies(b"", data, b"", source.read_at, patience.is_over)
    middle, last = source.read(), source.read()
    if min(len(middle), len(last)) < len(data):
        decoded.note("it was cut while it was read")
        return Copies.of_one(data)
    return Copies(data, middle, last, source.read_at, patience.is_over)


class Patience:
    """How long one file is read again for values that are being written (FORMAT.md 5.1)."""

    __slots__ = ("_deadline", "_tries")

    def __init__(self) -> None:
        self._deadline = 0.0
        self._tries = 0

    def is_over(self) -> bool:
        """Whether it was long enough since the first time that this was asked, and often enough."""
        now = time.monotonic()
        self._deadline = self._deadline or now + PATIENCE
        self._tries += 1
        return now > self._deadline and self._tries >= LEAST_TRIES
