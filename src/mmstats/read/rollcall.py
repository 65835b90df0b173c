"""Files → who wrote each, whether that lives, and why one says so. No stat is read.

Nothing a file says raises out of here, as with snapshots.
"""

from __future__ import annotations

import os
import time

from mmstats.errors import FormatError, NotRead
from mmstats.format import layout
from mmstats.format.header import OfVersion1, decode_header
from mmstats.host import locks, obituary
from mmstats.host.liveness import ALIVE, GONE, RETIRED, UNKNOWN, Judge
from mmstats.host.mapped import Maps
from mmstats.read.source import Source, UnreadableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmstats.format.header import Header
    from mmstats.read.files import Candidate, Finder

# What a file is. FILE, OLD and DAMAGED are of processes; of the others nobody need ask whether it lives.
FILE, OLD, PERSISTENT, DAMAGED, TOTALS = "file", "of version 1", "persistent", "damaged", "totals"
NOT_OURS, COPY, NOT_READ, MISSING = "not ours", "a copy", "not read", "missing"
# Reasons that are said as 0.8 said them.
INVALID, DENIED, NO_PID = "Invalid file", "Permission denied", "File has no sys.pid entry"
YOUNG = 2.0  # seconds in which a writer of version 1 may not have come to its pid


class Entry:
    """One file. `what`: a word from above; `state`: its writer's, None: it has none; `reason`: of both."""

    __slots__ = ("cmd", "created", "group", "path", "pid", "reason", "state", "uid", "what")

    def __init__(self, path: str, what: str, reason: str, state: str | None = None) -> None:
        self.path = path
        self.what = what
        self.reason = reason
        self.state = state
        self.pid = 0
        self.uid = -1
        self.created = 0.0
        self.cmd = self.group = ""


class RollCall:
    """Looks at files; keeps what it need ask the machine but once."""

    __slots__ = ("_judge", "_maps", "_seen")

    def __init__(self) -> None:
        self._judge = Judge()
        self._maps = Maps()
        self._seen: set[tuple[int, int]] = set()

    def of(self, finder: Finder) -> Iterator[Entry]:
        """Each file once, in natural order; retired totals last."""
        for candidate in (*finder.files(), *finder.retired()):
            entry = self._look(candidate)
            if entry is not None:
                yield entry

    def _look(self, candidate: Candidate) -> Entry | None:
        """None where nobody need hear of the file, or it was looked at under another name."""
        try:
            with Source(candidate.path, candidate.owners) as source:
                if (source.dev, source.ino) in self._seen:
                    return None
                self._seen.add((source.dev, source.ino))
                return self.examine(source, candidate.path)
        except UnreadableError as error:
            return _unread(candidate, error)

    def examine(self, source: Source, path: str) -> Entry:
        """What an open file is, and what its writer. UnreadableError where it cannot be read."""
        begin = source.read_at(0, layout.HEADER_SIZE)
        try:
            header = decode_header(begin)
        except OfVersion1:
            return self._old(source, path)
        except NotRead as error:
            ours = begin[:8] == layout.MAGIC
            return Entry(path, NOT_OURS, str(error) if ours else INVALID)
        except FormatError as error:
            return _damaged(source, path, error)
        if header.ino not in (0, source.ino):
            return Entry(path, COPY, f"a copy: inode {source.ino}, written as {header.ino}")
        return self._new(header, source, path)

    def _new(self, header: Header, source: Source, path: str) -> Entry:
        state = self._state(header, source)
        entry = Entry(path, FILE, self._reason(header, state), state)
        if state == RETIRED:
            entry.what = TOTALS
        elif header.compat_flags & layout.COMPAT_FLAG_PERSISTENT:
            entry.what = PERSISTENT
            if state == GONE:
                entry.reason = "persistent: the next run of its program takes it over"
        entry.pid, entry.uid, entry.created = header.pid, header.uid, header.created / 1e9
        entry.cmd, entry.group = header.cmd, header.group
        return entry

    def _state(self, header: Header, source: Source) -> str:
        try:
            return self._judge.verdict(header, source.fd, source.dev)
        except OSError:
            return UNKNOWN

    def _reason(self, header: Header, state: str) -> str:
        if state == GONE:
            return obituary.end_of(header, self._judge.machine)
        if state == UNKNOWN:
            return obituary.why_unknown(header, self._judge.machine)
        return f"PID {header.pid} is alive" if state == ALIVE else f"the retired totals of {header.group}"

    def _old(self, source: Source, path: str) -> Entry:
        """Of version 1, by pid and time; alive, too, while anybody has it mapped."""
        from mmstats.format.legacy import decode_legacy
        from mmstats.read.legacy import command_of, writer_of

        found = os.fstat(source.fd)
        pid, uid, created = writer_of(decode_legacy(source.read()), source.uid)
        entry = Entry(path, OLD, *self._of_pid(pid, created, path, found))
        entry.pid, entry.uid, entry.created = pid, uid, created or found.st_mtime
        entry.cmd = entry.group = command_of(path, pid)
        return entry

    def _of_pid(self, pid: int, created: float, path: str, found: os.stat_result) -> tuple[str, str]:
        if not pid:
            return NO_PID, UNKNOWN
        state = self._judge.verdict_by_pid(pid, created)
        if state == UNKNOWN:
            return f"/proc tells nothing of PID {pid}, cannot tell", UNKNOWN
        if state == GONE and time.time() - found.st_mtime < YOUNG:
            return f"made less than {YOUNG:g} s ago, cannot tell yet", UNKNOWN
        if state == GONE and self._maps.have(path, found):
            return "a process has it mapped", ALIVE
        return obituary.end_of_old(pid, created) if state == GONE else f"PID {pid} is alive", state


def _unread(candidate: Candidate, error: UnreadableError) -> Entry | None:
    if error.ordinary:
        return Entry(candidate.path, MISSING, str(error)) if candidate.named else None
    denied = str(error) == DENIED
    return Entry(candidate.path, NOT_READ, str(error), UNKNOWN if denied else None)


def _damaged(source: Source, path: str, error: FormatError) -> Entry:
    """Its header says nothing that one can rely on; whether somebody holds it, the locks say."""
    held = [locks.held(source.fd, byte) for byte in (layout.LOCK_WRITER, layout.LOCK_WITNESS)]
    if None in held:
        return Entry(path, DAMAGED, f"damaged: {error}; its locks cannot be asked for", UNKNOWN)
    if True in held:
        return Entry(path, DAMAGED, f"damaged, and in use: {error}", ALIVE)
    entry = Entry(path, DAMAGED, f"damaged: {error}", GONE)
    entry.created = os.fstat(source.fd).st_mtime
    return entry
