"""The retired totals of one group, as values: what to add up, and which declaration stands.

Programs of one group may declare a label otherwise than others did. Totals of each declaration are kept;
the youngest stands, the others wait for a program that declares them so again.
"""

from __future__ import annotations

from mmstats import kinds
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from mmstats.fold.estate import Left
    from mmstats.stat import About

    Name = tuple[str, tuple[tuple[str, str], ...]]
    Meaning = tuple[str, str, str]

BY_WIDTH = (layout.CELL_TYPE_U64, layout.CELL_TYPE_I64, layout.CELL_TYPE_F64)


class Total:
    """What all that is folded comes to, of one metric, or one member of a family.

    `declared`: in ns, by whom it was declared last; `folded`: in ns, when something was added to it last.
    """

    __slots__ = ("about", "cell_type", "declared", "folded", "parts")

    def __init__(self, about: About, cell_type: int, declared: int, parts: Any, folded: int = 0) -> None:
        self.about = about
        self.cell_type = cell_type
        self.declared = declared
        self.folded = folded
        self.parts = parts

    @property
    def meaning(self) -> Meaning:
        """What two totals must agree in to be added."""
        return self.about.kind, self.about.unit, self.about.aggregate

    @property
    def name(self) -> tuple[str, ...]:
        """The label, and the names of tags: a family has one declaration."""
        return (self.about.label, *(name for name, _ in self.about.tags))

    def add(self, other: Total) -> None:
        """Take in what means the same; integers and doubles together are doubles."""
        word = kinds.rule(self.about.kind, self.about.aggregate)
        self.parts = kinds.merge(word, [self.parts, other.parts])
        self.cell_type = max(self.cell_type, other.cell_type, key=BY_WIDTH.index)
        self.folded = max(self.folded, other.folded)
        if other.declared > self.declared:
            self.about, self.declared = other.about, other.declared


class Totals:
    """By name and meaning. `created`: ns, when the first of it began; `dropped`: by reason."""

    __slots__ = ("_by_name", "created", "dropped")

    def __init__(self) -> None:
        self.created = 0
        self.dropped = [0] * 8
        self._by_name: dict[Name, dict[Meaning, Total]] = {}

    def add(self, total: Total) -> None:
        """One more total; nothing changes where nobody ever wrote it and nobody knows it."""
        if total.parts is None:
            return
        alike = self._by_name.setdefault((total.about.label, total.about.tags), {})
        known = alike.setdefault(total.meaning, total)
        if known is not total:
            known.add(total)

    def add_left(self, left: Left, declared: int, now: int) -> None:
        """What one process left of one metric."""
        self.add(Total(left.about, left.cell_type, declared, left.parts, now))

    def expire(self, now: int) -> None:
        """Drop the members of families to which nothing was added for longer than their ttl."""
        self.forget(lambda total: bool(total.about.ttl) and total.folded + total.about.ttl * 1e9 < now)

    def begin(self, created: int) -> None:
        """Something of it was counted from this moment on."""
        self.created = min(self.created or created, created)

    def drop(self, counts: Iterable[int]) -> None:
        """Add what could not be published, by the code of its reason."""
        self.dropped = [one + other for one, other in zip(self.dropped, counts)]

    def __iter__(self) -> Iterator[tuple[Total, bool]]:
        """Each total, and whether it stands: of a family, what is declared as its youngest member is."""
        totals = [total for alike in self._by_name.values() for total in alike.values()]
        youngest: dict[object, Total] = {}
        for total in totals:
            youngest[total.name] = max(youngest.get(total.name, total), total, key=_age)
        for total in totals:
            yield total, total.meaning == youngest[total.name].meaning

    def forget(self, is_meant: Callable[[Total], bool]) -> int:
        """Drop totals; how many there were."""
        dropped = 0
        for name, alike in list(self._by_name.items()):
            kept = {meaning: total for meaning, total in alike.items() if not is_meant(total)}
            dropped += len(alike) - len(kept)
            if kept:
                self._by_name[name] = kept
            else:
                del self._by_name[name]
        return dropped


def _age(total: Total) -> tuple[int, Meaning]:
    return total.declared, total.meaning
