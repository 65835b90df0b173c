"""What cleanstats says: a line for each file in 0.8's words, or an object for programs."""

from __future__ import annotations

import sys
import time

from mmstats.host.liveness import ALIVE, GONE, RETIRED, UNKNOWN
from mmstats.read.rollcall import DAMAGED, DENIED, INVALID, NO_PID, PERSISTENT
from mmstats.tools import ends
from mmstats.tools.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.read.rollcall import Entry

NAME = "cleanstats"
# What became of a file: the folder's words; the folder need not be loaded to say that nothing did.
FOLDED, DISCARDED, REMOVED, ASIDE, KEPT, FAILED = "folded", "discarded", "removed", "aside", "kept", "failed"
GOING = (FOLDED, DISCARDED, REMOVED)
WOULD = {FOLDED: "would fold", DISCARDED: "would discard", REMOVED: "would remove", ASIDE: "would set aside"}
AS_0_8_SAID = (INVALID, DENIED, NO_PID)  # before the path, with a colon


class Report:
    """Takes what became of each file; `code` is the exit code that comes of it."""

    def __init__(self, *, dry_run: bool, json: bool, quiet: bool, verbose: bool) -> None:
        self.code = ends.OK
        self.dry_run = dry_run
        self._json = json
        self._quiet = quiet
        self._verbose = verbose
        self._became: dict[str, tuple[str, str]] = {}
        self._expected: set[str] = set()
        self._removed = self._alive = self._unknown = 0

    def note(self, path: str, action: str, reason: str = "", *, expected: bool = False) -> None:
        """Remember what became of a file until it has its turn. `expected`: nobody need hear of it."""
        self._became[path] = action, reason
        if expected:
            self._expected.add(path)

    def file(self, entry: Entry) -> None:
        """Say what became of a file, and count it."""
        action, reason = self._became.pop(entry.path, (KEPT, entry.reason))
        if action == KEPT and reason in (ALIVE, UNKNOWN):  # by now, says who came to fold it
            entry.state, reason = reason, f"PID {entry.pid} is {reason} by now"
        self._alive += entry.state == ALIVE
        self._unknown += entry.state == UNKNOWN
        self._count(action)
        if self._json:
            self._object(entry.path, action, reason or entry.reason, entry.pid or None, entry.state)
        elif action == FAILED:
            ends.say(NAME, f"Could not remove {shown(entry.path)}: {shown(reason)}")
        elif self._verbose or action != KEPT or not self._goes_without_saying(entry):
            self._line(_sentence(entry, action, reason, dry_run=self.dry_run) + self._whose(entry))

    def leftover(self, path: str, action: str, reason: str) -> None:
        """The same of what never was anybody's file."""
        self._count(action)
        if self._json:
            self._object(path, action, reason)
        elif action == FAILED:
            ends.say(NAME, f"Could not remove {shown(path)}: {shown(reason)}")
        else:
            self._line(f"{reason}. {self._deleting} {shown(path)}")

    def totals(self, path: str, action: str, sentence: str, **numbers: int) -> None:
        """What became of a file of retired totals."""
        if self._json:
            self._object(path, action, sentence, None, RETIRED, **numbers)
        elif action == FAILED:
            ends.say(NAME, f"Could not change {shown(path)}: {shown(sentence)}")
        else:
            self.say(sentence)
        self._count(action)

    def missing(self, entry: Entry) -> None:
        """Somebody named a file that is not there."""
        ends.say(NAME, f"{shown(entry.path)}: {entry.reason}")
        self.code = self.code or ends.NOTHING

    def say(self, sentence: str) -> None:
        """Something for people alone."""
        if not self._json:
            self._line(shown(sentence))

    def end(self) -> None:
        """The last line."""
        unknown = f", {self._unknown} unknown" if self._unknown else ""
        done = "Would remove" if self.dry_run else "Removed"
        self.say(f"{done} {self._removed}  -  {self._alive} alive{unknown}")

    @staticmethod
    def shown(text: str) -> str:
        """The text on one line, whatever a file's name has in it."""
        return shown(text)

    def _goes_without_saying(self, entry: Entry) -> bool:
        """Of a file that is kept: whether that is as everybody expects."""
        if entry.what == DAMAGED:
            return False
        waits = entry.what == PERSISTENT and entry.state == GONE
        return waits or entry.state in (ALIVE, RETIRED) or entry.path in self._expected

    @property
    def _deleting(self) -> str:
        return "Would delete" if self.dry_run else "Deleting"

    def _count(self, action: str) -> None:
        self._removed += action in GOING
        if action == FAILED:
            self.code = ends.PARTLY

    def _line(self, line: str) -> None:
        if not self._quiet:
            sys.stdout.write(line + "\n")

    def _whose(self, entry: Entry) -> str:
        """With -v: who it was."""
        if not self._verbose or entry.uid < 0:
            return ""
        from mmstats.host.trust import name_of

        return f"  ({shown(entry.cmd) or '?'} of {name_of(entry.uid)})"

    def _object(
        self,
        path: str,
        action: str,
        reason: str,
        pid: int | None = None,
        state: str | None = None,
        **numbers: int,
    ) -> None:
        from mmstats.tools.machine import number

        word = WOULD.get(action, action) if self.dry_run else action
        told = {"path": path, "pid": pid, "state": state, "action": word, "reason": reason, **numbers}
        pairs = [f'"{key}":{"null" if value is None else number(value)}' for key, value in told.items()]
        sys.stdout.write(f'{{"schema":1,"t":{time.time():.3f},{",".join(pairs)}}}\n')


def _sentence(entry: Entry, action: str, reason: str, *, dry_run: bool) -> str:
    path = shown(entry.path)
    if action in GOING:
        return f"{shown(entry.reason)}. {'Would delete' if dry_run else 'Deleting'} {path}"
    if action == ASIDE:
        return f"{'Would set aside' if dry_run else 'Set aside'} {path}: {shown(reason)}"
    return f"{reason}: {path}" if reason in AS_0_8_SAID else f"Kept {path}: {shown(reason)}"
