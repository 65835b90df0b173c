"""A file made, locked, read back and removed where a writer's would be: by the writer's own means.

Where the directory is not there yet, all of that happens in one beside it, which is removed too: an
application that starts at this very moment never finds its own directory taken away.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from mmstats.format import layout
from mmstats.host import locks
from mmstats.host.trust import check_place, make
from mmstats.publish.backing import File, temporary_name
from mmstats.read.source import Source, UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = b"is it here?".ljust(64, b".")


@contextmanager
def standing(directory: str, mode: int, *, parents: bool) -> Iterator[str]:
    """The directory, if it is there and passes; else one just like it. OSError: neither."""
    if os.path.lexists(directory):
        check_place(directory)
        yield directory
        return
    above = first_there(os.path.dirname(directory)) if parents else os.path.dirname(directory)
    like_it = os.path.join(above, temporary_name())
    make(like_it, mode)
    try:
        check_place(like_it)
        yield like_it
    finally:
        os.rmdir(like_it)


def first_there(directory: str) -> str:
    """The nearest directory above that is there, or this one."""
    while not os.path.isdir(directory) and directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
    return directory


def publish_once(directory: str, mode: int) -> str:
    """What of it does not work; empty where all does. OSError where a writer would meet that."""
    file = File(directory, mode)
    try:
        memory = file.map(0, layout.FIRST_STEP)
        memory[: len(WORDS)] = WORDS
        file.link(temporary_name())  # hidden: no reader takes it for one of an application
        memory.release()
        return _looked_at(file.path or "")
    finally:
        file.unlink()
        file.close()


def _looked_at(path: str) -> str:
    """As a reader would, through a descriptor of its own."""
    try:
        with Source(path) as source:
            if source.read_at(0, len(WORDS)) != WORDS:
                return "what was stored through a mapping is not read back"
            held = [locks.held(source.fd, byte) for byte in (layout.LOCK_WRITER, layout.LOCK_WITNESS)]
    except UnreadableError as error:
        return f"what was made cannot be read: {error}"
    if None in held:
        return "locks cannot be asked for here, so that nobody knows who is alive"
    return "" if all(held) else "locks cannot be held here: who is alive is judged by its pid, or not at all"
