"""Where publishing meets folding: a process's own files at its end, some of its neighbours' at its start.

What cannot be folded now stays where it is, counts on for readers, and is folded by whoever comes next.
Nothing here ever waits, raises, or is loaded before it is needed.
"""

from __future__ import annotations

import os
import sys
import time

from mmstats.format import layout
from mmstats.host import locks
from mmstats.host.descriptors import close
from mmstats.publish import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST = 8  # files of others
BUDGET = 0.005  # seconds to look for them
SUFFIX = ".mmstats"
PERSISTENT = layout.COMPAT_FLAG_PERSISTENT
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def retire(paths: Iterable[str]) -> None:
    """Fold these files, whose writers are gone, where nobody else folds just now."""
    if sys.is_finalizing():
        return  # a thread that ends this late can load nothing any more
    by_directory: dict[str, list[str]] = {}
    for path in paths:
        directory, name = os.path.split(path)
        by_directory.setdefault(directory, []).append(name)
    for directory, names in by_directory.items():
        _fold(directory, names)


def _fold(directory: str, names: Sequence[str]) -> None:
    try:
        from mmstats.fold.folder import FAILED, Busy, Folder
    except (ImportError, OSError) as error:  # a process without descriptors cannot load a module either
        _note_left(directory, error)
        return
    try:
        with Folder(directory) as folder:
            failed = [result for result in folder.fold(names) if result.what == FAILED]
    except Busy:
        return
    except OSError as error:
        _note_left(directory, error)
        return
    if failed:
        more = f" and {len(failed) - 1} more stay" if failed[1:] else " stays"
        report.note(f"{os.path.join(directory, failed[0].name)}{more}: {failed[0].reason}")


def _note_left(directory: str, error: Exception) -> None:
    report.note(f"{directory}: what ended processes counted stays in their files: {error}")


def retire_neighbours(own: str) -> None:
    """Fold a few files of dead writers beside our own: so many, and so long, and no more."""
    directory, name = os.path.split(own)
    dead = list(_dead_beside(directory, name))
    if dead:
        _fold(directory, dead)


def _dead_beside(directory: str, own: str) -> Iterator[str]:
    """Names of files that nobody holds; where the look begins is chance, so that each has its turn."""
    until = time.monotonic() + BUDGET
    try:
        names = [name for name in os.listdir(directory) if name.endswith(SUFFIX) and name != own]
    except OSError:
        return
    start = int.from_bytes(os.urandom(4), "little") % len(names) if names else 0
    found = 0
    for name in names[start:] + names[:start]:
        if _is_free(os.path.join(directory, name)):
            yield name
            found += 1
        if found == MOST or time.monotonic() > until:
            return


def _is_free(path: str) -> bool:
    """Whether it may be worth a closer look: no writer holds it, as far as one can see at a glance."""
    try:
        fd = os.open(path, FLAGS)
    except OSError:
        return False
    try:
        begin = os.pread(fd, layout.HEADER_SIZE, 0)
        is_ours = begin[:8] == layout.MAGIC and not begin[layout.HEADER_COMPAT_FLAGS] & PERSISTENT
        state = begin[layout.HEADER_STATE] if is_ours else 0
        return state == layout.STATE_CLOSED or (
            state == layout.STATE_LIVE and locks.held(fd, layout.LOCK_WRITER) is False
        )
    except (OSError, IndexError):
        return False
    finally:
        close(fd)
