"""What this process has measured itself: the distributions of its own lanes, read as a reader would."""

from __future__ import annotations

from mmstats import kinds
from mmstats.format import layout
from mmstats.format.compound import DISTRIBUTED
from mmstats.format.spread import spread_of
from mmstats.format.words import TOTALS, as_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from mmstats.distribution import Distributed
    from mmstats.publish.region import Region
    from mmstats.publish.schema import Metric, Schema

    Values = tuple[str, ...]
    Words = memoryview

HISTOGRAM = "histogram"  # the rule by which the parts merge, of timers too


def parts_in(region: Region, metric: Metric, values: Values | None = None) -> Any:
    """Count, sum, min, max and distribution of a metric, or one member, in one region; None: of nothing."""
    if values is None:
        return _merged(metric, _lanes(region, metric.placed), metric.index, 0)
    slot = region.slots.get(metric, values)
    if slot is None:
        return None
    lanes = ((words, octaves) for words, octaves in _lanes(region, slot.schema) if slot.is_in(words))
    return _merged(metric, lanes, slot.value.start, slot.place)


def merged(parts: list[Any]) -> Any:
    """All of them together."""
    return kinds.merge(HISTOGRAM, parts)


def _lanes(region: Region, schema: Schema) -> Iterator[tuple[Words, dict[int, Words]]]:
    """The words of a schema in each lane, and those of its octaves; and what was carried."""
    region.lanes.catch_up()
    octaves = schema.octaves
    for lane in region.lanes:
        if schema in lane.cells:
            yield (
                lane.cells[schema],
                {k: lane.cells[each] for k, each in octaves.items() if each in lane.cells},
            )
    carried = {k: words for k, each in octaves.items() for words in region.carried(each)}
    for words in region.carried(schema):
        yield words, carried


def _merged(metric: Metric, lanes: Iterator[tuple[Words, dict[int, Words]]], index: int, place: int) -> Any:
    found = []
    for words, octaves in lanes:
        own = words[index : index + metric.cells]
        found.append(_parts(metric, own, {k: row[_of(metric, place)] for k, row in octaves.items()}))
    return merged(found)


def _of(metric: Metric, place: int) -> slice:
    room = 1 << metric.measured.scale
    return slice(place * room, (place + 1) * room)


def _parts(metric: Metric, words: Sequence[int], octaves: Mapping[int, Sequence[int]]) -> Any:
    n = words[layout.HISTOGRAM_WITNESS]  # a timer has it in the same place
    if not n:
        return None
    at = DISTRIBUTED[layout.KINDS[metric.kind]]
    begin = at - TOTALS * (2 - (n & 1))
    totals = [as_number(layout.CELL_TYPE_F64, word) for word in words[begin : begin + TOTALS]]
    begun = words[at : at + layout.DISTRIBUTION_ZERO]
    return (n, *totals, spread_of(metric.measured, words[at : at + metric.measured.cells], octaves, begun, n))


class Measured:
    """What a handle with a distribution tells of the whole process: all threads that ever were.

    `_measure` gives the parts; a slot of the handle, as others are: one with a dict is found more slowly.
    """

    __slots__ = ()

    _measure: Callable[[], Any]

    def _told(self) -> Distributed:
        from mmstats.distribution import DistributionValue  # who only observes does not pay for it

        return DistributionValue(*(self._measure() or ()))

    @property
    def count(self) -> int:
        """How many values the process has observed."""
        return self._told().count

    @property
    def sum(self) -> float:
        """Of all of them, as they were given."""
        return self._told().sum

    @property
    def min(self) -> float:
        """The least; 0.0 of nothing."""
        return self._told().min

    @property
    def max(self) -> float:
        """The greatest; 0.0 of nothing."""
        return self._told().max

    def percentile(self, q: float) -> float:
        """What the share `q` of all values, from 0 to 1, does not exceed; see `DistributionValue`."""
        return self._told().percentile(q)
