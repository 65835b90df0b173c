"""Files → few Snapshots: the processes of one program together, by what is short for most of their files.

Nothing is kept of single files, so that a thousand processes take no more memory than one. Whatever is not as
in the others of its program is read like any file, and says what it has to.
"""

from __future__ import annotations

import os

from mmstats import kinds
from mmstats.errors import FormatError
from mmstats.format.header import decode_header, text_of
from mmstats.format.layout import BLOCK_ALIGN
from mmstats.host import identity
from mmstats.host.liveness import ALIVE, GONE, UNKNOWN
from mmstats.names import RETIRED as RETIRED_NAME
from mmstats.read.glance import TEXT, TEXTS, Brief, glance_function
from mmstats.read.pattern import NoPattern, Pattern
from mmstats.read.program import Program
from mmstats.read.snapshot import Reader, origin_of
from mmstats.read.tally import OTHER, SHORT, tally_type
from mmstats.stat import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.runs import Decoded, Folded
    from mmstats.read.files import Candidate, Paths
    from mmstats.read.glance import Glanced
    from mmstats.read.program import Taken
    from mmstats.read.source import Source

FIRST_WANT = 16_384  # bytes of a file, until one was met that has more
PAGE = 4_096
MOST_PATTERNS = 8  # of one program: where each process has its own, nothing is gained by more
MOST_MET = 4_096
MOST_SEEN = 1_024
MOST_TOTALS = 256  # files


class Met:
    """Processes of one host, group and command, who all live or are all gone: how their files can be read."""

    __slots__ = ("cmd", "group", "host", "programs", "seen", "state")

    def __init__(self, who: bytes, state: str) -> None:
        """FormatError: those are no texts."""
        size = TEXT
        self.state = state
        self.host, self.group, self.cmd = [text_of(who[at : at + size]) for at in (0, size, 2 * size)]
        self.programs: list[Program] = []
        self.seen: set[int] = set()  # what was met once, by the checksum of its blocks


