"""A Snapshot → text, in a language that has samples of families on lines of their own.

From one moment to the next nothing of such a text changes but its numbers. So a `Form`, which is the text
without those, is kept of what was rendered twice, and filled in from the third time on.
"""

from __future__ import annotations

from operator import is_

from mmstats.export.families import families
from mmstats.export.lines import named, spelled, tagged
from mmstats.export.samples import falls, kind_of
from mmstats.stat import Stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from mmstats.export.families import Family, Member
    from mmstats.export.samples import Samples, SamplesOf
    from mmstats.stat import Rows, Snapshot

MOST_FORMS = 4
LONGEST_FORM = 8 << 20  # characters
PLAIN = ("counter", "updown", "number", "gauge")  # kinds with one number, if any
ORDINARY, ONLY_INTS = {int, float}, {int}


class Language:
    """What one format says of families.

    `head`: lines in front of the samples of one; `end`: of the text; `left_out`: by type, suffixes of samples
    that it does not have of what may fall; `has_created`: whether it says since when something counts.
    """

    __slots__ = ("end", "has_created", "head", "left_out")

    def __init__(
        self,
        head: Callable[[Family], Iterator[str]],
        end: str = "",
        left_out: Mapping[str, Sequence[str]] | None = None,
        *,
        has_created: bool = False,
    ) -> None:
        self.head = head
        self.end = end
        self.left_out = left_out or {}
        self.has_created = has_created


class Written:
    """A text in pieces: what stands in front of each number, and those; `tail`: what stands behind all."""

    __slots__ = ("fronts", "numbers", "places", "tail")

    def __init__(self, found: Sequence[Family], language: Language) -> None:
        self.fronts: list[str] = []
        self.numbers: list[Any] = []
        self.places: list[tuple[Member, list[int]]] = []  # whose numbers those are, and which of them
        self.tail = ""
        for family in found:
            self._add(family, language)
        self.tail += language.end

    def _add(self, family: Family, language: Language) -> None:
        self.tail += "".join([line + "\n" for line in language.head(family)])
        for member in family.members:
            left_out = language.left_out.get(family.type, ()) if member.falls else ()
            kept = [at for at, (suffix, _) in enumerate(member.shape) if suffix not in left_out]
            tags = tagged(member.tags)
            for at in kept:
                suffix, more = member.named[at]
                self._add_sample(named(family.name + suffix, tags, more), member.numbers[at])
            self.places.append((member, kept))
            if language.has_created and family.created:
                self.tail += f"{named(family.name + '_created', tags, ())} {spelled(family.created)}\n"

    def _add_sample(self, name: str, number: Any) -> None:
        self.fronts.append(f"{self.tail}{name} ")
        self.numbers.append(number)
        self.tail = ""

    def text(self) -> str:
        """The whole."""
        lines = [f"{front}{spelled(number)}\n" for front, number in zip(self.fronts, self.numbers)]
        return "".join(lines) + self.tail


class Form:
    """What was written of the stats of one snapshot, without its numbers."""

    __slots__ = ("_absent", "_columns", "_created", "_octaves", "_plan", "_text")

    def __init__(self, columns: Rows, created: float, octaves: int, written: Written) -> None:
        self._columns = (columns.abouts, columns.group, columns.groups)
        self._created = created
        self._octaves = octaves
        fronts = [front.replace("%", "%%") + "%s\n" for front in written.fronts]
        self._text = "".join(fronts) + written.tail.replace("%", "%%")
        self._plan: list[tuple[list[int], Member | None, list[int]]] = []  # None: numbers that stand alone
        for member, kept in written.places:
            at = member.at
            if columns.abouts[at].kind not in PLAIN or type(columns.values[at]) not in ORDINARY:
                self._plan.append(([], member, kept))
            elif self._plan and self._plan[-1][1] is None:
                self._plan[-1][0].append(at)
            else:
                self._plan.append(([at], None, kept))
        there = {member.at for member, _ in written.places}
        self._absent = [at for at in range(len(columns.abouts)) if at not in there]

    def fits(self, columns: Rows, created: float, octaves: int) -> bool:
        """Whether it is of the very same stats."""
        abouts, *groups = self._columns
        return (
            (self._created, self._octaves, len(abouts)) == (created, octaves, len(columns.abouts))
            and all(map(is_, abouts, columns.abouts))
            and groups == [columns.group, columns.groups]
        )

    def filled(self, columns: Rows, octaves: int) -> str | None:
        """The text with the numbers of these; None where a sample came or went."""
        numbers: list[Any] = []
        if any(_samples(_stat(columns, at), octaves)[1][0] for at in self._absent):
            return None
        for places, member, kept in self._plan:
            if member is None:
                plain = [columns.values[at] for at in places]
                types = set(map(type, plain))
                if not types <= ORDINARY:
                    return None
                numbers += plain if types == ONLY_INTS else _spelled(plain)
                continue
            stat = _stat(columns, member.at)
            samples_of, (shape, found) = _samples(stat, octaves)
            if samples_of is not member.samples_of or shape != member.shape or falls(stat) != member.falls:
                return None
            wanted = found if len(kept) == len(found) else [found[at] for at in kept]
            numbers += _spelled(wanted)
        return self._text % tuple(numbers)


class Renderer:
    """Texts in one language."""

    __slots__ = ("_forms", "_language", "_sights")

    def __init__(self, language: Language) -> None:
        self._language = language
        self._forms: list[Form] = []  # replaced as a whole: several threads may be here
        self._sights: list[int] = []

    def text(self, snapshot: Snapshot, octaves: int) -> str:
        """A whole text of a snapshot."""
        columns, created = snapshot.columns(), snapshot.origin.created
        for form in self._forms:
            if form.fits(columns, created, octaves):
                filled = form.filled(columns, octaves)
                if filled is not None:
                    return filled
        written = Written(families(snapshot.stats, created, octaves), self._language)
        text = written.text()
        # Objects that are gone may have had the same addresses: a form for nothing, and no harm.
        sight = hash(tuple(map(id, columns.abouts)))
        if sight not in self._sights:
            self._sights = [sight, *self._sights][:MOST_FORMS]
        elif len(text) <= LONGEST_FORM:
            self._forms = [Form(columns, created, octaves, written), *self._forms][:MOST_FORMS]
        return text


def _spelled(numbers: Sequence[Any]) -> list[Any]:
    """Integers are spelled by whoever puts them into the text."""
    return [number if type(number) is int else spelled(number) for number in numbers]


def _stat(columns: Rows, at: int) -> Stat:
    group = columns.groups[at] if columns.groups else columns.group
    return Stat(columns.abouts[at], group, columns.parts[at], columns.values[at])


def _samples(stat: Stat, octaves: int) -> tuple[SamplesOf, Samples]:
    _, samples_of = kind_of(stat)
    return samples_of, samples_of(stat, octaves)
