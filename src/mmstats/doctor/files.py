"""Each file that readers find: what it is, whether it counts, and why not."""

from __future__ import annotations

import os
import time
from collections import Counter

from mmstats.doctor.finding import NOTE, OK, WRONG, Finding
from mmstats.doctor.glimpse import Glimpse
from mmstats.doctor.outlook import outlooks, why_not_into
from mmstats.fold.bad import SUFFIX
from mmstats.fold.folder import ASIDE, FAILED, KEPT, REMOVED
from mmstats.host import identity, mounts, places
from mmstats.host.liveness import GONE, RETIRED, UNKNOWN
from mmstats.names import RETIRED as RETIRED_NAME
from mmstats.read.dropped import DROPPED
from mmstats.read.files import Finder
from mmstats.read.snapshot import Reader
from mmstats.tools.human import duration, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from mmstats.fold.folder import Result
    from mmstats.read.files import Candidate
    from mmstats.stat import Origin, Snapshot

ALL, PART, NOTHING = "all", "part", "no"
ENDINGS = ("; skipped", "; not counted")
DAMAGED = "damaged: "
MOVE_IT = "move it elsewhere: nothing of it counts then, and the next fold begins new totals"
SAID = {  # what the reasons for `mmstats.dropped` mean
    "removed": "updates of a model after its remove()",
    "private": "times that no file could be made: those counts are in private memory",
    "space": "updates for which no cells could be had: the place or the file is full",
    "series": "updates of a series too many",
    "value": "values that could not be stored",
}


class Seen:
    """A file, what readers make of it, and of its removed models; None where they make nothing."""

    __slots__ = ("candidate", "glimpse", "removed", "snapshot")

    def __init__(self, candidate: Candidate, told: Sequence[Snapshot]) -> None:
        self.candidate = candidate
        self.glimpse = Glimpse(candidate.path, candidate.owners)
        self.snapshot = told[0] if told else None
        self.removed = told[1] if len(told) > 1 else None

    @property
    def concerns_a_fold(self) -> bool:
        """Whether it is of somebody dead, or in a state in which nobody knows."""
        if self.glimpse.version == 1 or self.glimpse.is_persistent:
            return False
        if self.snapshot is None:
            return self.glimpse.header is not None
        origin = self.snapshot.origin
        return origin.state == GONE if origin.uuid else self.snapshot.problems[0].reason.startswith(DAMAGED)


def files(paths: Sequence[str]) -> Iterator[Finding]:
    """A finding for each, in the readers' order."""
    find = Finder(paths or None)
    told: dict[str, list[Snapshot]] = {}
    for snapshot in Reader().read(paths or None):
        told.setdefault(snapshot.origin.file, []).append(snapshot)
    candidates = [*find.files(), *find.retired()]
    seen = [Seen(candidate, told.get(candidate.path, ())) for candidate in candidates]
    fates = outlooks(one.candidate.path for one in seen if one.concerns_a_fold)
    first: dict[tuple[int, int], str] = {}
    for one in seen:
        path, glimpse = one.candidate.path, one.glimpse
        other = first.setdefault(glimpse.identity, path) if glimpse.owner >= 0 else path
        yield from _of(one, other, fates.get(path))


def _of(one: Seen, first: str, fate: Result | None) -> Iterator[Finding]:
    """`first`: the path under which the same file was met before, or its own."""
    path = one.candidate.path
    if one.snapshot is not None and one.snapshot.origin.uuid:
        yield _of_snapshot(one.snapshot, one, fate)
    elif one.snapshot is not None:
        yield _not_read(path, one.snapshot.problems[0].reason, fate)
    elif first != path:
        yield _nothing(NOTE, path, f"the same file as {first}, which is counted once")
    elif one.glimpse.why_not:
        yield from _of_others(one.candidate, one.glimpse)
    elif fate is not None and fate.what == REMOVED:
        yield _nothing(NOTE, path, "folded already; the next fold takes it away", fate)
    else:
        yield _nothing(NOTE, path, "its totals were taken over by another file, which has them")


def _not_read(path: str, reason: str, fate: Result | None) -> Finding:
    for end in ENDINGS:
        reason = reason.removesuffix(end)
    if path.endswith(RETIRED_NAME):
        return _nothing(WRONG, path, f"{reason}; nobody folds into it", hint=MOVE_IT)
    return _nothing(WRONG, path, "; ".join([reason, *_of_fate(fate, path)]), fate)


def _nothing(mark: str, path: str, text: str, fate: Result | None = None, hint: str = "") -> Finding:
    return Finding(mark, path, f"not counted: {text}", hint, file=path, counts=NOTHING, **_facts_of(fate))


def _of_others(candidate: Candidate, glimpse: Glimpse) -> Iterator[Finding]:
    """A file that is not ours; one that vanished meanwhile needs no word."""
    if os.path.lexists(candidate.path):
        anybodys = os.path.dirname(candidate.path) == places.temp_directory()
        yield _nothing(NOTE if anybodys else WRONG, candidate.path, glimpse.why_not)


# --- files that are read ---------------------------------------------------------------------------


