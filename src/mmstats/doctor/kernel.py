"""What mmstats asks of the kernel, whether it is there, and what is lost where it is not."""

from __future__ import annotations

import os
import tempfile

from mmstats.doctor.finding import NOTE, OK, WRONG, Finding
from mmstats.errors import UsageError
from mmstats.host import identity, locks, mounts
from mmstats.host.places import MEMORY
from mmstats.publish.backing import O_TMPFILE
from mmstats.tools.human import BINARY, scaled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def kernel(directory: str) -> Iterator[Finding]:
    """Each facility, tried; in `directory` what a file system has a say in."""
    yield _of_memory()
    yield _of_proc()
    yield _finding(
        *("F_OFD_SETLK", has_locks(directory), WRONG),
        *("whether a writer lives is known for sure", "it is judged by its pid, or not at all"),
    )
    yield _finding(
        *("O_TMPFILE", has_nameless(directory), NOTE),
        "files are born whole, without a name",
        "files are made under hidden names; a process killed in that moment leaves one",
    )
    wiped = is_wiped()
    if wiped is not None:
        yield _finding(
            *("MADV_WIPEONFORK", wiped, NOTE),
            "a forked child knows it without a system call",
            "each update asks for the pid, which is a system call",
        )


def _finding(name: str, there: bool, without: str, gain: str, loss: str) -> Finding:
    text = gain if there else f"not here: {loss}"
    return Finding(OK if there else without, name, text, there=there)


def _of_memory() -> Finding:
    """Its size, which is 64 MiB in most containers."""
    if not mounts.is_in_memory(MEMORY):
        return Finding(NOTE, MEMORY, "is not in memory: writers take the next place", there=False)
    return Finding(OK, MEMORY, f"in memory, {room_of(MEMORY)}", there=True)


def room_of(directory: str) -> str:
    """`60Mi free of 64Mi`."""
    found = os.statvfs(directory)
    free, size = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    return f"{scaled(free, 1024, BINARY)} free of {scaled(size, 1024, BINARY)}"


def _of_proc() -> Finding:
    ours = identity.proc_is_ours()
    return _finding(
        *("/proc", ours, NOTE),
        "readers tell a writer from a child that kept its lock",
        "it shows other processes than ours, or none: a held lock always means alive",
    )


def has_locks(directory: str) -> bool:
    """Whether a lock on a byte can be held there, and is seen through another descriptor."""
    try:
        with (
            tempfile.NamedTemporaryFile(dir=directory, prefix=".new-") as file,
            open(file.name, "rb") as other,
        ):
            return locks.hold(file.fileno(), 0) and locks.held(other.fileno(), 0) is True
    except OSError:
        return False


def has_nameless(directory: str) -> bool:
    """Whether a file without a name can be made there."""
    try:
        os.close(os.open(directory, os.O_RDWR | os.O_CLOEXEC | O_TMPFILE, 0o600))
    except OSError:
        return False
    return True


def is_wiped() -> bool | None:
    """Whether a page can be wiped in forked children; None where the cells cannot be loaded."""
    try:
        from mmstats.cells.wiped import AskedEachTime, wiped_word
    except UsageError:
        return None
    return not isinstance(wiped_word(), AskedEachTime)
