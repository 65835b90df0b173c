"""The members of families in one file: their cells for the calling thread, and what they come to."""

from __future__ import annotations

from mmstats.format import layout
from mmstats.format.words import as_number
from mmstats.publish.slots import zeros_at
from mmstats.publish.turnover import wrapped_sum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mmstats.publish.region import Region
    from mmstats.publish.schema import Metric, Schema
    from mmstats.publish.slots import Slot, Values


class Members:
    """Of one region, which has their slots and the lanes of threads."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._slots = region.slots

    def cells(self, metric: Metric, values: Values) -> tuple[memoryview, Sequence[int | float] | None]:
        """Like `Region.cells`, of a member: they count for it from now on, and for nobody else."""
        slot = self.show(metric, values)
        lane = self._region.lane_with(slot.schema)
        words = lane.hold(slot.schema)
        if not slot.is_in(words):
            octaves = slot.schema.octaves.values()
            slot.begin(words, [(each, lane.hold(each)) for each in octaves if each in lane.cells])
            lane.bases[slot.schema] = zeros_at(lane.bases.get(slot.schema), slot.value)
        base = lane.bases.get(slot.schema)
        memory = lane.memory[slot.schema][8 * slot.value.start : 8 * slot.value.stop]
        return memory, None if base is None else base[slot.value]

    def octave(self, metric: Metric, values: Values, k: int) -> memoryview:
        """The calling thread's cells of an octave of the member, which count for it from now on."""
        self.cells(metric, values)
        slot = self.show(metric, values)
        schema = slot.schema.octave(k)
        lane = self._region.lane_with(schema)
        lane.hold(schema)
        own = schema.of_value(slot.place)
        return lane.memory[schema][8 * own.start : 8 * own.stop]

    def show(self, metric: Metric, values: Values) -> Slot:
        """The slot of a member, which readers see from now on."""
        slot = self._slots.get(metric, values)
        if slot is None:
            slot, is_new = self._slots.take(metric, values)
            if is_new:
                self._publish(metric, values, slot)
        return slot

    def _publish(self, metric: Metric, values: Values, slot: Slot) -> None:
        try:
            self._slots.publish(metric, values, slot)
            self._region.changed()
        except OSError as error:
            what = f"{self._region.path}: no space to publish members of {metric.label!r}: {error}"
            self._region.miss(what, layout.DROP_REASON_SPACE)

    def forget(self, metric: Metric, values: Values) -> None:
        """Let readers leave a member out from now on; its slot is for another."""
        self._slots.forget(metric, values)
        self._region.changed()

    def carry(
        self,
        metric: Metric,
        words_of: Mapping[Values, Sequence[int]],
        octaves_of: Mapping[Values, Mapping[int, Sequence[int]]],
    ) -> None:
        """Publish what members counted before, in the process's lane. OSError: no space."""
        from mmstats.publish import families  # which who has no families does not load

        cells: dict[Schema, list[int]] = {}
        for values, words in words_of.items():
            slot, is_new = self._slots.take(metric, values)
            if is_new:
                self._slots.publish(metric, values, slot)
            of_schema = cells.setdefault(slot.schema, slot.schema.first_words)
            of_schema[slot.index] = slot.generation
            of_schema[slot.value] = words
            for k, row in octaves_of.get(values, {}).items():
                octave = slot.schema.octave(k)
                cells.setdefault(octave, octave.first_words)[octave.of_value(slot.place)] = row
            metric.members.setdefault(values, families.Member(metric, values))
        self._region.carry(cells)

    def total(self, metric: Metric, values: Values) -> int | float:
        """The sum of a member over all threads that ever were."""
        slot = self._slots.get(metric, values)
        if slot is None:
            return 0
        lanes = [*self._region.lanes.cells_of(slot.schema), *self._region.carried(slot.schema)]
        numbers = [as_number(metric.cell_type, words[slot.index + 1]) for words in lanes if slot.is_in(words)]
        return wrapped_sum(metric.cell_type, numbers)

    def __iter__(self) -> Iterator[tuple[Metric, Values]]:
        """Each member with a `.total` that was used here."""
        for metric, values in self._slots:
            if metric.kind in (layout.KIND_COUNTER, layout.KIND_UPDOWN):
                yield metric, values
