"""The files of one program and group, added up: what a `Tally` found, as stats."""

from __future__ import annotations

from math import nan
from struct import Struct

from mmstats import kinds
from mmstats.errors import FormatError
from mmstats.format.compound import witness
from mmstats.format.header import decode_header
from mmstats.format.members import tags_of
from mmstats.format.metric import NEVER as NEVER_CELLS
from mmstats.format.metric import PLAIN, number_of
from mmstats.format.spread import Spread
from mmstats.read.pattern import EACH, FAMILY, STATED, TOLD
from mmstats.read.snapshot import origin_of
from mmstats.stat import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.plan import Plan
    from mmstats.read.pattern import Entry, Pattern
    from mmstats.read.steps import Handed
    from mmstats.read.tally import Tally
    from mmstats.stat import About, Origin

    Taken = tuple[Entry, int, Any, Any]  # number of the member, parts, value

FEW = 1_024  # members that are remembered, however many there are by now
TOGETHER = 64  # parts that are merged at once: what grows with each would take the square of their number

_ttl = Struct("<Q").unpack_from


class Parts:
    """Parts of one stat, merged now and then."""

    __slots__ = ("_parts", "_word")

    def __init__(self, plan: Plan) -> None:
        self._word = kinds.rule(plan.about.kind, plan.about.aggregate)
        self._parts: list[Any] = []

    def add(self, parts: Any) -> None:
        """Those of one more file."""
        self._parts.append(parts)
        if len(self._parts) >= TOGETHER:
            self._parts = [self.together()]

    def together(self) -> Any:
        """All of them; None where nobody wrote."""
        return kinds.merge(self._word, self._parts)


class Program:
    """Files of one pattern and group, in one reading.

    `state`: of their writers; `each`: entries that stay each process's own.
    """

    __slots__ = (
        *("_columns", "_handing", "_members", "_origin", "_parts", "_step_of"),
        *("_tally_type", "_youngest", "each", "group", "pattern", "state", "tally"),
    )

    def __init__(
        self, pattern: Pattern, group: str, tally_type: type[Tally], *, state: str = "alive"
    ) -> None:
        self.pattern = pattern
        self.group = group
        self.state = state
        self._tally_type = tally_type
        self._step_of = {entry.place: entry for entry in pattern.entries if entry.names}
        self._members: dict[tuple[int, bytes], About] = {}
        self._columns: dict[int, tuple[list[int], list[About]]] = {}
        self._youngest = (b"", "")  # header and path, of whom that is the origin
        self._origin: Origin | None = None
        # Entries in the order in which steps hand out, each once.
        told = {entry.told: entry for entry in pattern.entries if entry.told >= 0}
        self._handing = [told[step] for step in _handing(pattern)]
        self.each = [entry for entry in pattern.entries if entry.plan.about.aggregate == EACH]
        self._parts: dict[tuple[int, int], Parts] = {}
        self.tally = self._new_tally()

    def _new_tally(self) -> Tally:
        whole, told = self.pattern.is_whole, bool(self.each)
        return self._tally_type(self.pattern.spans, self.pattern.steps, is_whole=whole, is_told=told)

    def start(self) -> None:
        """Begin a reading anew, with no file."""
        self._parts = {}
        if self.tally.met > 2 * sum([len(numbers) for numbers, _ in self._columns.values()]) + FEW:
            self._members.clear()  # members come and go
            self._columns.clear()
            self.tally = self._new_tally()
        else:
            self.tally.clear()

    def origin(self) -> Origin:
        """Who wrote the youngest one's file."""
        youngest = self.tally.youngest()
        if self._origin is None or youngest != self._youngest:
            header, path = self._youngest = youngest
            self._origin = origin_of(decode_header(header), path, self.state)
        return self._origin

    @property
    def count(self) -> int:
        """How many files were added."""
        return self.tally.count

    def is_lawful(self, step: int, key: bytes) -> bool:
        """Whether members can have those tags."""
        try:
            self._about_of(step, key)
        except FormatError:
            return False
        return True

    def _about_of(self, step: int, key: bytes) -> About:
        """What is said of a member, by its ttl and its tags as they stand in the file."""
        about = self._members.get((step, key))
        if about is None:
            entry = self._step_of[step]
            about = entry.plan.about_of(_tags(key, entry.names), _ttl(key)[0] / 1e9)
            self._members[step, key] = about
        return about

    def take(self, handed: list[Any], stamp: float, epoch: int) -> list[Taken]:
        """Parts and value of what was handed out of one file, by entry and number of the member.

        FormatError: it is damaged. `stamp`: when the writer began; `epoch`: see `format.compound`.
        """
        found = []
        for entry, one in zip(self._handing, handed):
            for number, lanes in one.items() if isinstance(one, dict) else ((-1, one),):
                found.append((entry, number, *_parts_of(entry.plan, lanes, stamp, epoch)))
        return found

    def add(self, taken: list[Taken]) -> None:
        """Add what was taken of one file."""
        for entry, number, parts, _ in taken:
            if entry.plan.about.aggregate == EACH:
                continue
            key = (entry.told, number)
            column = self._parts.get(key)
            if column is None:
                column = self._parts[key] = Parts(entry.plan)
            column.add(parts)

    def own_rows(self, taken: list[Taken]) -> Rows:
        """The stats that are each process's own, of what was taken of one file."""
        rows = Rows(self.group)
        for entry, _, parts, value in taken:
            if entry.plan.about.aggregate == EACH:
                rows.add(entry.plan.about, parts, entry.plan.initial if parts is None else value)
        for entry in self.each:
            if entry.told < 0:  # a text that is the same in all files
                rows.add(entry.plan.about, (entry.plan.metric.value,), entry.plan.metric.value)
        return rows

    def rows(self, stamp: float) -> Rows:
        """The stats of all files together. `stamp`: when the youngest writer began."""
        rows, values = Rows(self.group), self.tally.values()
        for entry in self.pattern.entries:
            if entry.plan.about.aggregate == EACH:
                continue
            if entry.names:
                self._add_members(rows, entry, *values[entry.place])
                continue
            parts = self._parts_of(entry, values, stamp)
            rows.add(entry.plan.about, parts, entry.plan.initial if parts is None else entry.finish(parts))
        return rows

    def _parts_of(self, entry: Entry, values: list[Any], stamp: float) -> Any:
        """Parts of all files, of what is no family."""
        plan, place = entry.plan, entry.place
        if place < 0:
            if entry.told >= 0:
                return self._parts[entry.told, -1].together()
            return kinds.stated(plan.about.aggregate, plan.metric.value, stamp)
        if plan.is_constant:
            return _listed_parts(plan, values[place])
        if plan.spread is not None:
            return _spread_parts(plan, values[place], values[entry.latest] if entry.latest >= 0 else ())
        return values[place][entry.cell]

    def _add_members(
        self, rows: Rows, entry: Entry, numbers: list[int], found: list[Any], latest: list[Any]
    ) -> None:
        """The members of a family, whose numbers are the same from one reading to the next."""
        before, abouts = self._columns.get(entry.place, ([], []))
        if numbers != before:
            key = self.tally.key
            abouts = [self._about_of(entry.place, key(entry.place, number)) for number in numbers]
            self._columns[entry.place] = (numbers, abouts)
        if entry.plan.spread is not None:
            pairs = zip(found, latest) if latest else ((one, ()) for one in found)
            found = [_spread_parts(entry.plan, *pair) for pair in pairs]
        elif entry.told >= 0:
            found = [self._parts[entry.told, number].together() for number in numbers]
        elif entry.is_plain and None not in found:
            rows.add_plain(abouts, found)
            return
        initial, finish = entry.plan.initial, entry.finish
        rows.abouts += abouts
        rows.parts += found
        rows.values += [initial if parts is None else finish(parts) for parts in found]


