"""`mmstats.dropped`: how much this process wanted to publish and could not, and why.

Silence about a full file would be a lie, so what is dropped is counted, shown by readers as the
stat `mmstats.dropped`, and can be asked for here.
"""

from __future__ import annotations

from itertools import count

from mmstats.format.layout import DROP_REASON_REMOVED, DROP_REASONS
from mmstats.publish import process, report


class Dropped:
    """The counts. `int(dropped)` is all of them, `dropped.by_reason` a dict of those not zero.

    Reasons are `removed` (an update after remove()), `private` (a file that could not be made),
    `space` (cells that could not be had), and others that spec/FORMAT.md section 3 lists.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin at zero, in a forked child."""
        self._next = [count(1) for _ in DROP_REASONS]
        self._counts = [0] * len(DROP_REASONS)

    def add(self, reason: int) -> None:
        """Count one. Takes no lock: `next` on a counter is one step, for threads and handlers alike."""
        number = next(self._next[reason])
        self._counts[reason] = max(number, self._counts[reason])
        for publication in list(process.publications.values())[:1]:
            publication.show_dropped(self._counts)

    @property
    def counts(self) -> list[int]:
        """The counts by the code of their reason."""
        return list(self._counts)

    @property
    def by_reason(self) -> dict[str, int]:
        """The counts that are not zero, by the name of their reason."""
        report.say()
        return {name: number for name, number in zip(DROP_REASONS, self._counts) if number}

    def __int__(self) -> int:
        report.say()
        return sum(self._counts)

    def __repr__(self) -> str:
        return f"<dropped {int(self)}: {self.by_reason}>"


dropped = Dropped()
process.begins += [dropped.forget, report.forget]


def after_removal(*_update: object) -> None:
    """What an update of a removed model comes to: nothing, counted."""
    dropped.add(DROP_REASON_REMOVED)


def after_forgetting(*_update: object) -> None:
    """What an update of a member that was forgotten comes to: nothing, counted."""
    dropped.add(DROP_REASON_REMOVED)


after_removal.removed = True  # type: ignore[attr-defined]  # reads ask for this, see cells.protocol
