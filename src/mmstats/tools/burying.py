"""What becomes of the files of the dead: folded, set aside, removed; or, in a dry run, what would."""

from __future__ import annotations

import os
import time
from os.path import split

from mmstats.errors import PlaceRefused
from mmstats.fold.folder import Busy, Folder
from mmstats.fold.leftovers import TEMPORARY, left_in, remove_left
from mmstats.host.directory import Directory
from mmstats.host.liveness import GONE
from mmstats.read.rollcall import OLD
from mmstats.read.source import Source, UnreadableError
from mmstats.tools.cleaned import FAILED, KEPT, NAME, REMOVED
from mmstats.tools.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmstats.fold.folder import Result
    from mmstats.read.rollcall import Entry, RollCall
    from mmstats.tools.cleaned import Report
    from mmstats.tools.cleaning import Wanted

PATIENCE = 1.0  # seconds that somebody else's fold is waited for
BETWEEN = 0.01
VANISHED = "No such file or directory"
ELSEWHERE = "its name leads to another file by now"


class Burial:
    """Of one round. What became of each file goes into the report."""

    def __init__(self, wanted: Wanted, report: Report, call: RollCall) -> None:
        self._wanted = wanted
        self._report = report
        self._call = call

    def of(self, dead: Sequence[Entry], left: Iterable[str]) -> None:
        """Files of the dead, and directories in which there may be leftovers."""
        for directory in left:  # first, as the next fold takes its predecessor's along
            self._sweep(directory)
        for entry in dead:
            if entry.what == OLD:
                self._report.note(entry.path, *self._of_old(entry.path))
        for directory, paths in _by_directory(entry.path for entry in dead if entry.what != OLD).items():
            self._fold(directory, paths)

    def _of_old(self, path: str) -> tuple[str, str]:
        """Of version 1: judged once more while it is open, and removed if its name still leads to it."""
        try:
            with Source(path) as source:
                again = self._call.examine(source, path)
                if again.what != OLD or again.state != GONE:
                    return KEPT, again.state or again.reason
                return (REMOVED, "") if self._wanted.dry_run else _remove(path, source.fd)
        except UnreadableError as error:
            return KEPT, str(error)
        except OSError as error:
            return FAILED, error.strerror or str(error)

    def _fold(self, directory: str, paths: Sequence[str]) -> None:
        path_of = {split(path)[1]: path for path in paths}
        try:
            results = self._results(directory, list(path_of))
        except (Busy, OSError) as error:
            for path in paths:
                self._report.note(path, FAILED, why_not(directory, error))
            return
        for result in results:
            vanished = result.what == KEPT and result.reason == VANISHED
            reason = "somebody else took it away meanwhile" if vanished else result.reason
            self._report.note(path_of[result.name], result.what, reason)

    def _results(self, directory: str, names: list[str]) -> list[Result]:
        if self._wanted.dry_run:
            from mmstats.fold.rehearsal import rehearse

            return rehearse(directory, names, discard=self._wanted.discard)
        what = f"{NAME}: {'discarded' if self._wanted.discard else 'folded'}"
        with patient(directory) as folder, Progress(what, len(names), quiet=self._wanted.quiet) as progress:
            return folder.fold(names, discard=self._wanted.discard, told=progress.at)

    def _sweep(self, directory: str) -> None:
        try:
            names = _leftovers(directory)
            if names and not self._wanted.dry_run:
                with patient(directory) as folder:
                    names = [name for name in names if remove_left(folder.directory, name)]
        except PlaceRefused:
            return  # what is there may be anybody's
        except (Busy, OSError) as error:
            self._report.leftover(directory, FAILED, why_not(directory, error))
            return
        for name in names:
            of_whom = "fold" if name == TEMPORARY else "start"
            path = os.path.join(directory, name)
            self._report.leftover(path, REMOVED, f"Left by a {of_whom} that was killed")


def patient(directory: str) -> Folder:
    """The folder of a directory, as soon as nobody else folds there; Busy after a second."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return Folder(directory)
        except Busy:
            if time.monotonic() > until:
                raise
            time.sleep(BETWEEN)


def _leftovers(directory: str) -> list[str]:
    with Directory(directory or ".") as opened:
        opened.check()
        return list(left_in(opened))


def _remove(path: str, fd: int) -> tuple[str, str]:
    above, name = split(path)
    with Directory(above or ".") as directory:
        if not directory.still_names(name, fd):
            return KEPT, ELSEWHERE
        directory.unlink(name)
    return REMOVED, ""


def _by_directory(paths: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(split(path)[0], []).append(path)
    return found


def why_not(directory: str, error: Exception) -> str:
    """Why nothing could be done in a directory."""
    if isinstance(error, Busy):
        return f"somebody else is folding in {directory or '.'}; it was waited for {PATIENCE:g} s"
    if isinstance(error, PlaceRefused):
        return str(error)
    return getattr(error, "strerror", None) or str(error)
