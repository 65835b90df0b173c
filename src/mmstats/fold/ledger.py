"""The retired totals of one group, on their way from the old file to the new one.

To be used by whoever holds the directory's lock, and only while it does.
"""

from __future__ import annotations

import os
import time

from mmstats.errors import FormatError
from mmstats.fold.leftovers import TEMPORARY
from mmstats.fold.retired import decode_retired
from mmstats.fold.totals import Totals
from mmstats.fold.writing import encode_retired
from mmstats.format import layout
from mmstats.format.decode import MAX_FOLDED, decode
from mmstats.format.encode import cut
from mmstats.host import identity
from mmstats.host.descriptors import close
from mmstats.host.directory import NEW
from mmstats.names import retired_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmstats.fold.dead import Dead
    from mmstats.fold.estate import Left
    from mmstats.format.header import Header
    from mmstats.format.runs import Folded, Schema
    from mmstats.host.directory import Directory

REMEMBERED = 60 * 10**9  # ns that a name is kept once its file is gone
READABLE = 0o644


class Ledger:
    """Read when it is made; FormatError or OSError where that cannot be."""

    def __init__(self, directory: Directory, group: str, schema: Schema | None = None) -> None:
        self.totals = Totals()
        self._directory = directory
        self._group = group
        self.name_of_file = retired_name(group)
        self._had: dict[bytes, Folded] = {}
        self._new: dict[bytes, Folded] = {}
        self._layout_gen = 0
        self._uuid = os.urandom(16)
        self._cmd = ""
        self._mode = 0o600
        self._gid = -1
        try:
            fd = directory.open(self.name_of_file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            self._read(fd, schema)
        finally:
            close(fd)

    @property
    def has_news(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._new)

    def had(self, uuid: bytes) -> bool:
        """Whether the file of that uuid was in the totals before."""
        return uuid in self._had

    def add(self, header: Header, left: Iterable[Left], dropped: Iterable[int]) -> None:
        """Add what one process left, and what it could not publish, by the code of the reason."""
        for each in left:
            self.totals.add_left(each, header.created, time.time_ns())
        self.totals.begin(header.created)
        self.totals.drop(dropped)
        self._cmd = header.cmd

    def enter(self, one: Dead) -> None:
        """Say that the file's totals are in these."""
        self._new[one.header.uuid] = one.header.uuid, 0, one.ino
        self._mode |= one.mode & READABLE
        self._gid = one.owner[1]

    def commit(self) -> None:
        """Let these be the totals from now on. OSError: they are not."""
        self.totals.expire(time.time_ns())
        folded = [*self._new.values(), *self._remembered()]
        if len(folded) > MAX_FOLDED:
            raise OSError(0, f"{len(folded)} files were folded within a minute, {MAX_FOLDED} can be")
        directory = self._directory
        self._forget_unfinished()
        fd = directory.open(TEMPORARY, NEW)
        try:
            self._own(fd)
            data = encode_retired(self.totals, folded, **self._header(os.fstat(fd).st_ino))
            _write(fd, data)
            os.fsync(fd)
            directory.rename(TEMPORARY, self.name_of_file)
        except BaseException:
            self._forget_unfinished()
            raise
        finally:
            close(fd)

    def _read(self, fd: int, schema: Schema | None) -> None:
        found = os.fstat(fd)
        data = b""
        while more := os.pread(fd, 1 << 24, len(data)):
            data += more
        decoded = decode(data, schema)
        header = decoded.header
        if header.state != layout.STATE_RETIRED or header.group != self._group:
            what = f"{self.name_of_file}: state {header.state}, group {header.group!r}"
            raise FormatError(layout.HEADER_STATE, what, f"retired totals of {self._group!r}")
        self.totals, superseded = decode_retired(data, decoded, decoded.problems.append)
        for total, _ in superseded:
            self.totals.add(total)
        if decoded.problems:
            raise FormatError(0, f"{self.name_of_file}: {decoded.problems[0]}", "a file without damage")
        self._had = {entry[0]: entry for entry in decoded.folded}
        self._layout_gen, self._uuid, self._cmd = header.layout_gen, header.uuid, header.cmd
        self._mode |= found.st_mode & READABLE
        self._gid = found.st_gid

    def _remembered(self) -> list[Folded]:
        """What is told of earlier folds, the latest first: readers may have seen those files, or see them.

        A file that is gone now may have been there a moment ago, however long ago it was folded: whoever did
        may have stood still before it was removed. So its minute begins with the first folder that misses it.
        Of several with one inode all but the latest are gone: it was given again.
        """
        now, there = time.time_ns(), self._directory.inodes()
        there -= {ino for _, _, ino in self._new.values()}
        remembered = []
        for uuid, gone, ino in self._had.values():
            if uuid in self._new or (gone and gone <= now - REMEMBERED):
                continue
            if not gone and ino not in there:
                gone = now  # noqa: PLW2901 - this is the folder that misses it
            if not gone:
                there.remove(ino)
            remembered.append((uuid, gone, ino))
        return remembered

    def _header(self, ino: int) -> dict[str, object]:
        return {
            "uuid": self._uuid,
            "ino": ino,
            "layout_gen": self._layout_gen + 1,
            "uid": self._directory.uid,
            "hostname": cut(identity.hostname(), 64),
            "group": self._group.encode(),
            "cmd": self._cmd.encode(),
        }

    def _own(self, fd: int) -> None:
        """Let those read it who could read the files that are in it."""
        if os.geteuid() == 0:
            os.fchown(fd, self._directory.uid, self._gid)
        os.fchmod(fd, self._mode)

    def _forget_unfinished(self) -> None:
        try:
            self._directory.unlink(TEMPORARY)
        except FileNotFoundError:
            pass


def _write(fd: int, data: bytes) -> None:
    at = 0
    while at < len(data):
        at += os.write(fd, data[at:])
