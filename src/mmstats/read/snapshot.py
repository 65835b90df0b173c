"""Files → Snapshots, one of each origin, whatever the files hold.

Nothing a file says raises out of here; what could not be read stands in `problems`.
"""

from __future__ import annotations

import time

from mmstats import kinds
from mmstats.errors import FormatError, NotRead
from mmstats.format import layout
from mmstats.format.cells import Cells, OutgrownError
from mmstats.format.decode import decode
from mmstats.format.header import OfVersion1, layout_gen
from mmstats.format.runs import Schema
from mmstats.host.liveness import RETIRED, UNKNOWN, Judge
from mmstats.plan import Batch, NoPlan, batches
from mmstats.read.files import Finder
from mmstats.read.source import Patience, Source, UnreadableError, copies_of
from mmstats.stat import Origin, Problem, Rows, Snapshot, processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.compound import Copies
    from mmstats.format.header import Header
    from mmstats.format.runs import Decoded
    from mmstats.plan import Plan
    from mmstats.read.files import Candidate, Paths
    from mmstats.read.folded import FoldedFiles
    from mmstats.read.kept import Keeping
    from mmstats.read.quick import Quick, QuickFamilies

TRIES = 3  # a file that grows while it is read is read again, and so is a directory that takes too long
IN_TIME = 30.0  # seconds from the first step to the last, within which no file can be missed (FORMAT.md 9.1)
GROWING = 20  # times that a file is decoded again because a value got cells meanwhile
NOWHERE = (0, 0)


def snapshot(paths: Paths = None) -> list[Snapshot]:
    """One Snapshot of each origin, in natural order, the retired totals of groups last.

    `paths`: a path or several: files, directories, globs; None: the default places. A file that
    cannot be read gives a Snapshot without stats, with the reason in its `problems`. What removed models
    left in a file is an origin of its own, whose state is retired.
    """
    return Reader().read(paths)


