"""What --forget and --compact do to retired totals, once the dead of this round are in them."""

from __future__ import annotations

import os
from os.path import split

from mmstats.errors import FormatError
from mmstats.fold.folder import Busy
from mmstats.fold.ledger import Ledger
from mmstats.format.layout import DROP_REASONS
from mmstats.host.directory import Directory
from mmstats.names import retired_name
from mmstats.read.dropped import about_dropped
from mmstats.read.files import Finder
from mmstats.read.rollcall import TOTALS, RollCall
from mmstats.read.snapshot import snapshot
from mmstats.tools.burying import patient, why_not
from mmstats.tools.cleaned import FAILED
from mmstats.tools.select import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.fold.totals import Total, Totals
    from mmstats.stat import About
    from mmstats.tools.cleaned import Report
    from mmstats.tools.cleaning import Wanted

    Change = Callable[[Totals], int]
    Meaning = tuple[object, ...]

FORGOT, COMPACTED = "forgot", "compacted"


def change_totals(wanted: Wanted, report: Report) -> None:
    """Of every group whose retired totals are in the places that are looked at, by now."""
    there = RollCall().of(Finder(wanted.files or None))
    found = [_Retired(entry.path, entry.group, report) for entry in there if entry.what == TOTALS]
    for text in wanted.forget:
        _forget(text, found, report)
    for one in found if wanted.compact else ():
        one.compact()


def _forget(text: str, found: Sequence[_Retired], report: Report) -> None:
    pattern = Pattern(text)
    if not sum([one.forget(pattern, text) for one in found]):
        from mmstats.near import close

        near = close(text, {label for one in found for label in one.labels})
        hint = f". Close: {', '.join(near)}" if near else ""
        report.say(f"Forgot 0 totals: there are none of {text!r}{hint}")


class _Retired:
    """The retired totals of one group, in one directory."""

    def __init__(self, path: str, group: str, report: Report) -> None:
        self._path = path
        self._group = group
        self._report = report
        self.labels: set[str] = set()

    def forget(self, pattern: Pattern, text: str) -> int:
        """Drop the totals of all stats that match; how many there were."""
        count = self._try(lambda totals: _forget_in(totals, pattern), only_if_it_changes=True)
        if count:
            forgot = "Would forget" if self._report.dry_run else "Forgot"
            sentence = f"{forgot} {_of(count, 'total')} of {text!r} in {self._path}"
            self._report.totals(self._path, FORGOT, sentence, totals=count)
        return count or 0

    def compact(self) -> None:
        """Write them anew without what nobody needs."""
        needed, before = self._declared(), _size(self._path)
        count = self._try(lambda totals: _drop_superseded(totals, needed))
        if count is None:
            return
        after = _size(self._path)
        what = f"{_of(count, 'superseded total')}"
        if self._report.dry_run:
            sentence = f"Would compact {self._path}: {before} bytes, of which {what} would go"
        else:
            sentence = f"Compacted {self._path}: {before} bytes before, {after} after; {what} went"
        numbers = {"totals": count, "before": before, "after": after}
        self._report.totals(self._path, COMPACTED, sentence, **numbers)

    def _try(self, how: Change, *, only_if_it_changes: bool = False) -> int | None:
        """How many totals changed; None where that could not be, which is said."""
        try:
            return self._change(how, only_if_it_changes=only_if_it_changes)
        except (Busy, FormatError, OSError) as error:
            self._report.totals(self._path, FAILED, why_not(split(self._path)[0], error))
            return None

    def _change(self, how: Change, *, only_if_it_changes: bool) -> int:
        """First in memory, so that nothing is held or written for nothing."""
        directory, name = split(self._path)
        if name != retired_name(self._group):
            raise FormatError(0, f"{name!r} as its name", repr(retired_name(self._group)))
        with Directory(directory or ".") as opened:
            totals = Ledger(opened, self._group).totals
        self.labels = {total.about.label for total, _ in totals}
        count = how(totals)
        if self._report.dry_run or not (count or not only_if_it_changes):
            return count
        counts: list[int] = []
        with patient(directory) as folder:
            folder.change(self._group, lambda totals: counts.append(how(totals)))
        return counts[0]

    def _declared(self) -> set[Meaning]:
        """What is declared by any file of the group that is there: its totals may be wanted yet."""
        own = retired_name(self._group)
        return {
            _meaning(about)
            for one in snapshot(split(self._path)[0] or ".")
            if one.origin.group == self._group and split(one.origin.file)[1] != own
            for about in one.columns().abouts
        }


def _forget_in(totals: Totals, pattern: Pattern) -> int:
    count = totals.forget(lambda total: pattern.matches(total.about, ""))
    for code, reason in enumerate(DROP_REASONS):
        if totals.dropped[code] and pattern.matches(about_dropped(reason), ""):
            totals.dropped[code] = 0
            count += 1
    return count


def _drop_superseded(totals: Totals, needed: set[Meaning]) -> int:
    superseded = {id(total) for total, stands in totals if not stands}

    def is_over(total: Total) -> bool:
        return id(total) in superseded and _meaning(total.about) not in needed

    return totals.forget(is_over)


def _meaning(about: About) -> Meaning:
    names = tuple(name for name, _ in about.tags)  # a family is declared as a whole
    return about.label, names, about.kind, about.unit, about.aggregate


def _of(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