def _handing(pattern: Pattern) -> list[int]:
    """The steps that hand out, in their order."""
    return [
        number
        for number, step in enumerate(pattern.steps)
        if step[0] in (TOLD, STATED) or (step[0] == FAMILY and step[-1][0] == TOLD)
    ]


def _parts_of(plan: Plan, lanes: Handed, stamp: float, epoch: int) -> tuple[Any, Any]:
    """Parts and value of one file."""
    about, metric = plan.about, plan.metric
    if plan.is_constant:
        stands = _number(int.from_bytes(lanes[0][0], "little"), metric.cell_type)
        return kinds.stated(about.aggregate, stands, stamp), stands
    if not plan.is_compound:
        read = (NEVER_CELLS if plan.leaves_out_never else PLAIN)[metric.cell_type]
        return plan.measured([read(data, 0) for data, lives in lanes if lives or not plan.living], stamp)
    take = plan.take(lambda: 0)
    found = []
    for data, lives in lanes:
        n = witness(data, 0)
        found.append(take(data, 0, metric.cells, n, lives, epoch) if n else None)
    return kinds.compounded(about.kind, about.aggregate, found)


def _listed_parts(plan: Plan, listed: list[tuple[int, int]]) -> Any:
    """Parts of the numbers of a static, that many files have."""
    aggregate, cell_type = plan.about.aggregate, plan.metric.cell_type
    if aggregate == "set":
        return frozenset([_number(word, cell_type) for word in {word for word, _ in listed}])
    lifted = [kinds.stated(aggregate, _number(word, cell_type), when / 1e9) for word, when in listed]
    return kinds.merge(aggregate, lifted)


def _number(word: int, cell_type: int) -> Any:
    number = number_of(word, cell_type)
    return nan if number is None else number


def _spread_parts(plan: Plan, found: Any, latest: tuple[Any, ...]) -> Any:
    """Parts of a value that has a distribution, and of a timer the last durations."""
    if found is None:
        return None
    assert plan.spread is not None
    count, total, least, most, zero, overflow, negative, counts, buckets = found
    return (
        count,
        total,
        least,
        most,
        *latest,
        Spread(plan.spread, buckets, zero, overflow, negative, counts),
    )


def _tags(key: bytes, names: list[str]) -> Any:
    """The tags of a member, of its ttl and its tags as they stand in the file."""
    from mmstats.format import layout

    block = bytes(layout.MEMBER_TAGS_LENGTH) + len(key[8:]).to_bytes(4, "little")
    return tags_of(block.ljust(layout.MEMBER_SIZE, b"\0") + key[8:], names, 0)
