"""The files of one directory, one after the other, to what they add to: as many as can be read the short way.

Of each file by as few system calls as it takes: it is opened, copied, its writer looked at. What is unusual
in any way is left to the long way, which tells it.

`gatherer_type()` gives the native twin where it was built.
"""

from __future__ import annotations

import os
import stat
from struct import Struct

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.host import identity, locks
from mmstats.host.descriptors import close
from mmstats.host.liveness import ALIVE, GONE, is_dead, runs_in
from mmstats.read.files import scanned
from mmstats.read.source import FLAGS, LARGE
from mmstats.read.tally import BUSY, OTHER, SHORT
from mmstats.read.twins import twin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from mmstats.read.files import Scan
    from mmstats.read.program import Program

    class Met(Protocol):
        """Whose files those are that have the same texts, and a writer in the same state."""

        programs: list[Program]

    Names = list[tuple[str, int]]
    # A program, what its tally handed out of a file, the file's header, and its path in two pieces: whether
    # that could be taken.
    Took = Callable[[Program, list[Any], bytes, str, str], bool]
    IsLeft = Callable[[int], bool]
    Copies = tuple[bytes, bytes, bytes]

LEAST = layout.HEADER_SIZE
FIRST_WANT = 16_384  # bytes of a file, until one was met that has more

WHO = slice(layout.HEADER_HOSTNAME, layout.HEADER_DROPPED)  # host, group and command
LETTERS = {ALIVE: b"A", GONE: b"G"}  # behind those, what its writer is

BEGINNING = layout.MAGIC + layout.MAJOR.to_bytes(2, "little")
NOTHING_DROPPED = bytes(64)
_REST = ("start_ticks", "started", "time_ns", "uuid", "who")
# The layout's own, without what is not looked at.
_fields = Struct("<16xQ16xII16s16s16xI4xQQQQQ8xQ192s64xQ").unpack_from


class Brief:
    """What of a header the short way needs.

    `who`: host, group and command, as they stand there; `is_closed`: whether its writer said goodbye;
    `may_lose_its_lock`: whether it may live without one.
    """

    __slots__ = (
        *("boot_id", "created", "epoch", "ino", "is_closed", "may_lose_its_lock", "pid", "pid_ns"),
        *_REST,
    )

    def __init__(self, data: bytes) -> None:
        """FormatError where it is no header of a file that somebody writes or wrote, who dropped nothing."""
        flags, state, promises, self.uuid, self.boot_id, self.pid, self.start_ticks, *rest = _fields(data)
        self.pid_ns, self.time_ns, self.ino, self.created, self.started, self.who, created_monotonic = rest
        self.epoch = self.created - created_monotonic
        is_dropping = not data.startswith(NOTHING_DROPPED, layout.HEADER_DROPPED)
        self.may_lose_its_lock = bool(promises & layout.WRITER_FLAG_POSIX_LOCK)
        self.is_closed = state == layout.STATE_CLOSED
        is_ours = state == layout.STATE_LIVE or self.is_closed
        if flags or is_dropping or not is_ours or not data.startswith(BEGINNING):
            raise FormatError(0, "another header", "one of a file that a writer made")


class Glanced:
    """A file that is open. OSError: it is none that can be read so."""

    __slots__ = ("dev", "fd", "ino", "size", "uid")

    def __init__(self, fd: int) -> None:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or not LEAST <= found.st_size <= LARGE:
            raise OSError
        self.fd = fd
        self.dev, self.ino, self.uid, self.size = found.st_dev, found.st_ino, found.st_uid, found.st_size

    def counts(self, ino: int, owners: frozenset[int] | None) -> bool:
        """Whether it is the one that was listed, and of somebody whose files count."""
        return ino in (0, self.ino) and (owners is None or self.uid in owners)

    def copy(self, want: int) -> bytes:
        """As many of its bytes, if it has them."""
        length = min(want, self.size)
        found = os.pread(self.fd, length, 0)
        if len(found) < length:
            raise OSError
        return found

    def again(self, first: bytes) -> Copies:
        """Three copies, one after the other."""
        return first, self.copy(len(first)), self.copy(len(first))

    def is_held(self) -> bool | None:
        """Whether one of its writer's locks is held; None: there is no saying."""
        held = [locks.held(self.fd, byte) for byte in (layout.LOCK_WRITER, layout.LOCK_WITNESS)]
        return None if None in held else True in held


