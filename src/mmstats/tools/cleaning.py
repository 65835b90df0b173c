"""One round of cleanstats: who is dead, what becomes of their files, what is said of it.

What acts is loaded when there is something to do: mostly nobody died.
"""

from __future__ import annotations

import os
import time

from mmstats.fold.leftovers import may_be_left
from mmstats.host.liveness import GONE
from mmstats.read.files import Finder
from mmstats.read.rollcall import DAMAGED, FILE, MISSING, OLD, RollCall
from mmstats.tools import ends
from mmstats.tools.cleaned import KEPT, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.read.rollcall import Entry

NAME = "cleanstats"


class Wanted:
    """What a command line asks for; without options the files alone."""

    __slots__ = (
        *(
            "compact",
            "discard",
            "dry_run",
            "files",
            "forget",
            "json",
            "older_than",
            "quiet",
            "verbose",
            "watch",
        ),
    )

    def __init__(self, files: Sequence[str] = ()) -> None:
        self.files = list(files)
        self.dry_run = self.json = self.discard = self.compact = self.quiet = False
        self.verbose = 0
        self.older_than = 0.0
        self.watch = 0.0
        self.forget: list[str] = []


def clean(wanted: Wanted) -> int:
    """The exit code, after all was done and said."""
    finder, call = Finder(wanted.files or None), RollCall()
    report = Report(
        dry_run=wanted.dry_run, json=wanted.json, quiet=wanted.quiet, verbose=bool(wanted.verbose)
    )
    entries = list(call.of(finder))
    dead = [entry for entry in entries if entry.state == GONE and _is_meant(entry, wanted, report)]
    left = _directories_with_leftovers(finder)
    if dead or left:
        from mmstats.tools.burying import Burial

        Burial(wanted, report, call).of(dead, left)
    for entry in entries:
        if entry.what == MISSING:
            report.missing(entry)
        else:
            report.file(entry)
    if wanted.forget or wanted.compact:
        from mmstats.tools.totals import change_totals

        change_totals(wanted, report)
    report.end()
    for problem in finder.problems:
        ends.say(NAME, report.shown(str(problem)))
    return ends.PARTLY if finder.problems else report.code


def _is_meant(entry: Entry, wanted: Wanted, report: Report) -> bool:
    """Whether a dead writer's file is one to be taken away; where it is not, why."""
    if entry.what not in (FILE, OLD, DAMAGED):
        return False
    if wanted.older_than and time.time() - entry.created <= wanted.older_than:
        reason = f"{entry.reason}, but began to publish less than {wanted.older_than:g} s ago"
        report.note(entry.path, KEPT, reason, expected=True)
        return False
    return True


def _directories_with_leftovers(finder: Finder) -> list[str]:
    """Those in which something is, or is left, on its way to its name; told by the names alone."""
    return [path for path in finder.directories() if any(map(may_be_left, _names(path)))]


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory or ".")
    except OSError:
        return []
