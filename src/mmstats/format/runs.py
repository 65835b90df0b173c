"""What blocks say: those that follow each other, which are met in many files, and all of one file.

Processes of one program write the same METRIC blocks, byte for byte. A `Schema` remembers what was met, so
that each block is taken apart only once.
"""

from __future__ import annotations

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.compound import KINDS
from mmstats.format.metric import decode_metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.header import Header
    from mmstats.format.members import Slot
    from mmstats.format.metric import Metric
    from mmstats.format.octaves import Octaves

    Folded = tuple[bytes, int, int]
    Name = tuple[str, ...]

MAX_PROBLEMS = 8  # of a file
MAX_NOTES = 16
MAX_SCHEMA = 16 << 20  # bytes of runs that are remembered


class Run:
    """METRIC blocks that follow each other, and what they say, but for the withdrawn.

    `metrics`: those that live. `apart`: those of removed models, and superseded ones, which only some ask
    for. `damage`: what is wrong in them, with offsets from the run's beginning. A static is a run of its
    own, whose `raw` leaves the number out: it is another one in each process. `made`: room for what
    a reader makes of it, once. `compound`: whether a value of several cells is among them. `names`: labels
    with their tags, of which a file has each once.
    """

    __slots__ = ("apart", "compound", "damage", "made", "metrics", "names", "raw")

    def __init__(self, raw: bytes, blocks: list[bytes]) -> None:
        self.raw = raw
        self.metrics: list[Metric] = []
        self.apart: list[Metric] = []
        self.damage: list[FormatError] = []
        self.names: set[Name] = set()
        self.made: Any = None
        at = 0
        for block in blocks:
            self._add(block, at)
            at += len(block)
        self.compound = any(metric.kind in KINDS for metric in self.metrics + self.apart)

    def _add(self, block: bytes, at: int) -> None:
        try:
            metric = decode_metric(block, at)
        except FormatError as error:
            self.damage.append(error)
        else:
            if metric.state == layout.METRIC_STATE_LIVE:
                self._add_once(metric, at)
            elif metric.state != layout.METRIC_STATE_WITHDRAWN:
                self.apart.append(metric)

    def _add_once(self, metric: Metric, at: int) -> None:
        name = (metric.label, *metric.tags)
        if name in self.names:
            self.damage.append(FormatError(at, f"a second metric {metric.label!r}", "a label of its own"))
        else:
            self.names.add(name)
            self.metrics.append(metric)

    def without(self, names: set[Name]) -> Run:
        """This run as it counts in a file that has metrics with these names already."""
        rest = Run(b"", [])
        rest.names = self.names - names
        rest.metrics = [metric for metric in self.metrics if (metric.label, *metric.tags) not in names]
        rest.apart = self.apart
        rest.compound = self.compound
        return rest


class Members:
    """MEMBER blocks that follow each other, without damage.

    `taken`: metric → its slots that are not free; `segments`: where those have their cells.
    """

    __slots__ = ("count", "raw", "segments", "taken")

    def __init__(self, raw: bytes, slots: list[Slot]) -> None:
        self.raw = raw
        self.count = len(slots)
        self.taken: dict[int, list[Slot]] = {}
        for slot in slots:
            if not slot.is_free:
                self.taken.setdefault(slot.metric, []).append(slot)
        self.segments = sorted({slot.segment for taken in self.taken.values() for slot in taken})


class Schema:
    """What was met before.

    `runs`: the first bytes of a run → the run; `statics`: a whole block → it; `members`: where the first
    bytes of members stand, and those → all of them.
    """

    __slots__ = ("_room", "members", "runs", "statics")

    def __init__(self) -> None:
        self.runs: dict[bytes, Run] = {}
        self.statics: dict[bytes, Run] = {}
        self.members: dict[tuple[int, bytes], Members] = {}
        self._room = MAX_SCHEMA  # bytes

    def keep(self, table: dict[Any, Any], key: object, run: Run | Members) -> None:
        """Remember the run, while there is room."""
        if key in table or self._room >= len(run.raw):
            self._room -= 0 if key in table else len(run.raw)
            table[key] = run


class Decoded:
    """What one file says.

    `runs`: each with where it begins. `lanes`: lane → its state, 0 for one whose thread ended;
    `cells`: segment → lane → (where its first cell is, how many it has). `folded`: uuid, time in ns and inode
    of each file whose totals are in this one. `members`: number of a metric → the slots that are taken.
    `compound`: whether it has values that one copy cannot tell whole. `member_runs`: where members stand that
    follow each other, and those; None where some were taken one by one.
    """

    __slots__ = (
        *("cells", "compound", "folded", "header", "lanes"),
        *("member_runs", "members", "metrics", "names", "places", "problems", "runs", "slots", "text"),
        *("_alone", "_octaves"),
    )

    def __init__(self, header: Header) -> None:
        self.header = header
        self.runs: list[tuple[Run, int]] = []
        self.lanes: dict[int, int] = {}
        self.cells: dict[int, dict[int, tuple[int, int]]] = {}
        self.folded: list[Folded] = []
        self.members: dict[int, list[Slot]] = {}
        self.member_runs: list[tuple[int, Members]] | None = []
        self.compound = False
        self.problems: list[str] = []
        self.names: set[Name] = set()
        self.metrics = 0  # how many there are
        self.slots = 0  # likewise
        self.text = 0  # bytes of them
        self.places: dict[tuple[int, int, int, int], Octaves] = {}  # room for where readers found buckets
        self._alone: dict[int, tuple[int, int]] | None = None
        self._octaves: dict[tuple[int, int], list[tuple[int, int, int]]] | None = None

    def octaves(self, segment: int, lane: int) -> list[tuple[int, int, int]]:
        """Place, first cell and count of cells of each octave that a lane has of values in that segment.

        In the order of their places (FORMAT.md 5.2).
        """
        if self._octaves is None:
            self._octaves = {}
            for number in sorted(self.cells):
                above, base = divmod(number, layout.OCTAVE_STEP)
                for one, spot in self.cells[number].items() if above else ():
                    self._octaves.setdefault((base, one), []).append((above - 1, *spot))
        return self._octaves.get((segment, lane), [])

    def alone(self) -> dict[int, tuple[int, int]]:
        """Segment → where its first cell is and how many it has, if one lane of a living thread has it."""
        if self._alone is None:
            self._alone = {
                segment: spot
                for segment, lanes in self.cells.items()
                if len(lanes) == 1
                for lane, spot in lanes.items()
                if self.lanes.get(lane, 1)
            }
        return self._alone

    def keep_places_of(self, other: Decoded) -> None:
        """Take over what was worked out of one that has the same cells and lanes."""
        self._alone = other.alone()
        self._octaves = other._octaves
        self.places = other.places

    def complain(self, error: FormatError) -> None:
        """Note what is wrong, the first few times."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"damaged: {error}")
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append("damaged: and more of the kind")

    def note(self, reason: str) -> None:
        """A problem that is said once for the file, the first few of them."""
        if reason not in self.problems and len(self.problems) <= MAX_PROBLEMS + MAX_NOTES:
            full = len(self.problems) == MAX_PROBLEMS + MAX_NOTES
            self.problems.append("and more of the kind" if full else reason)