class Gatherer:
    """Adds many files to what they belong to; for one thread at a time.

    `is_left`: whether a file on that device, none of whose locks is held, was left by its writer.
    """

    __slots__ = ("_is_left", "_want")

    def __init__(self, is_left: IsLeft) -> None:
        self._is_left = is_left
        self._want = FIRST_WANT

    def gather(
        self,
        prefix: str,
        names: Names,
        owners: frozenset[int] | None,
        near: bytes,
        proc: str,
        met: dict[bytes, Met],
        seen: set[tuple[int, int]],
        took: Took,
    ) -> Names:
        """Add files; those that have to be read like any other.

        `prefix` and a name are a path; with each name goes the inode that it had, 0 where nobody listed it.
        `owners`: whose files count, None for anybody's. `near`: boot id and namespaces, as files have them,
        of writers whose pids we can ask for; empty where there are none. `proc`: where the system tells of
        processes. `met`: by host, group and command, and a letter for the state. `seen`: device and inode of
        what was read; what is added goes there.
        """
        left = []
        for name, ino in names if met else ():
            try:
                fd = os.open(prefix + name, FLAGS)
            except (OSError, ValueError):
                left.append((name, ino))
                continue
            try:
                file = Glanced(fd)
                key, is_wanted = (file.dev, file.ino), file.counts(ino, owners)
                is_seen = key in seen and is_wanted
                if is_seen or (is_wanted and self._add(file, near, proc, met, took, (prefix, name))):
                    seen.add(key)
                else:
                    left.append((name, ino))
            except (OSError, FormatError):
                left.append((name, ino))
            finally:
                close(fd)
        return left if met else names

    def _add(
        self, file: Glanced, near: bytes, proc: str, met: dict[bytes, Met], took: Took, path: tuple[str, str]
    ) -> bool:
        """Whether the file belongs to what was met before, and could be added."""
        while True:
            first = file.copy(self._want)
            brief = Brief(first)
            state = self._state(file, brief, near, proc)
            whose = met.get(brief.who + LETTERS[state]) if state and brief.ino in (0, file.ino) else None
            answer: int | None = OTHER
            for program in whose.programs if whose else ():
                copies = (first,) * 3 if program.pattern.is_whole else file.again(first)
                answer = self._add_to(program, copies, file.size, took, path)
                if answer != OTHER:
                    break
            if answer != SHORT or self._want >= file.size:
                return answer is None
            self._want = file.size

    @staticmethod
    def _add_to(program: Program, copies: Copies, size: int, took: Took, path: tuple[str, str]) -> int | None:
        """None: it was added. Else why it could not be."""
        tally, header = program.tally, copies[0][:LEAST]
        handed = tally.read(*copies, size, program.is_lawful)
        if isinstance(handed, int):
            return handed
        if (handed or program.each) and not took(program, handed, header, *path):
            return BUSY
        tally.add()
        tally.note(header, *path)
        return None

    def _state(self, file: Glanced, brief: Brief, near: bytes, proc: str) -> str:
        """What the writer is; empty where that takes a closer look."""
        if brief.is_closed:
            return GONE
        held = file.is_held()
        if held is None:
            return ""
        if held:
            is_near = near == runs_in(brief) and 0 < brief.pid < 1 << 31
            return "" if is_near and is_dead(brief, identity.process(brief.pid, proc)) else ALIVE
        return GONE if not brief.may_lose_its_lock and self._is_left(file.dev) else ""


def gatherer_type(*, pure: bool = False) -> type[Gatherer]:
    """The native twin where it was built, unless this one is asked for."""
    return twin(Gatherer, "Gatherer", pure=pure)


def scan_function(*, pure: bool = False) -> Scan:
    """Likewise, of what lists a directory."""
    return twin(scanned, "listed", pure=pure)
