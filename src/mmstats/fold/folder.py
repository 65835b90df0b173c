"""Dead writers' files → their group's retired totals, exactly once (spec/FORMAT.md section 9.1).

```
 .fold held ─▶ old totals + the dead ─▶ .retired.new ─▶ its disk ─▶ rename: they are folded ─▶ unlink the dead
```

Whoever is killed before the rename has changed nothing; after it, the dead files are named in the totals,
readers leave them out, and the next folder removes them.
"""

from __future__ import annotations

import os
from errno import EISDIR, ELOOP, ENOENT
from struct import unpack_from

from mmstats.errors import FormatError
from mmstats.fold import lock
from mmstats.fold.bad import set_aside
from mmstats.fold.dead import Damaged, Dead, Kept
from mmstats.fold.estate import left_in
from mmstats.fold.ledger import Ledger
from mmstats.format import layout
from mmstats.format.runs import Schema
from mmstats.host.directory import Directory
from mmstats.host.liveness import Judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Literal

    from typing_extensions import Self

    from mmstats.fold.lock import FoldLock
    from mmstats.fold.totals import Totals

FOLDED, DISCARDED, REMOVED, ASIDE, KEPT, FAILED = "folded", "discarded", "removed", "aside", "kept", "failed"
BATCH = 64  # files that are open at one time
NO_FILE = (EISDIR, ELOOP, ENOENT)


class Result:
    """What became of one file. `what`: one of the words above; `reason`: why, where it is not plain.

    `removed` is a file that had been folded before, by somebody who was killed before it was removed.
    """

    __slots__ = ("name", "reason", "what")

    def __init__(self, name: str, what: str, reason: str = "") -> None:
        self.name = name
        self.what = what
        self.reason = reason

    def __repr__(self) -> str:
        return f"Result({self.name!r}, {self.what!r}, {self.reason!r})"


class Busy(Exception):  # noqa: N818 - no error: try again later
    """Somebody else folds in this directory."""


class Folder:
    """Folds in one directory. `with` takes its lock, or raises Busy, PlaceRefused or another OSError."""

    def __init__(self, path: str) -> None:
        self.directory = Directory(path or ".")
        self._judge = Judge()
        self._schema = Schema()
        try:
            self._lock = self._locked()
        except BaseException:
            os.close(self.directory.fd)
            raise

    def _locked(self) -> FoldLock:
        self.directory.check()
        held = lock.take(self.directory)
        if held is None:
            raise Busy(f"{self.directory.path}: somebody else folds there")
        return held

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> Literal[False]:
        self._lock.release()
        return self.directory.__exit__(*exc)

    def fold(
        self, names: Iterable[str], *, discard: bool = False, told: Callable[[int], object] | None = None
    ) -> list[Result]:
        """What became of each of the files; those of writers that are not gone are kept.

        `told` is called with the number of those that are done, now and then.
        """
        results: list[Result] = []
        waiting = list(names)
        while waiting:
            batch, waiting = waiting[:BATCH], waiting[BATCH:]
            self._fold_batch(batch, results, discard=discard)
            if told is not None:
                told(len(results))
        return results

    def change(self, group: str, how: Callable[[Totals], object]) -> None:
        """Change the retired totals of a group. OSError or FormatError: they are as they were."""
        ledger = Ledger(self.directory, group, self._schema)
        how(ledger.totals)
        ledger.commit()

    def _fold_batch(self, names: Sequence[str], results: list[Result], *, discard: bool) -> None:
        dead = [found for name in names if (found := self._hold(name, results)) is not None]
        try:
            if discard:
                self._remove(dead, DISCARDED, results)
                return
            for group in dict.fromkeys(one.header.group for one in dead):
                self._fold_group(group, [one for one in dead if one.header.group == group], results)
        finally:
            for one in dead:
                one.close()

    def _hold(self, name: str, results: list[Result]) -> Dead | None:
        try:
            return Dead(self.directory, name, self._judge)
        except Kept as kept:
            results.append(Result(name, KEPT, str(kept)))
        except Damaged as damage:
            results.append(self._set_aside(name, str(damage)))
        except OSError as error:
            what = KEPT if error.errno in NO_FILE else FAILED
            results.append(Result(name, what, error.strerror or str(error)))
        return None

    def _fold_group(self, group: str, dead: list[Dead], results: list[Result]) -> None:
        try:
            ledger = Ledger(self.directory, group, self._schema)
            added = [one for one in dead if self._add(one, ledger, results)]
            if ledger.has_news:
                ledger.commit()
        except (OSError, FormatError) as error:
            reason = f"{group}: its retired totals: {_said(error)}"
            results += [Result(one.name, FAILED, reason) for one in dead if not _told(one, results)]
            return
        for one in added:
            again = ledger.had(one.header.uuid)
            self._remove([one], REMOVED if again else FOLDED, results)

    def _add(self, one: Dead, ledger: Ledger, results: list[Result]) -> bool:
        """Whether the file is in the totals once the ledger is committed, or left nothing to be in them."""
        unknown: list[str] = []
        try:
            if ledger.had(one.header.uuid):
                ledger.enter(one)
                return True
            data, decoded = one.decoded(self._schema)
            left = list(left_in(data, decoded, unknown.append))
            dropped = unpack_from("<8Q", data, layout.HEADER_DROPPED)
        except Kept as kept:
            unknown.append(str(kept))
        except (Damaged, FormatError) as damage:
            results.append(self._set_aside(one.name, str(damage)))
            return False
        if unknown:
            results.append(Result(one.name, KEPT, f"{unknown[0]}: a newer mmstats folds it"))
            return False
        if left or any(dropped):
            ledger.add(decoded.header, left, dropped)
            ledger.enter(one)
        return True

    def _remove(self, dead: Iterable[Dead], what: str, results: list[Result]) -> None:
        for one in dead:
            try:
                if self.directory.still_names(one.name, one.fd):
                    self.directory.unlink(one.name)
            except OSError as error:
                results.append(Result(one.name, FAILED, f"could not be removed: {error.strerror}"))
            else:
                results.append(Result(one.name, what))

    def _set_aside(self, name: str, reason: str) -> Result:
        try:
            aside = set_aside(self.directory, name)
        except OSError as error:
            return Result(name, FAILED, f"damaged: {reason}; could not be set aside: {error.strerror}")
        return Result(name, ASIDE, f"damaged: {reason}; it is {aside} now")


def _told(one: Dead, results: list[Result]) -> bool:
    return any(result.name == one.name for result in results)


def _said(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