def _of_snapshot(one: Snapshot, seen: Seen, fate: Result | None) -> Finding:
    origin, glimpse = one.origin, seen.glimpse
    began = origin.started or origin.created
    said, hint = [problem.reason for problem in one.problems], ""
    if origin.state == RETIRED and (why_not := why_not_into(origin.file, origin.group)):
        said.append("nobody folds into it" + ("" if said else f": {why_not}"))
        hint = MOVE_IT
    notes = [*_of_state(one, glimpse), *_of_removed(seen), *_of_glimpse(glimpse), *_of_origin(origin)]
    return Finding(
        *(_mark(said, fate), origin.file, "; ".join([*said, *notes, *_of_fate(fate, origin.file)]), hint),
        file=origin.file,
        counts=PART if one.problems or origin.state == GONE else ALL,
        state=origin.state,
        pid=origin.pid,
        cmd=origin.cmd,
        group=origin.group,
        host=origin.host,
        uid=origin.uid,
        age=round(time.time() - began, 3) if began else None,
        stats=len(one.stats),
        format=glimpse.version,
        persistent=glimpse.is_persistent,
        dropped=_dropped(one),
        size=glimpse.size,
        removed=len(seen.removed.stats) if seen.removed else 0,
        folded=glimpse.lately if origin.state == RETIRED else None,
        **_facts_of(fate),
    )


def _mark(said: Sequence[str], fate: Result | None) -> str:
    if said or (fate is not None and fate.what == FAILED):
        return WRONG
    return NOTE if fate is not None and fate.what == KEPT else OK


def _of_state(one: Snapshot, glimpse: Glimpse) -> Iterator[str]:
    origin = one.origin
    if origin.state == UNKNOWN:
        where = mounts.file_system(origin.file) or "this file system"
        yield f"counted like a living one: whether it lives cannot be known on {where}"
    if origin.state == RETIRED:
        ago, size = duration(max(time.time() - glimpse.changed, 0.0)), human(glimpse.size, "bytes")
        yield f"the dead of group {origin.group}, {size}, written {ago} ago"
        yield f"{_count(glimpse.lately, 'file')} folded within the last minute"


def _of_removed(seen: Seen) -> Iterator[str]:
    """What removed models left counts; what is gone with them, as a bool is, does not."""
    counted = len(seen.removed.stats) if seen.removed else 0
    if counted:
        yield f"also counted: {_count(counted, 'stat')} of removed models"
    if seen.glimpse.apart > counted:
        yield f"{_count(seen.glimpse.apart - counted, 'stat')} of removed models, which readers do not show"


def _of_glimpse(glimpse: Glimpse) -> Iterator[str]:
    if glimpse.version == 1:
        yield "of mmstats 0.8 (format 1)"
    if glimpse.is_persistent:
        if glimpse.folded:
            files = _count(len(glimpse.folded), "file")
            yield f"has the totals of {files} of earlier runs, not to be counted again"
        yield "persistent: the next run goes on with it"


def _of_origin(origin: Origin) -> Iterator[str]:
    if origin.group != origin.cmd and origin.state != RETIRED:
        yield f"group {origin.group}"
    if origin.host != identity.hostname():
        whose = origin.host or "which does not say its name"
        yield f"written on another host or in another container: {whose}"


def _of_fate(fate: Result | None, path: str) -> Iterator[str]:
    """What a fold would make of it, where that is not what one expects of the dead."""
    if fate is None:
        return
    if fate.what == ASIDE:
        yield f"the next fold sets it aside as {os.path.basename(path)}{SUFFIX}, and none of it counts then"
    if fate.what in (KEPT, FAILED):
        yield f"not folded: {fate.reason}"


def _facts_of(fate: Result | None) -> dict[str, Any]:
    if fate is None:
        return {"fold": None, "fold_reason": None}
    return {"fold": fate.what, "fold_reason": fate.reason or None}


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _dropped(one: Snapshot) -> dict[str, int]:
    return {stat.tags["reason"]: stat.value for stat in one.stats if stat.label == DROPPED}


# --- what was dropped ------------------------------------------------------------------------------


def dropped(found: Sequence[Finding]) -> Iterator[Finding]:
    """What could not be published, by reason, of all files that count; of the dead alone it is history."""
    total: Counter[str] = Counter()
    whose: dict[str, list[Finding]] = {}
    for finding in found:
        for reason, count in finding.facts.get("dropped", {}).items():
            total[reason] += count
            whose.setdefault(reason, []).append(finding)
    for reason, count in sorted(total.items()):
        text = f"{count} {SAID.get(reason, 'of a reason that this version does not know')}"
        who = ", ".join(map(_who, whose[reason][:3])) + (" and others" if len(whose[reason]) > 3 else "")
        mark = NOTE if all(one.facts["state"] == RETIRED for one in whose[reason]) else WRONG
        yield Finding(mark, reason, f"{text} ({who})", reason=reason, count=count)


def _who(finding: Finding) -> str:
    facts = finding.facts
    if facts["state"] == RETIRED:
        return f"the dead of group {facts['group']}"
    return f"{facts['cmd']} {facts['pid']}"
