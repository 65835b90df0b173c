"""The files of one program and group, added up: what a `Tally` found, as stats."""

from __future__ import annotations

from math import nan
from struct import Struct

from mmstats import kinds
from mmstats.errors import FormatError
from mmstats.format.compound import witness
from mmstats.format.members import tags_of
from mmstats.format.metric import NEVER as NEVER_CELLS
from mmstats.format.metric import PLAIN, number_of
from mmstats.format.spread import Spread
from mmstats.read.pattern import EACH, FAMILY, NUMBERS, STATED, TOLD
from mmstats.stat import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.plan import Plan
    from mmstats.read.glance import Brief
    from mmstats.read.pattern import Entry, Pattern
    from mmstats.read.steps import Handed
    from mmstats.read.tally import Tally
    from mmstats.stat import About

    Taken = tuple[Entry, int, Any, Any]  # number of the member, parts, value

WINDOW = "window"  # of a timer, its latest durations: sum, how many, when, and the last one
MOST_REMEMBERED = 65_536  # members
TOGETHER = 64  # parts that are merged at once: what grows with each would take the square of their number

_ttl = Struct("<Q").unpack_from


class Parts:
    """Parts of one stat, merged now and then."""

    __slots__ = ("_parts", "_word")

    def __init__(self, plan: Plan) -> None:
        self._word = WINDOW if plan.spread is not None else kinds.rule(plan.about.kind, plan.about.aggregate)
        self._parts: list[Any] = []

    def add(self, parts: Any) -> None:
        """Those of one more file."""
        self._parts.append(parts)
        if len(self._parts) >= TOGETHER:
            self._parts = [self.together()]

    def together(self) -> Any:
        """All of them; None where nobody wrote."""
        if self._word != WINDOW:
            return kinds.merge(self._word, self._parts)
        written = [part for part in self._parts if part is not None]
        if not written:
            return None
        latest = written[0]
        for part in written:
            latest = latest if latest[2] > part[2] else part
        return (sum([part[0] for part in written]), sum([part[1] for part in written]), *latest[2:])


class Program:
    """Files of one pattern and group, in one reading.

    `count`: how many; `header`, `path`: the youngest one's. `each`: entries that stay each process's own.
    """

    __slots__ = (
        *("_age", "_handing", "_members", "_parts", "_step_of", "_tally_type", "count", "each", "group"),
        *("header", "path", "pattern", "tally"),
    )

    def __init__(self, pattern: Pattern, group: str, tally_type: type[Tally]) -> None:
        self.pattern = pattern
        self.group = group
        self._tally_type = tally_type
        self._step_of = {entry.place: entry for entry in pattern.entries if entry.names}
        self._members: dict[tuple[int, bytes], About] = {}
        # Entries in the order in which steps hand out, each once.
        told = {entry.told: entry for entry in pattern.entries if entry.told >= 0}
        self._handing = [told[step] for step in _handing(pattern)]
        self.each = [entry for entry in pattern.entries if entry.plan.about.aggregate == EACH]
        self.start()

    def start(self) -> None:
        """Begin a reading anew, with no file."""
        self.tally = self._tally_type(self.pattern.spans, self.pattern.steps)
        self.count = 0
        self.header, self.path = b"", ""  # of the youngest file
        self._age = (-1, b"")
        self._parts: dict[tuple[int, int], Parts] = {}
        if len(self._members) > MOST_REMEMBERED:
            self._members.clear()  # members come and go

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
        """Add the file that was read last, and what was taken of it."""
        self.tally.add()
        for entry, number, parts, _ in taken:
            if entry.plan.about.aggregate == EACH:
                continue
            key = (entry.told, number)
            column = self._parts.get(key)
            if column is None:
                column = self._parts[key] = Parts(entry.plan)
            column.add(parts)

    def note(self, brief: Brief, header: bytes, path: str) -> None:
        """Whose file was added."""
        self.count += 1
        age = (brief.created, brief.uuid)
        if age > self._age:
            self._age, self.header, self.path = age, header, path

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
            plan = entry.plan
            if plan.about.aggregate == EACH:
                continue
            if entry.names:
                for key, number, found in values[entry.place]:
                    about = self._about_of(entry.place, key)
                    self._put(rows, entry, about, self._parts_of(entry, number, found))
            elif entry.place >= 0:
                found = values[entry.place]
                if self.pattern.steps[entry.place][0] == NUMBERS:
                    found = found[entry.cell]
                self._put(rows, entry, plan.about, self._parts_of(entry, -1, found))
            elif entry.told >= 0:
                self._put(rows, entry, plan.about, self._parts[entry.told, -1].together())
            else:
                parts = kinds.stated(plan.about.aggregate, plan.metric.value, stamp)
                self._put(rows, entry, plan.about, parts)
        return rows

    def _parts_of(self, entry: Entry, number: int, found: Any) -> Any:
        plan = entry.plan
        if plan.spread is None:
            return self._parts[entry.told, number].together() if entry.told >= 0 else found
        if found is None:
            return None
        count, total, least, most, zero, overflow, negative, counts, places = found
        first = plan.spread.low << plan.spread.scale
        buckets = {first + place: times for place, times in places.items()}
        spread = Spread(plan.spread, buckets, zero, overflow, negative, counts)
        window = self._parts[entry.told, number].together() if entry.told >= 0 else ()
        return (count, total, least, most, *window, spread)

    @staticmethod
    def _put(rows: Rows, entry: Entry, about: About, parts: Any) -> None:
        word = kinds.rule(about.kind, about.aggregate)
        rows.add(about, parts, entry.plan.initial if parts is None else kinds.finish(word, parts))


def _handing(pattern: Pattern) -> list[int]:
    """The steps that hand out, in their order."""
    return [
        number
        for number, step in enumerate(pattern.steps)
        if step[0] in (TOLD, STATED) or (step[0] == FAMILY and step[-1][0] == TOLD)
    ]


def _parts_of(plan: Plan, lanes: Handed, stamp: float, epoch: int) -> tuple[Any, Any]:
    """Parts and value of one file; of a timer what is known of the latest durations."""
    about, metric = plan.about, plan.metric
    if plan.is_constant:
        number = number_of(int.from_bytes(lanes[0][0], "little"), metric.cell_type)
        stands = nan if number is None else number
        return kinds.stated(about.aggregate, stands, stamp), stands
    if not plan.is_compound:
        read = (NEVER_CELLS if plan.leaves_out_never else PLAIN)[metric.cell_type]
        return plan.measured([read(data, 0) for data, lives in lanes if lives or not plan.living], stamp)
    take = plan.take(lambda: 0)
    found = []
    for data, lives in lanes:
        n = witness(data, 0)
        found.append(take(data, 0, metric.cells, n, lives, epoch) if n else None)
    if plan.spread is None:
        return kinds.compounded(about.kind, about.aggregate, found)
    parts = Parts(plan)
    for one in found:
        parts.add(one and one[4:8])
    return parts.together(), None


def _tags(key: bytes, names: list[str]) -> Any:
    """The tags of a member, of its ttl and its tags as they stand in the file."""
    from mmstats.format import layout

    block = bytes(layout.MEMBER_TAGS_LENGTH) + len(key[8:]).to_bytes(4, "little")
    return tags_of(block.ljust(layout.MEMBER_SIZE, b"\0") + key[8:], names, 0)