class Together(Reader):
    """A Reader whose Snapshots are of many processes each, where those are of one program.

    `behind`: whose files the last reading added, as `combine` takes them: state, group, command, host, pid,
    and when the process started.
    """

    __slots__ = (
        "_copies",
        "_counted",
        "_decoded",
        "_glance",
        "_met",
        "_tally_type",
        "_totals",
        "_want",
        "behind",
    )

    IN_ORDER = False

    def __init__(self, *, pure: bool = False) -> None:
        super().__init__()
        self.behind: list[tuple[str, str, str, str, int, float]] = []
        self._glance = glance_function(pure=pure)
        self._tally_type = tally_type(pure=pure)
        self._want = FIRST_WANT
        self._copies = 1
        self._met: dict[tuple[bytes, str], Met] = {}
        self._totals: dict[tuple[object, ...], tuple[list[Snapshot], list[Folded], list[Snapshot]]] = {}
        self._decoded: tuple[bytes, Decoded] | None = None
        self._counted: set[bytes] = set()

    def read(self, paths: Paths = None) -> list[Snapshot]:
        """Like `Reader.read`; those of one program as one, whose origin is the youngest's."""
        found = super().read(paths)
        if not self._counted.isdisjoint([uuid for uuid, _, _ in self._folded]):
            self.behind = []
            return Reader().read(paths)  # one was folded, of whom others have what it said
        for met in self._met.values():
            for program in met.programs:
                if program.count:
                    origin = origin_of(decode_header(program.header), program.path, met.state)
                    rows = program.rows(origin.created)
                    found.append(Snapshot(kinds.merged, origin, [], 0, rows))
        return found

    def _read_once(self, paths: Paths) -> list[Snapshot]:
        self.behind = []
        self._counted = set()
        self._make_room()
        for met in self._met.values():
            for program in met.programs:
                program.start()
        return super()._read_once(paths)

    def _make_room(self) -> None:
        """Where it is getting narrow, forget whose files were not there the last time."""
        for met in self._met.values():
            if len(met.programs) > MOST_PATTERNS // 2:
                met.programs = [program for program in met.programs if program.count]
        if len(self._met) > MOST_MET // 2:
            self._met = {who: met for who, met in self._met.items() if any(one.count for one in met.programs)}

    def _take(self, candidate: Candidate) -> list[Snapshot]:
        glanced = self._glance(candidate.path, self._want, self._copies, identity.PROC)
        if glanced is not None:
            found = self._added(glanced, candidate)
            if found is not None:
                return found
        self._decoded = None
        taken = super()._take(candidate)
        if len(taken) == 1 and taken[0].origin.state in (ALIVE, GONE) and self._decoded is not None:
            self._learn(*self._decoded, taken[0].origin.state)
        return taken

    def _read(self, source: Source, path: str) -> list[Snapshot]:
        """Like the Reader's; retired totals, which are written once and never again, are remembered."""
        if not path.endswith(RETIRED_NAME):
            return super()._read(source, path)
        found = os.fstat(source.fd)
        key = (path, source.dev, source.ino, found.st_size, found.st_mtime_ns)
        known = self._totals.get(key)
        if known is None:
            folded, superseded = len(self._folded), len(self._superseded)
            taken = super()._read(source, path)
            if len(self._totals) >= MOST_TOTALS:
                self._totals.clear()
            known = self._totals[key] = (taken, self._folded[folded:], self._superseded[superseded:])
        else:
            self._folded += known[1]
            self._superseded += known[2]
        return known[0]

    def _decode(self, source: Source) -> tuple[bytes, Decoded]:
        self._decoded = super()._decode(source)
        return self._decoded

    def _added(self, glanced: Glanced, candidate: Candidate) -> list[Snapshot] | None:
        """None where the file has to be read like any other; else what of it is its own."""
        dev, ino, uid, first = *glanced[:3], glanced[8]
        if candidate.ino not in (0, ino) or (candidate.owners is not None and uid not in candidate.owners):
            return None
        if (dev, ino) in self._seen:
            return []
        try:
            brief = Brief(first)
            found = self._added_by_one(self._met_as(brief, glanced), brief, glanced)
        except FormatError:
            return None
        if found is None:
            return None
        met, program, taken = found
        program.note(brief, first, candidate.path)
        self._seen.add((dev, ino))
        self._counted.add(brief.uuid)
        self.behind.append((met.state, met.group, met.cmd, met.host, brief.pid, brief.started / 1e9))
        if met.state == GONE or not program.each:
            return []
        return self._own(program, taken, first, candidate.path)

    def _met_as(self, brief: Brief, glanced: Glanced) -> Met | None:
        """Those to whom the writer belongs; None: nobody was met, or there is no saying whether it lives."""
        device, ino, _, _, is_held, state, threads, ticks, *_ = glanced
        if brief.ino not in (0, ino):
            return None
        writer = identity.Process(state, threads, ticks) if state else None
        if is_held and not brief.is_closed:
            verdict = ALIVE if self._judge.lives(brief, writer) else UNKNOWN
        else:
            is_left = not brief.may_lose_its_lock and self._judge.is_left(device)
            verdict = GONE if brief.is_closed or is_left else UNKNOWN
        return self._met.get((brief.who, verdict))

    def _added_by_one(
        self, met: Met | None, brief: Brief, glanced: Glanced
    ) -> tuple[Met, Program, list[Taken]] | None:
        """Which program took the file, and what was taken of it. FormatError: it is damaged."""
        size, (first, middle, last) = glanced[3], glanced[8:]
        for program in met.programs if met else ():
            if self._copies == 1 and not program.pattern.is_whole:
                self._copies = 3  # from now on
                return None
            handed = program.tally.read(first, middle, last, size, program.is_lawful)
            if handed == SHORT:
                self._want = max(self._want, size)
            if isinstance(handed, list):
                taken = program.take(handed, brief.created / 1e9, brief.epoch) if handed else []
                program.add(taken)
                return met, program, taken  # type: ignore[return-value]  # there is one
            if handed != OTHER:
                return None
        return None

    @staticmethod
    def _own(program: Program, taken: list[Taken], first: bytes, path: str) -> list[Snapshot]:
        """The stats that stay each process's own."""
        origin = origin_of(decode_header(first), path, ALIVE)
        return [Snapshot(kinds.merged, origin, [], 0, program.own_rows(taken))]

    def _learn(self, data: bytes, decoded: Decoded, state: str) -> None:
        """Work out what the next file of that program is like, if it is the second of its kind."""
        who = (data[TEXTS], state)
        met = self._met.get(who)
        if met is None:
            if len(self._met) >= MOST_MET:
                return
            met = self._met[who] = Met(*who)
        kind = hash(tuple([run.raw for run, _ in decoded.runs]))
        if kind not in met.seen or len(met.programs) >= MOST_PATTERNS:
            if len(met.seen) >= MOST_SEEN:
                met.seen.clear()
            met.seen.add(kind)
            return
        try:
            pattern = Pattern(decoded, data)
        except NoPattern:
            return
        met.programs.append(Program(pattern, met.group, self._tally_type))
        self._want = max(self._want, -(-(pattern.end + BLOCK_ALIGN) // PAGE) * PAGE)
        if not pattern.is_whole:
            self._copies = 3