class Reader:
    """Reads many files; keeps what the next file, or the next time, need not work out again."""

    __slots__ = (
        *("_folded", "_judge", "_kept", "_missed", "_quick", "_schema", "_seen", "_shared", "_superseded"),
    )

    def __init__(self, *, keep: bool = False) -> None:
        self._judge = Judge()
        self._quick: QuickFamilies | None = None
        self._schema = Schema()
        self._kept = _keeping(self._schema) if keep else None
        self._seen: set[tuple[int, int]] = set()
        self._superseded: list[Snapshot] = []
        self._folded: list[FoldedFiles] = []  # files whose totals are in others
        self._missed: set[int] = set()  # inodes of files that were not where they had been listed

    def read(self, paths: Paths = None) -> list[Snapshot]:
        """Like `snapshot`."""
        before: set[int] = set()
        for _ in range(TRIES):
            began = time.monotonic()
            found = self._read_once(paths)
            # A file that made way for another has a name now that was not listed yet; a persistent one may
            # have been taken over. What is missed time and again is missed because the listing is wrong.
            missed = self._missed and self._missed - {ino for _, ino in self._seen}
            for one in self._folded if missed else ():
                missed = missed - one.inos
            if (not missed or missed == before) and time.monotonic() - began < IN_TIME:
                break
            before = missed
        if self._kept:
            self._kept.forget_but(self._seen)
        if self._folded:
            from mmstats.read.folded import has_any  # hardly ever needed

            found = [one for one in found if not has_any(self._folded, {_raw(one.origin.uuid)})]
        return found + self._declared_again(found)

    def _read_once(self, paths: Paths) -> list[Snapshot]:
        """All files, and then the retired totals: what vanished in between is in those by then."""
        find = Finder(paths)
        self._start()
        taken = [one for candidate in find.files() for one in self._take(candidate)]
        taken += [one for candidate in find.retired() for one in self._take(candidate)]
        return taken + self._failures(find)

    def _start(self) -> None:
        self._seen, self._folded, self._superseded, self._missed = set(), [], [], set()

    @staticmethod
    def _failures(find: Finder) -> list[Snapshot]:
        return [_failed(problem.file, problem.reason) for problem in find.problems]

    def _take(self, candidate: Candidate) -> list[Snapshot]:
        """What one file tells; nothing if it vanished, or was read under another name."""
        path = candidate.path
        try:
            with Source(path, candidate.owners) as source:
                if candidate.ino not in (0, source.ino):
                    self._missed.add(candidate.ino)
                if (source.dev, source.ino) in self._seen:
                    return []
                self._seen.add((source.dev, source.ino))
                return self._read(source, path)
        except UnreadableError as error:
            if error.vanished and candidate.ino:
                self._missed.add(candidate.ino)
            if error.ordinary and not candidate.named:
                return []
            return [_failed(path, f"{error}; skipped")]
        except NotRead as error:
            return [_failed(path, f"{error}; skipped")]
        except FormatError as error:
            return [_failed(path, f"damaged: {error}; skipped")]

    def _read(self, source: Source, path: str) -> list[Snapshot]:
        """What one file tells, also while it grows."""
        patience = Patience()
        for _ in range(GROWING):
            try:
                return self._read_as_it_is(source, path, patience)
            except OutgrownError:
                source.refresh()
        raise FormatError(0, f"a file that grew {GROWING} times while it was read", "one that can be read")

    def _read_as_it_is(self, source: Source, path: str, patience: Patience) -> list[Snapshot]:
        decoded = None
        try:
            data, decoded = self._decode(source)
        except OfVersion1:
            pass
        if decoded is None:  # here nobody holds the bytes any more, which are read again
            from mmstats.read.legacy import read_legacy

            return [read_legacy(source.read(), source, path, self._judge)]
        header = decoded.header
        if header.ino not in (0, source.ino):
            return [_failed(path, f"a copy: inode {source.ino}, written as {header.ino}; not counted")]
        if decoded.folded:
            from mmstats.read.folded import FoldedFiles  # likewise

            self._folded.append(FoldedFiles(decoded.folded))
        origin = origin_of(header, path, self._state(header, source))
        if origin.state == RETIRED:
            from mmstats.read.retired import retired_rows

            standing, superseded = retired_rows(data, decoded, origin.group)
            self._superseded.append(Snapshot(kinds.merged, origin, [], 0, superseded))
            return [_snapshot(origin, standing, decoded)]
        left = _removed(data, decoded, origin.group)
        copies = copies_of(data, source, patience, decoded)
        stats = self._stats(copies, decoded, origin, self._quick_families(decoded, copies))
        whole = [_snapshot(origin, stats, decoded)]
        if left is not None:
            whole.append(Snapshot(kinds.merged, origin_of(header, path, RETIRED), [], 0, left))
        return whole

    def _declared_again(self, found: list[Snapshot]) -> list[Snapshot]:
        """Totals that younger declarations superseded, where somebody declares them so again."""
        if not any(one.stats for one in self._superseded):
            return []
        from mmstats.read.retired import declared_again

        return declared_again(self._superseded, found)

    def _decode(self, source: Source) -> tuple[bytes, Decoded]:
        """The file as it was at one moment between two changes of its layout, if there is one."""
        for _ in range(TRIES):
            data = source.read()
            decoded = self._kept.decode(source, data) if self._kept else decode(data, self._schema)
            after = source.read_at(layout.HEADER_LAYOUT_GEN, 8)
            if len(after) < 8 or layout_gen(after) == decoded.header.layout_gen:
                break
            source.refresh()
        return data, decoded

    def _quick_families(self, decoded: Decoded, copies: Copies) -> dict[int, Quick]:
        """The families of a file that can be read the short way, if it is worth while."""
        if not decoded.member_runs or not copies.first:
            return {}
        if self._quick is None:
            from mmstats.read.quick import QuickFamilies  # most files need none

            self._quick = QuickFamilies()
        return self._quick.of(decoded, copies)

    def _state(self, header: Header, source: Source) -> str:
        try:
            return self._judge.verdict(header, source.fd, source.dev)
        except OSError:
            return UNKNOWN

    def _clock(self, header: Header) -> int:
        from mmstats.host.clock import clock_of  # hardly ever needed

        return clock_of(header, self._judge.machine)

    def _stats(self, copies: Copies, decoded: Decoded, origin: Origin, quick: dict[int, Quick]) -> Rows:
        """The stats in the order of their declaration; what is wrong goes to the file's problems."""
        rows, stamp = Rows(origin.group), origin.created
        cells = Cells(copies, decoded, lambda: self._clock(decoded.header))
        for run, block in decoded.runs:
            if run.made is None:
                run.made = batches(run.metrics)
            for each in run.made:
                if isinstance(each, Batch):
                    _add_batch(each, cells, block, stamp, rows, decoded)
                elif id(each) not in quick or not quick[id(each)].add(rows, copies, cells):
                    _add(each, cells, block, stamp, rows, decoded)
        if decoded.header.dropped:
            from mmstats.read.dropped import add_dropped  # hardly ever needed

            add_dropped(rows, decoded.header)
        return rows


