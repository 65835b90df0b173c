"""What earlier runs of a persistent program left: their files, held while the next one takes them over.

The new file carries their totals in its process lane and names their uuids, so at every moment either
they count or it does (FORMAT.md section 9). Nobody else takes them over meanwhile: whoever does holds the
folder's lock on each.
"""

from __future__ import annotations

import os
import time

from mmstats.errors import FormatError, NotRead
from mmstats.format import layout
from mmstats.format.cells import Cells
from mmstats.format.compound import Copies
from mmstats.format.decode import decode
from mmstats.format.ends import goes_with_process
from mmstats.format.header import decode_header
from mmstats.host import locks
from mmstats.host.descriptors import close
from mmstats.host.liveness import GONE, Judge
from mmstats.plan import NoPlan, plan
from mmstats.publish import birth, report
from mmstats.publish.bequest import Total
from mmstats.publish.names_taken import FLAGS, still_names
from mmstats.stat import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from mmstats.format.runs import Decoded
    from mmstats.publish.region import Region
    from mmstats.publish.schema import Metric, Schema
    from mmstats.publish.settings import Settings

TRIES = 200
PAUSE = 0.01  # seconds: somebody else takes the file over, and is through soon


class Predecessors:
    """The files, open and held, and what they come to."""

    def __init__(self, main: str | None) -> None:
        self.replaces_main = False
        self.may_go = True  # those beside it, when the new file is there
        self.totals: dict[str, Total] = {}
        self._main = main
        self._uuids: list[bytes] = []
        self._held: list[tuple[str, int]] = []

    def __bool__(self) -> bool:
        return bool(self._held)

    def hand_over(self, region: Region, metrics: Mapping[str, Metric]) -> None:
        """Let the region carry the totals, under `metrics`."""
        suited = {label: total for label, total in self.totals.items() if label in metrics}
        schemas = {metrics[label].placed: None for label, total in suited.items() if not total.names}
        carried: dict[Schema, list[int]] = {}
        for schema in schemas:
            words = schema.first_words
            for metric in schema.metrics:
                total = suited.get(metric.label)
                if total is None:
                    continue
                for own in total.words(metric).values():
                    words[metric.index : metric.index + metric.cells] = own
                for octaves in total.octaves(metric).values():
                    carried.update({schema.octave(k): row for k, row in octaves.items()})
            carried[schema] = words
        region.carry(carried)
        for label, total in suited.items():
            if total.names:
                metric = metrics[label]
                region.members.carry(metric, total.words(metric), total.octaves(metric))
        region.name_folded(self._uuids)

    def bury(self) -> None:
        """The new file is there: take the names of those beside it away."""
        for path, fd in self._held:
            if path != self._main and self.may_go:
                try:
                    if still_names(path, fd):
                        os.unlink(path)
                except OSError as error:
                    report.note(f"{path} was taken over, and cannot be removed: {error.strerror}")

    def close(self) -> None:
        """Let go of the files and their locks."""
        for _, fd in self._held:
            close(fd)
        self._held = []

    # --- finding them ----------------------------------------------------------------------------

    def hold(self, path: str) -> int | None:
        """A descriptor of a dead file that nobody else takes over now; None: leave it alone."""
        fd = os.open(path, FLAGS)
        try:
            if (
                _is_dead(fd, ours=path == self._main)
                and locks.hold(fd, layout.LOCK_FOLDER)
                and still_names(path, fd)
            ):
                self._held.append((path, fd))
                return fd
        except BaseException:
            close(fd)
            raise
        close(fd)
        return None

    def read(self) -> None:
        """Add up the files that are held, each once."""
        found = [(path, fd, _decode(path, fd)) for path, fd in self._held]
        damaged = [(path, fd) for path, fd, (_, decoded) in found if decoded is None]
        for path, fd in damaged:
            self._put_aside(path, fd)
        known = {uuid for _, _, (_, decoded) in found if decoded for uuid, _, _ in decoded.folded}
        for path, _, (data, decoded) in found:
            if decoded is not None:
                self._uuids.append(decoded.header.uuid)
                if decoded.header.uuid not in known:
                    self._add(path, data, decoded)

    def _add(self, path: str, data: bytes, decoded: Decoded) -> None:
        cells, stamp = Cells(Copies.of_one(data), decoded), decoded.header.created / 1e9
        for run, block in decoded.runs:
            for metric in run.metrics:
                how = plan(metric)
                if isinstance(how, NoPlan):
                    report.note(f"{path}: {how.reason}")
                    continue
                about = how.about
                if goes_with_process(about.kind, about.aggregate, about.keep):
                    continue
                rows = Rows("")
                how.add(rows, cells, block, stamp)
                total = Total(about, metric)
                for said, parts in zip(rows.abouts, rows.parts):
                    total.take(said, parts)
                known = self.totals.setdefault(about.label, total)
                if known is not total and not known.add(total):
                    report.note(
                        f"{path}: {about.label!r} means something else here; its total is left behind"
                    )

    def _put_aside(self, path: str, fd: int) -> None:
        """A damaged file is kept for people, and counts no more."""
        self._held.remove((path, fd))
        aside = _name_aside(path)
        os.rename(path, aside)
        close(fd)
        self.replaces_main = self.replaces_main and path != self._main
        report.note(f"{path} is damaged: its totals are not taken over, and it is now {aside}")


