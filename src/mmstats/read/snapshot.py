"""Files → Snapshots, one of each origin, whatever the files hold.

Nothing a file says raises out of here; what could not be read stands in `problems`.
"""

from __future__ import annotations

from mmstats import kinds
from mmstats.errors import FormatError, NotRead
from mmstats.format import layout
from mmstats.format.cells import Cells
from mmstats.format.decode import Schema, decode
from mmstats.format.header import layout_gen
from mmstats.host.liveness import UNKNOWN, Judge
from mmstats.read.files import find
from mmstats.read.plan import Batch, NoPlan, batches
from mmstats.read.source import Source, UnreadableError
from mmstats.stat import About, Origin, Problem, Rows, Snapshot, processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.decode import Decoded
    from mmstats.format.header import Header
    from mmstats.read.files import Candidate, Paths
    from mmstats.read.plan import Plan

TRIES = 3  # a file that grows while it is read is read again
NOWHERE = (0, 0)
DROPPED = "mmstats.dropped"


def snapshot(paths: Paths = None) -> list[Snapshot]:
    """One Snapshot of each origin, in natural order.

    `paths`: a path or several: files, directories, globs; None: the default places. A file that
    cannot be read gives a Snapshot without stats, with the reason in its `problems`.
    """
    return Reader().read(paths)


class Reader:
    """Reads many files; keeps what the next file, or the next time, need not work out again."""

    __slots__ = ("_judge", "_schema", "_seen")

    def __init__(self) -> None:
        self._judge = Judge()
        self._schema = Schema()
        self._seen: set[tuple[int, int]] = set()

    def read(self, paths: Paths = None) -> list[Snapshot]:
        """Like `snapshot`."""
        candidates, problems = find(paths)
        self._seen = set()
        taken = [self._take(candidate) for candidate in candidates]
        failed = [_failed(problem.file, problem.reason) for problem in problems]
        return [one for one in taken if one is not None] + failed

    def _take(self, candidate: Candidate) -> Snapshot | None:
        """The Snapshot of one file; None if it vanished, or was read under another name."""
        path = candidate.path
        try:
            with Source(path, candidate.owners) as source:
                if (source.dev, source.ino) in self._seen:
                    return None
                self._seen.add((source.dev, source.ino))
                return self._read(source, path)
        except UnreadableError as error:
            if error.ordinary and not candidate.named:
                return None
            return _failed(path, f"{error}; skipped")
        except NotRead as error:
            return _failed(path, f"{error}; skipped")
        except FormatError as error:
            return _failed(path, f"damaged: {error}; skipped")

    def _read(self, source: Source, path: str) -> Snapshot:
        data, decoded = self._decode(source)
        header = decoded.header
        if header.ino not in (0, source.ino):
            return _failed(path, f"a copy: inode {source.ino}, written as {header.ino}; not counted")
        state = self._state(header, source)
        origin = _origin(header, path, state)
        stats = self._stats(data, decoded, origin)
        problems = [Problem(path, reason) for reason in decoded.problems]
        return Snapshot(kinds.merged, origin, problems, processes((origin,)), stats)

    def _decode(self, source: Source) -> tuple[bytes, Decoded]:
        """The file as it was at one moment between two changes of its layout, if there is one."""
        for _ in range(TRIES):
            data = source.read()
            decoded = decode(data, self._schema)
            after = source.read_at(layout.HEADER_LAYOUT_GEN, 8)
            if len(after) < 8 or layout_gen(after) == decoded.header.layout_gen:
                break
            source.refresh()
        return data, decoded

    def _state(self, header: Header, source: Source) -> str:
        try:
            return self._judge.verdict(header, source.fd, source.dev)
        except OSError:
            return UNKNOWN

    def _stats(self, data: bytes, decoded: Decoded, origin: Origin) -> Rows:
        """The stats in the order of their declaration; what is wrong goes to the file's problems."""
        cells, rows, stamp = Cells(data, decoded), Rows(origin.group), origin.created
        for run, block in decoded.runs:
            if run.made is None:
                run.made = batches(run.metrics)
            for each in run.made:
                if isinstance(each, Batch):
                    _add_batch(each, cells, block, stamp, rows, decoded)
                else:
                    _add(each, cells, block, stamp, rows, decoded)
        for reason, count in decoded.header.dropped:
            rows.add(_about_dropped(reason), count, count)
        return rows


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


def _about_dropped(reason: str) -> About:
    what, tags = "what could not be published", (("reason", reason),)
    return About("sum", what, keep=False, kind="counter", label=DROPPED, tags=tags, unit="")


def _origin(header: Header, path: str, state: str) -> Origin:
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


def _failed(path: str, reason: str) -> Snapshot:
    return Snapshot(kinds.merged, Origin(file=path), [Problem(path, reason)], 0, [])