def _keeping(schema: Schema) -> Keeping:
    from mmstats.read.kept import Keeping  # who reads once needs none

    return Keeping(schema)


def _removed(data: bytes, decoded: Decoded, group: str) -> Rows | None:
    """What the removed models of a file left; None where there are none."""
    if not any(run.apart for run, _ in decoded.runs):
        return None
    from mmstats.read.retired import removed_rows

    return removed_rows(data, decoded, group)


def _add_batch(batch: Batch, cells: Cells, block: int, stamp: float, rows: Rows, decoded: Decoded) -> None:
    """The stats of several metrics; the short way where just one living lane has them."""
    start, count = cells.alone.get(batch.segment, NOWHERE)
    if batch.end > count:
        for one in batch.plans:
            _add(one, cells, block, stamp, rows, decoded)
        return
    values = batch.unpack(cells.data, start + 8 * batch.first)
    if batch.certain:
        rows.add_plain(batch.abouts, values)
        return
    for one, value in zip(batch.plans, values):
        if value == value and value != one.never:  # noqa: PLR0124 - NaN may mean never
            rows.add(one.about, value, value)
        else:
            _add(one, cells, block, stamp, rows, decoded)


def _add(each: Plan | NoPlan, cells: Cells, block: int, stamp: float, rows: Rows, decoded: Decoded) -> None:
    """The stat of one metric, whatever it takes."""
    if isinstance(each, NoPlan):
        decoded.note(each.reason)
        return
    try:
        each.add(rows, cells, block, stamp)
    except FormatError as error:
        decoded.complain(error)


def _snapshot(origin: Origin, stats: Rows, decoded: Decoded) -> Snapshot:
    problems = [Problem(origin.file, reason) for reason in decoded.problems]
    return Snapshot(kinds.merged, origin, problems, processes((origin,)), stats)


def origin_of(header: Header, path: str, state: str) -> Origin:
    """Who wrote the file of that name."""
    return Origin(
        cmd=header.cmd,
        created=header.created / 1e9,
        file=path,
        group=header.group,
        host=header.hostname,
        pid=header.pid,
        started=header.started / 1e9,
        state=state,
        uid=header.uid,
        uuid=header.uuid.hex(),
    )


def _raw(uuid: str) -> bytes:
    """The uuid as entries have it; empty where it is none of ours."""
    return bytes.fromhex(uuid) if len(uuid) == 32 and "-" not in uuid else b""


def _failed(path: str, reason: str) -> Snapshot:
    return Snapshot(kinds.merged, Origin(file=path), [Problem(path, reason)], 0, [])
