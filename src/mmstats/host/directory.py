"""A directory that is open: what is done in it is done in it, wherever its name leads by now."""

from __future__ import annotations

import os
import stat

from mmstats.errors import PlaceRefused
from mmstats.host.descriptors import close
from mmstats.host.trust import OTHERS_WRITE, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from typing_extensions import Self

NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
OLD = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Directory:
    """`with` closes it for sure. Names are names in it, without a slash."""

    __slots__ = ("fd", "path", "uid")

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.uid = os.fstat(self.fd).st_uid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> Literal[False]:
        close(self.fd)
        return False

    def check(self) -> None:
        """Raise PlaceRefused unless it is ours, or we are root, and nobody but its owner may write to it."""
        found = os.fstat(self.fd)
        us = os.geteuid()
        if us not in (found.st_uid, 0):
            raise PlaceRefused(
                self.path,
                f"is owned by {name_of(found.st_uid)}; we are {name_of(us)}, and change nothing there",
            )
        if found.st_mode & OTHERS_WRITE:
            mode = stat.S_IMODE(found.st_mode)
            raise PlaceRefused(
                self.path, f"is writable by others (mode {mode:04o}): totals are not kept there"
            )

    def open(self, name: str, flags: int = OLD, mode: int = 0o600) -> int:
        """A descriptor of the file."""
        return os.open(name, flags, mode, dir_fd=self.fd)

    def names(self) -> list[str]:
        """What is in it, in no order."""
        return os.listdir(self.fd)

    def inodes(self) -> set[int]:
        """The inodes of all that is in it."""
        with os.scandir(self.fd) as entries:
            return {entry.inode() for entry in entries}

    def identity(self, name: str) -> tuple[int, int]:
        """Device and inode that the name leads to; links are not followed."""
        found = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        return found.st_dev, found.st_ino

    def still_names(self, name: str, fd: int) -> bool:
        """Whether the name leads to the file that is open."""
        opened = os.fstat(fd)
        try:
            return self.identity(name) == (opened.st_dev, opened.st_ino)
        except FileNotFoundError:
            return False

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, over whatever has it."""
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def unlink(self, name: str) -> None:
        """Take a name away."""
        os.unlink(name, dir_fd=self.fd)
