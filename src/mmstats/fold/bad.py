"""Files with damage are kept for people, a few of them, under a name that nobody reads."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.host.directory import Directory

SUFFIX = ".bad"
MOST = 16


def set_aside(directory: Directory, name: str) -> str:
    """The new name of the file; the oldest of too many goes. OSError."""
    aside = free_name(name, set(directory.names()))
    directory.rename(name, aside)
    _bury_the_oldest(directory)
    return aside


def free_name(name: str, taken: set[str]) -> str:
    """`NAME.bad`, or `NAME.2.bad` and so on where there are some."""
    aside, number = name + SUFFIX, 1
    while aside in taken:
        number += 1
        aside = f"{name}.{number}{SUFFIX}"
    return aside


def _bury_the_oldest(directory: Directory) -> None:
    kept = [name for name in directory.names() if name.endswith(SUFFIX)]
    if len(kept) > MOST:
        by_age = sorted(kept, key=lambda name: os.stat(name, dir_fd=directory.fd).st_ctime_ns)
        for name in by_age[:-MOST]:
            directory.unlink(name)
