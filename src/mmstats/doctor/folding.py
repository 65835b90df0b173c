"""What became of the dead in each directory: who waits to be folded, who folds, what lies about."""

from __future__ import annotations

import os
import time

from mmstats.doctor.finding import NOTE, OK, WRONG, Finding
from mmstats.errors import PlaceRefused
from mmstats.fold import lock
from mmstats.fold.bad import MOST as MOST_KEPT
from mmstats.fold.bad import SUFFIX
from mmstats.fold.folder import ASIDE, FOLDED, REMOVED
from mmstats.fold.leftovers import left_in
from mmstats.host import identity
from mmstats.host.directory import Directory
from mmstats.publish.retire import MOST
from mmstats.tools.human import duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

COMMAND = "python -m mmstats doctor"
STOPPED = ("T", "t")
WAITS = (FOLDED, REMOVED, ASIDE)  # what a fold that began now would do something about


def folding(directories: Iterable[str], found: Sequence[Finding]) -> Iterator[Finding]:
    """A finding for each directory in which there are dead, and for each thing in its way."""
    for directory in dict.fromkeys([*directories, *(_directory(one) for one in found)]):
        here = [one for one in found if _directory(one) == directory]
        try:
            with Directory(directory or ".") as opened:
                yield from _in(opened, here)
        except OSError:
            continue  # what readers could not look at is told where that is told


def _directory(finding: Finding) -> str:
    directory: str = os.path.dirname(finding.facts["file"])
    return directory


def _in(directory: Directory, here: list[Finding]) -> Iterator[Finding]:
    dead = [one for one in here if one.facts["fold"]]
    has_totals = any(one.facts.get("state") == "retired" for one in here)
    try:
        directory.check()
    except PlaceRefused as refused:
        if dead:
            yield _refused(directory, len(dead), refused)
        return
    if dead or has_totals:
        yield _waiting(directory, dead)
    yield from _held(directory)
    yield from _aside(directory)
    yield from _left(directory)


def _refused(directory: Directory, count: int, refused: PlaceRefused) -> Finding:
    """Nobody folds there, or not we."""
    text = f"{_files(count, 'dead file')} stay{'s' if count == 1 else ''}: the directory {refused.reason}"
    facts: dict[str, Any] = {"directory": directory.path, "waiting": 0, "kept": count}
    if os.geteuid() in (0, directory.uid):
        return Finding(WRONG, directory.path, text, f"chmod go-w {directory.path}", **facts)
    hint = f"its owner's programs fold there; as that user: sudo -u '#{directory.uid}' {COMMAND}"
    return Finding(NOTE, directory.path, text, hint, **facts)


def _waiting(directory: Directory, dead: list[Finding]) -> Finding:
    waiting = sum(one.facts["fold"] in WAITS for one in dead)
    kept = len(dead) - waiting
    facts: dict[str, Any] = {"directory": directory.path, "waiting": waiting, "kept": kept}
    stays = f"{_files(kept, 'dead file')} cannot be folded, for the reasons above" if kept else ""
    if not waiting:
        return Finding(NOTE if kept else OK, directory.path, stays or "all dead are folded", **facts)
    some = "it" if waiting == 1 else "them" if waiting <= MOST else f"{MOST} of them"
    text = f"{_files(waiting, 'dead file')} to fold: the next program that makes a model there folds {some}"
    hint = f"cleanstats folds {'it' if waiting == 1 else 'all of them'} now"
    return Finding(NOTE, directory.path, "; ".join(filter(None, (text, stays))), hint, **facts)


def _held(directory: Directory) -> Iterator[Finding]:
    """Somebody folds; who is stopped in the middle keeps all others from it."""
    pid = lock.holder(directory)
    if pid is None:
        return
    name, who = os.path.join(directory.path, lock.NAME), f"process {pid}" if pid else "somebody out of sight"
    process = identity.process(pid) if pid else None
    stopped = process is not None and process.state in STOPPED
    facts: dict[str, Any] = {"directory": directory.path, "pid": pid or None, "stopped": stopped}
    if stopped:
        text = f"{who} holds it and is stopped: nobody else folds there until it goes on, or ends"
        yield Finding(WRONG, name, text, f"kill -CONT {pid}", **facts)
    else:
        yield Finding(NOTE, name, f"{who} folds there just now: nobody else does meanwhile", **facts)


def _aside(directory: Directory) -> Iterator[Finding]:
    """Files with damage, which are kept for people."""
    names = sorted(name for name in directory.names() if name.endswith(SUFFIX))
    if names:
        pattern = os.path.join(directory.path, "*" + SUFFIX)
        last = max(os.lstat(os.path.join(directory.path, name)).st_ctime for name in names)
        ago = duration(max(time.time() - last, 0.0))
        text = (
            f"{_files(len(names), 'file')} set aside for damage, the last {ago} ago: not counted any more; "
        )
        text += f"the last {MOST_KEPT} are kept"
        hint = f"{COMMAND} '{pattern}' says what is wrong; remove them when you have seen enough"
        yield Finding(NOTE, pattern, text, hint, directory=directory.path, files=names)


def _left(directory: Directory) -> Iterator[Finding]:
    """What whoever was killed left on its way to a name."""
    names = list(left_in(directory))
    if names:
        at, one = os.path.join(directory.path, "unfinished"), len(names) == 1
        left = f"{_files(len(names), 'file')} that somebody who was killed left unfinished"
        hint = f"nobody reads {'it' if one else 'them'}; cleanstats removes {'it' if one else 'them'}"
        yield Finding(NOTE, at, f"{left}: {', '.join(names)}", hint, directory=directory.path, files=names)


def _files(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
