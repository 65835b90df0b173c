"""Where a region's memory comes from: a file that is born whole, or private memory.

A file is made without a name, its space is reserved before it is mapped, it is filled, locked, and
linked to its name last (FORMAT.md section 7): a reader never sees half of one, and a process that is
killed on the way leaves nothing.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import sys

from mmstats.format import layout
from mmstats.host import locks
from mmstats.host.descriptors import close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PYPY = sys.implementation.name == "pypy"
POPULATE = getattr(mmap, "MAP_POPULATE", 0x8000 if sys.platform == "linux" else 0)
O_TMPFILE = getattr(os, "O_TMPFILE", 0o20000000 | os.O_DIRECTORY)  # PyPy lacks the name
MS_ASYNC = 1
AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)
# Without a descriptor of its own a mapping cannot close somebody else's (Python 3.13).
UNTRACKED: dict[str, Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}


class Private:
    """Memory that no reader sees."""

    def map(self, _offset: int, size: int) -> memoryview:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        return memoryview(mmap.mmap(-1, size, flags=flags))


class File:
    """A file in the making, then the living one. OSError where the machine refuses."""

    def __init__(self, directory: str, mode: int) -> None:
        self.directory = directory
        self.path: str | None = None
        self._temporary: str | None = None
        self._maps: list[mmap.mmap] = []
        self._witness = -1
        self._fd = self._open(mode)
        status = os.fstat(self._fd)
        self.identity = (status.st_dev, status.st_ino)
        try:
            os.fchmod(self._fd, mode)
        except OSError:
            self.unlink()
            self.close()
            raise

    def _open(self, mode: int) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC
        try:
            return os.open(self.directory, flags | O_TMPFILE, mode)
        except OSError as error:
            if error.errno not in NO_TMPFILE or not os.path.isdir(self.directory):
                raise
        self._temporary = os.path.join(self.directory, temporary_name())
        return os.open(self._temporary, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)

    @property
    def ino(self) -> int:
        return self.identity[1]

    @property
    def is_lost(self) -> bool:
        """Whether it has no name any more: somebody deleted it, or its directory."""
        try:
            return os.fstat(self._descriptor()).st_nlink == 0 and not self._is_named()
        except (FileNotFoundError, NotADirectoryError):
            return True  # our descriptors were closed behind our back, and its name is gone
        except OSError:
            return False

    def map(self, offset: int, size: int) -> memoryview:
        fd = self._descriptor()
        reserve(fd, offset, size)
        mapped = mmap.mmap(fd, size, flags=mmap.MAP_SHARED | POPULATE, offset=offset, **UNTRACKED)
        if PYPY:
            self._end_at_exec()
        self._maps.append(mapped)
        return memoryview(mapped)

    def _end_at_exec(self) -> None:
        """PyPy's mmap keeps a copy of the descriptor that would outlive exec, and the lock with it."""
        for number in os.listdir("/proc/self/fd"):
            if self._is_ours(int(number)):
                os.set_inheritable(int(number), False)

    def link(self, name: str) -> None:
        """Make the file visible as `name`. FileExistsError where the name is taken."""
        if self._witness < 0:
            self._lock()
        path = os.path.join(self.directory, name)
        if self._temporary is None:
            link_nameless(self._fd, self.directory, name)
        else:
            os.link(self._temporary, path)
            os.unlink(self._temporary)
            self._temporary = None
        self.path = path
        self._settle()

    def replace(self, name: str) -> bool:
        """Make the file visible as `name`, in the stead of the one that has it now.

        On its disk before that, and its name after it: at no moment would a machine that loses power
        have neither of them whole. OSError: the other one has the name; False: the new one has it, but
        that may not have come to the disk.
        """
        if self._witness < 0:
            self._lock()
        self._flush(self._fd)
        if self._temporary is None:
            self._temporary = os.path.join(self.directory, temporary_name())
            link_nameless(self._fd, self.directory, os.path.basename(self._temporary))
        directory = open_directory(self.directory)  # after the rename nothing may fail any more
        try:
            path = os.path.join(self.directory, name)
            os.rename(self._temporary, path)
            self._temporary = None
            self.path = path
            self._settle()
            os.fsync(directory)
        except OSError:
            if self.path is None:
                raise
            return False
        finally:
            os.close(directory)
        return True

    def sync(self, *, wait: bool) -> None:
        """Bring what was stored to the disk, and the file's name; without `wait` only ask for it."""
        if wait:
            self._flush(self._descriptor())
            sync_directory(self.directory)
        else:
            for mapped in self._maps:
                write_back(mapped)

    def _flush(self, fd: int) -> None:
        for mapped in self._maps:
            mapped.flush()
        os.fsync(fd)

    def _lock(self) -> None:
        """Hold both locks before anybody can look (FORMAT.md section 7)."""
        locks.hold(self._fd, layout.LOCK_WRITER)
        witness = os.open(f"/proc/self/fd/{self._fd}", os.O_RDWR | os.O_CLOEXEC)
        locks.hold(witness, layout.LOCK_WITNESS)
        try:
            # systemd-tmpfiles leaves files under a BSD lock alone.
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # not on this file system; the other locks decide
        self._witness = witness

    def _settle(self) -> None:
        """From now on the mapping holds the first lock, and growth goes through the witness."""
        close(self._fd)
        self._fd = self._witness

    def _descriptor(self) -> int:
        """A descriptor of this file, also after the program has closed all of its own."""
        if not self._is_ours(self._fd):
            if self.path is None:
                raise OSError(errno.EBADF, "the descriptor of an unfinished stats file was closed")
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            if not self._is_ours(fd):
                close(fd)
                raise FileNotFoundError(errno.ENOENT, "the stats file is no longer there", self.path)
            self._fd = fd
            # Up to Python 3.12 each mapping keeps a descriptor too; those went with ours, and
            # their numbers may be somebody's socket by now: these mappings are never closed.
            KEPT.extend(self._maps)
            self._maps = []
        return self._fd

    def _is_ours(self, fd: int) -> bool:
        """Whether the number still names this file: a daemonizer may have closed and reused it."""
        try:
            status = os.fstat(fd)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.identity

    def _is_named(self) -> bool:
        """Whether the name leads here: not every file system counts links."""
        try:
            return self.path is not None and _identity(self.path) == self.identity
        except OSError:
            return False

    def unlink(self) -> None:
        """Take the name away, if it is still this file's."""
        for path in (self.path, self._temporary):
            try:
                if path is not None and _identity(path) == self.identity:
                    os.unlink(path)
            except OSError:
                pass  # gone already, or not ours to remove

    def close(self) -> None:
        """Let go of descriptors and mappings; memory lives on while somebody has a view of it."""
        if not self._is_ours(self._fd):
            KEPT.extend(self._maps)
        for fd in {self._fd, self._witness}:
            if fd >= 0 and self._is_ours(fd):
                close(fd)
        self._fd = self._witness = -1
        self._maps = []


