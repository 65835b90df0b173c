"""What a folder would do, found out by looking alone: nothing is held, written or made."""

from __future__ import annotations

from mmstats.errors import FormatError
from mmstats.fold.dead import Damaged, Dead, Kept
from mmstats.fold.estate import left_in
from mmstats.fold.folder import ASIDE, DISCARDED, FAILED, FOLDED, KEPT, REMOVED, Result
from mmstats.fold.ledger import Ledger
from mmstats.format.runs import Schema
from mmstats.host.directory import Directory
from mmstats.host.liveness import Judge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def rehearse(path: str, names: Iterable[str], *, discard: bool = False) -> list[Result]:
    """What `Folder.fold` would answer. PlaceRefused or another OSError where it could not begin."""
    with Directory(path or ".") as directory:
        directory.check()
        rehearsal = _Rehearsal(directory, discard=discard)
        return [rehearsal.of(name) for name in names]


class _Rehearsal:
    def __init__(self, directory: Directory, *, discard: bool) -> None:
        self._directory = directory
        self._discard = discard
        self._judge = Judge()
        self._schema = Schema()
        self._ledgers: dict[str, Ledger] = {}

    def of(self, name: str) -> Result:
        try:
            dead = Dead(self._directory, name, self._judge, hold=False)
            try:
                return self._end_of(dead)
            finally:
                dead.close()
        except Kept as kept:
            return Result(name, KEPT, str(kept))
        except Damaged as damage:
            return Result(name, ASIDE, f"damaged: {damage}")
        except OSError as error:
            return Result(name, FAILED, error.strerror or str(error))

    def _end_of(self, dead: Dead) -> Result:
        if self._discard:
            return Result(dead.name, DISCARDED)
        group = dead.header.group
        try:
            if self._ledger(group).had(dead.header.uuid):
                return Result(dead.name, REMOVED)
        except FormatError as error:
            return Result(dead.name, FAILED, f"{group}: its retired totals: {error}")
        unknown: list[str] = []
        data, decoded = dead.decoded(self._schema)
        try:
            list(left_in(data, decoded, unknown.append))
        except FormatError as error:
            raise Damaged(str(error)) from None
        if unknown:
            raise Kept(f"{unknown[0]}: a newer mmstats folds it")
        return Result(dead.name, FOLDED)

    def _ledger(self, group: str) -> Ledger:
        if group not in self._ledgers:
            self._ledgers[group] = Ledger(self._directory, group, self._schema)
        return self._ledgers[group]
