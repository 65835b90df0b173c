"""What becomes of a name that is taken: its writer dead, it makes way; alive, the newcomer does.

A dead file that makes way is folded; where somebody else folds just now it is renamed to NAME-ID, to be
folded later.
"""

from __future__ import annotations

import os

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.header import decode_header
from mmstats.host import locks
from mmstats.host.descriptors import close
from mmstats.host.liveness import GONE, Judge
from mmstats.publish.retire import retire

FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def make_way(path: str) -> str | None:
    """None: the name may be free now, try again. Else who has it, in words.

    The folder's lock on the old file, and a second look at the name while it is held, keep two
    newcomers from renaming each other's new file away.
    """
    try:
        fd = os.open(path, FLAGS)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"something that cannot be opened ({error.strerror})"
    try:
        return _make_way(path, fd)
    finally:
        close(fd)


def _make_way(path: str, fd: int) -> str | None:
    try:
        header = decode_header(os.pread(fd, layout.HEADER_SIZE, 0))
    except FormatError as error:
        return f"a file that is not ours to move ({error})"
    except OSError as error:
        return f"something that cannot be read ({error.strerror})"
    if Judge().verdict(header, fd, os.fstat(fd).st_dev) != GONE:
        return f"pid {header.pid}"
    if not header.compat_flags & layout.COMPAT_FLAG_PERSISTENT:
        retire([path])
    if locks.hold(fd, layout.LOCK_FOLDER):
        try:
            _rename(path, fd, header.uuid.hex()[:8])
        finally:
            locks.release(fd, layout.LOCK_FOLDER)
    return None


def _rename(path: str, fd: int, file_id: str) -> None:
    try:
        if still_names(path, fd):
            os.rename(path, renamed(path, file_id))
    except FileNotFoundError:
        pass  # somebody else was faster


def still_names(path: str, fd: int) -> bool:
    """Whether the path leads to the file that is open."""
    named, opened = os.lstat(path), os.fstat(fd)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)


def renamed(path: str, file_id: str) -> str:
    """What a file is called when another took its name."""
    stem, dot, suffix = path.rpartition(".")
    if not dot or os.sep in suffix:
        return f"{path}-{file_id}"
    return f"{stem}-{file_id}.{suffix}"
