"""Files → few Snapshots: the processes of one program together, by what is short for most of their files.

Nothing is kept of single files, so that a thousand processes take no more memory than one. Whatever is not as
in the others of its program is read like any file, and says what it has to.
"""

from __future__ import annotations

import os

from mmstats import kinds
from mmstats.crowd import Crowd
from mmstats.errors import FormatError
from mmstats.format.header import decode_header, text_of
from mmstats.host import identity
from mmstats.host.liveness import ALIVE, GONE
from mmstats.names import RETIRED as RETIRED_NAME
from mmstats.read.files import Finder
from mmstats.read.folded import has_any
from mmstats.read.gather import LETTERS, WHO, Brief, gatherer_type, scan_function
from mmstats.read.pattern import NoPattern, Pattern
from mmstats.read.program import Program
from mmstats.read.snapshot import Reader, origin_of
from mmstats.read.tally import tally_type
from mmstats.stat import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.runs import Decoded
    from mmstats.read.files import Candidate, Listing, Paths
    from mmstats.read.folded import FoldedFiles
    from mmstats.read.source import Source

TEXT = 64  # bytes of each text in a header
MOST_PATTERNS = 8  # of one program: where each process has its own, nothing is gained by more
MOST_MET = 4_096
MOST_SEEN = 1_024
MOST_TOTALS = 256  # files


class Met:
    """Processes of one host, group and command, who all live or are all gone: how their files can be read."""

    __slots__ = ("cmd", "group", "host", "programs", "seen", "state")

    def __init__(self, who: bytes, state: str) -> None:
        """FormatError: those are no texts."""
        self.state = state
        self.host, self.group, self.cmd = [text_of(who[at : at + TEXT]) for at in (0, TEXT, 2 * TEXT)]
        self.programs: list[Program] = []
        self.seen: set[int] = set()  # what was met once, by the checksum of its blocks


class Together(Reader):
    """A Reader whose Snapshots are of many processes each, where those are of one program.

    `behind`: whose files the last reading added, for `combine`.
    """

    __slots__ = (
        "_decoded",
        "_gatherer",
        "_learned",
        "_met",
        "_own",
        "_scan",
        "_tally_type",
        "_totals",
        "behind",
    )

    def __init__(self, *, pure: bool = False) -> None:
        super().__init__()
        self.behind: list[Crowd] = []
        self._gatherer = gatherer_type(pure=pure)(self._judge.is_left)
        self._scan = scan_function(pure=pure)
        self._tally_type = tally_type(pure=pure)
        self._met: dict[bytes, Met] = {}
        self._learned = 0  # patterns
        self._own: list[Snapshot] = []  # what of the files that were added stays each process's own
        self._totals: dict[tuple[object, ...], tuple[list[Snapshot], list[FoldedFiles], list[Snapshot]]] = {}
        self._decoded: tuple[bytes, Decoded] | None = None

    def read(self, paths: Paths = None) -> list[Snapshot]:
        """Like `Reader.read`; those of one program as one, whose origin is the youngest's."""
        found = super().read(paths)
        self.behind = []
        for met in self._met.values():
            for program in met.programs:
                if not program.count:
                    continue
                if self._folded and has_any(self._folded, program.tally.uuids()):
                    self.behind = []
                    return Reader().read(paths)  # one was folded, of whom others have what it said
                origin = program.origin()
                found.append(Snapshot(kinds.merged, origin, [], 0, program.rows(origin.created)))
                self.behind.append(Crowd(met.state, met.group, met.cmd, met.host, program.tally.people()))
        return found

    def _read_once(self, paths: Paths) -> list[Snapshot]:
        self._start()
        find = Finder(paths, self._scan)
        taken = [one for listing in find.listings() for one in self._take_all(listing)]
        taken += [one for candidate in find.retired() for one in self._take(candidate)]
        return taken + self._own + self._failures(find)

    def _start(self) -> None:
        """Begin a reading anew; where it is getting narrow, without who was not there the last time."""
        super()._start()
        self._own = []
        for met in self._met.values():
            if len(met.programs) > MOST_PATTERNS // 2:
                met.programs = [program for program in met.programs if program.count]
        if len(self._met) > MOST_MET // 2:
            self._met = {who: met for who, met in self._met.items() if any(one.count for one in met.programs)}
        for met in self._met.values():
            for program in met.programs:
                program.start()

    def _take_all(self, listing: Listing) -> list[Snapshot]:
        """What the files tell that could not be added to those of their program."""
        taken: list[Snapshot] = []
        left = self._gathered(listing, listing.names)
        while left:
            known = self._learned
            while left and self._learned == known:
                taken += self._take(listing.candidate(*left.pop(0)))
            left = self._gathered(listing, left)
        return taken

    def _gathered(self, listing: Listing, names: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """Add what can be added; the others."""
        return self._gatherer.gather(
            listing.prefix,
            names,
            listing.owners,
            self._judge.near(),
            identity.PROC,
            self._met,  # type: ignore[arg-type]  # a dict, whose values are no more than asked for
            self._seen,
            self._took,
        )

    def _took(self, program: Program, handed: list[Any], header: bytes, prefix: str, name: str) -> bool:
        """What of a file has to be looked at one by one; False: that cannot be, and the file is not added."""
        brief = Brief(header)
        try:
            taken = program.take(handed, brief.created / 1e9, brief.epoch)
        except FormatError:
            return False
        program.add(taken)
        if program.each and program.state == ALIVE:
            origin = origin_of(decode_header(header), prefix + name, ALIVE)
            self._own.append(Snapshot(kinds.merged, origin, [], 0, program.own_rows(taken)))
        return True

    def _take(self, candidate: Candidate) -> list[Snapshot]:
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

    def _learn(self, data: bytes, decoded: Decoded, state: str) -> None:
        """Work out what the next file of that program is like, if it is the second of its kind."""
        who = data[WHO] + LETTERS[state]
        met = self._met.get(who)
        if met is None:
            if len(self._met) >= MOST_MET:
                return
            met = self._met[who] = Met(data[WHO], state)
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
        self._learned += 1
        met.programs.append(Program(pattern, met.group, self._tally_type, state=state))
