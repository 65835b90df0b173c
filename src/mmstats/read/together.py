"""Files → few Snapshots: the processes of one program together, by what is short for most of their files.

Nothing is kept of single files, so that a thousand processes take no more memory than one. Whatever is not as
in the others of its program is read like any file, and says what it has to.
"""

from __future__ import annotations

from mmstats import kinds
from mmstats.errors import FormatError
from mmstats.format.header import decode_header, text_of
from mmstats.format.layout import BLOCK_ALIGN
from mmstats.host import identity
from mmstats.host.liveness import ALIVE
from mmstats.read.glance import TEXT, TEXTS, Brief, glance_function
from mmstats.read.pattern import NoPattern, Pattern
from mmstats.read.program import Program
from mmstats.read.snapshot import Reader, origin_of
from mmstats.read.tally import OTHER, SHORT, tally_type
from mmstats.stat import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.runs import Decoded
    from mmstats.read.files import Candidate, Paths
    from mmstats.read.glance import Glanced
    from mmstats.read.program import Taken
    from mmstats.read.source import Source

FIRST_WANT = 16_384  # bytes of a file, until one was met that has more
PAGE = 4_096
MOST_PATTERNS = 8  # of one program: where each process has its own, nothing is gained by more
MOST_MET = 4_096


class Met:
    """Processes of one host, group and command: how their files can be read."""

    __slots__ = ("cmd", "group", "host", "programs", "seen")

    def __init__(self, who: bytes) -> None:
        """FormatError: those are no texts."""
        size = TEXT
        self.host, self.group, self.cmd = [text_of(who[at : at + size]) for at in (0, size, 2 * size)]
        self.programs: list[Program] = []
        self.seen: set[tuple[int, ...]] = set()  # what was met once, by the identity of its runs


class Together(Reader):
    """A Reader whose Snapshots are of many processes each, where those are of one program.

    `living`: whose files the last reading added, as `combine` takes them: group, command, host, pid, start.
    """

    __slots__ = ("_copies", "_counted", "_decoded", "_glance", "_met", "_tally_type", "_want", "living")

    IN_ORDER = False

    def __init__(self, *, pure: bool = False) -> None:
        super().__init__()
        self.living: list[tuple[str, str, str, int, float]] = []
        self._glance = glance_function(pure=pure)
        self._tally_type = tally_type(pure=pure)
        self._want = FIRST_WANT
        self._copies = 1
        self._met: dict[bytes, Met] = {}
        self._decoded: tuple[bytes, Decoded] | None = None
        self._counted: set[bytes] = set()

    def read(self, paths: Paths = None) -> list[Snapshot]:
        """Like `Reader.read`; those of one program as one, whose origin is the youngest's."""
        found = super().read(paths)
        if not self._counted.isdisjoint([uuid for uuid, _, _ in self._folded]):
            self.living = []
            return Reader().read(paths)  # one was folded, of whom others have what it said
        for met in self._met.values():
            for program in met.programs:
                if program.count:
                    origin = origin_of(decode_header(program.header), program.path, ALIVE)
                    rows = program.rows(origin.created)
                    found.append(Snapshot(kinds.merged, origin, [], 0, rows))
        return found

    def _read_once(self, paths: Paths) -> list[Snapshot]:
        self.living = []
        self._counted = set()
        for met in self._met.values():
            for program in met.programs:
                program.start()
        return super()._read_once(paths)

    def _take(self, candidate: Candidate) -> list[Snapshot]:
        glanced = self._glance(candidate.path, self._want, self._copies, identity.PROC)
        if glanced is not None:
            found = self._added(glanced, candidate)
            if found is not None:
                return found
        self._decoded = None
        taken = super()._take(candidate)
        if len(taken) == 1 and taken[0].origin.state == ALIVE and self._decoded is not None:
            self._learn(*self._decoded)
        return taken

    def _decode(self, source: Source) -> tuple[bytes, Decoded]:
        self._decoded = super()._decode(source)
        return self._decoded

    def _added(self, glanced: Glanced, candidate: Candidate) -> list[Snapshot] | None:
        """None where the file has to be read like any other; else what of it is its own."""
        dev, ino, uid, first = *glanced[:3], glanced[7]
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
        self.living.append((met.group, met.cmd, met.host, brief.pid, brief.started / 1e9))
        return self._own(program, taken, first, candidate.path) if program.each else []

    def _met_as(self, brief: Brief, glanced: Glanced) -> Met | None:
        """Those to whom the writer belongs, if it lives for sure; None: nobody was met."""
        _, ino, _, _, state, threads, ticks, *_ = glanced
        met = self._met.get(brief.who)
        if met is None or brief.ino not in (0, ino):
            return None
        writer = identity.Process(state, threads, ticks) if state else None
        return met if self._judge.lives(brief, writer) else None

    def _added_by_one(
        self, met: Met | None, brief: Brief, glanced: Glanced
    ) -> tuple[Met, Program, list[Taken]] | None:
        """Which program took the file, and what was taken of it. FormatError: it is damaged."""
        size, (first, middle, last) = glanced[3], glanced[7:]
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

    def _learn(self, data: bytes, decoded: Decoded) -> None:
        """Work out what the next file of that program is like, if it is the second of its kind."""
        who = data[TEXTS]
        met = self._met.get(who)
        if met is None:
            if len(self._met) >= MOST_MET:
                return
            met = self._met[who] = Met(who)
        kind = tuple([id(run) for run, _ in decoded.runs])
        if kind not in met.seen or len(met.programs) >= MOST_PATTERNS:
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
