"""Which directories may be trusted with our files, and with whose."""

from __future__ import annotations

import os
import stat

from mmstats.errors import PlaceRefused
from mmstats.host.descriptors import close
from mmstats.host.mounts import O_PATH

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def check_place(directory: str, uid: int | None = None) -> None:
    """Raise PlaceRefused unless `directory` is one, no link, of `uid` (ours), and only theirs to write."""
    found = os.lstat(directory)
    owner = os.geteuid() if uid is None else uid
    if stat.S_ISLNK(found.st_mode):
        raise PlaceRefused(directory, f"is a link of {name_of(found.st_uid)}; expected a directory")
    if not stat.S_ISDIR(found.st_mode):
        raise PlaceRefused(directory, f"is no directory; owner {name_of(found.st_uid)}")
    if found.st_uid != owner:
        raise PlaceRefused(directory, f"is owned by {name_of(found.st_uid)}; expected {name_of(owner)}")
    if found.st_mode & OTHERS_WRITE:
        mode = stat.S_IMODE(found.st_mode)
        raise PlaceRefused(directory, f"is writable by others (mode {mode:04o}, owner {name_of(owner)})")


def is_shared(directory: str) -> bool:
    """Whether a directory is root's, or one that others may write to: each user needs their own in it."""
    try:
        found = os.lstat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and (found.st_uid == 0 or bool(found.st_mode & OTHERS_WRITE))


def name_of(uid: int) -> str:
    """A user as people know them: `www-data (uid 33)`."""
    import pwd  # only when something is said

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def has_safe_owner(directory: str) -> bool:
    """Whether a directory is ours or root's: its owner may rename whatever is in it."""
    try:
        return os.stat(directory).st_uid in (0, os.geteuid())
    except OSError:
        return False


def make(directory: str, mode: int, *, parents: bool = False) -> None:
    """Make the directory for files of `mode` if it is missing; OSError if that cannot be.

    Whatever the umask is: with 0777 we could not enter what we made, with 0 anybody could write there.
    """
    if parents:
        _make_above(os.path.dirname(directory))
    _make_one(directory, 0o700, mode_of_directory(mode))


def _make_above(directory: str) -> None:
    """Make what is missing above, as the umask has it, but ours to enter and nobody else's to write to."""
    if not os.path.isdir(directory):
        _make_above(os.path.dirname(directory))
        _make_one(directory, 0o755, 0o700)


def _make_one(directory: str, mode: int, least: int) -> None:
    """Make a directory with a mode, of which the umask takes no more than what is not in `least`."""
    try:
        os.mkdir(directory, mode)
    except FileExistsError:
        return
    made = stat.S_IMODE(os.lstat(directory).st_mode)
    if made & least != least:
        _change_mode(directory, made | least)


def mode_of_directory(mode: int) -> int:
    """Who may read the files may enter and list: 0640 gives 0750. Nobody else ever writes."""
    readable = mode & 0o044
    return 0o700 | readable | readable >> 2


def _change_mode(directory: str, mode: int) -> None:
    """Give a directory its mode past the umask, never through a link put in its place.

    By O_PATH, which needs no permission on what it opens, and /proc, as fchmod takes no such descriptor.
    """
    fd = os.open(directory, O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.chmod(f"/proc/self/fd/{fd}", mode)
    finally:
        close(fd)