KEPT: list[mmap.mmap] = []


def temporary_name() -> str:
    """A hidden name for what is not to be seen yet (FORMAT.md section 7)."""
    return f".new-{os.urandom(16).hex()}"


def sync_directory(directory: str) -> None:
    """Bring the names in it to the disk."""
    fd = open_directory(directory)
    try:
        os.fsync(fd)
    finally:
        close(fd)


def open_directory(directory: str) -> int:
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def write_back(mapped: mmap.mmap) -> None:
    """msync(2) with MS_ASYNC, which mmap.flush cannot say before Python 3.14."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
    if libc.msync(ctypes.c_void_p(address), ctypes.c_size_t(len(mapped)), MS_ASYNC):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _identity(path: str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def reserve(fd: int, offset: int, size: int) -> None:
    """Let the file be `size` bytes from `offset` on, none of them a hole. OSError: no space."""
    os.posix_fallocate(fd, offset, size)
    if os.fstat(fd).st_size < offset + size:  # PyPy 7.3.11 does not look at what it returned
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def link_nameless(fd: int, directory: str, name: str) -> None:
    """Give an O_TMPFILE a name, never over another file."""
    dir_fd = open_directory(directory)
    try:
        _linkat(f"/proc/self/fd/{fd}", name, dir_fd)
    finally:
        close(dir_fd)


def _linkat(source: str, name: str, dir_fd: int) -> None:
    """linkat(2) with AT_SYMLINK_FOLLOW, which alone takes /proc/self/fd/N for the file itself."""
    if not PYPY:
        os.link(source, name, dst_dir_fd=dir_fd, follow_symlinks=True)
        return
    import ctypes  # PyPy 7.3.11 mixes the flag up

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.linkat(AT_FDCWD, os.fsencode(source), dir_fd, os.fsencode(name), AT_SYMLINK_FOLLOW):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