def find(settings: Settings) -> Predecessors | None:
    """The files that this program's next one takes over; None: none, or its name is in use. OSError."""
    directory = birth.directory_of(settings)
    main = os.path.join(directory, settings.file_name("0" * 8))
    found = Predecessors(main)
    try:
        if not _hold_main(found, main):
            return None
        for path in _beside(main):
            try:
                found.hold(path)
            except FileNotFoundError:
                continue
        found.read()
    except BaseException:
        found.close()
        raise
    return found or None


def _hold_main(found: Predecessors, main: str) -> bool:
    """Whether the name is ours to take: there is no file, or it is dead and held."""
    for _ in range(TRIES):
        try:
            if found.hold(main) is not None:
                found.replaces_main = True
                return True
        except FileNotFoundError:
            return True
        except OSError:
            return False  # a link, or somebody else's: what is in the way is said when the name is taken
        if not _looks_dead(main):
            return False
        time.sleep(PAUSE)
    return False


def _looks_dead(path: str) -> bool:
    try:
        fd = os.open(path, FLAGS)
    except OSError:
        return True  # look again
    try:
        return _is_dead(fd, ours=True)
    finally:
        close(fd)


def _is_dead(fd: int, *, ours: bool) -> bool:
    """Whether the file is a persistent one whose writer is gone, by FORMAT.md section 8.

    `ours`: it has the very name that this program was given, which says so where the header cannot.
    """
    raw = os.pread(fd, layout.HEADER_SIZE, 0)
    try:
        header = decode_header(raw)
    except NotRead:
        return ours and not raw.strip(b"\0") and _is_free(fd)  # a loss of power leaves such a file
    except FormatError:
        return ours and _is_free(fd)
    if not header.compat_flags & layout.COMPAT_FLAG_PERSISTENT:
        return False
    return Judge().verdict(header, fd, os.fstat(fd).st_dev) == GONE


def _is_free(fd: int) -> bool:
    """Whether no writer holds the file, of which its header says nothing."""
    return locks.held(fd, layout.LOCK_WRITER) is False and locks.held(fd, layout.LOCK_WITNESS) is False


def _name_aside(path: str) -> str:
    """`NAME.bad`, or `NAME.2.bad` and so on where there are some."""
    aside, number = f"{path}.bad", 1
    while os.path.lexists(aside):
        number += 1
        aside = f"{path}.{number}.bad"
    return aside


def _beside(main: str) -> list[str]:
    """Files called as those are that found the name in use; what they are says their header."""
    directory, name = os.path.split(main)
    stem, _, suffix = name.rpartition(".")
    if not stem:
        stem, suffix = suffix, ""
    return [
        os.path.join(directory, other)
        for other in sorted(os.listdir(directory))
        if other.startswith(f"{stem}-") and other.endswith(f".{suffix}" if suffix else "")
    ]


def _decode(path: str, fd: int) -> tuple[bytes, Decoded | None]:
    data = b""
    while more := os.pread(fd, 1 << 24, len(data)):
        data += more
    try:
        decoded = decode(data)
    except FormatError as error:
        report.note(f"{path}: {error}")
        return data, None
    if decoded.problems:
        report.note(f"{path}: {decoded.problems[0]}")
        return data, None
    return data, decoded
