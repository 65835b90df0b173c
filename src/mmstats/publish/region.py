"""A region: one file, mapped for writing, as long as this process lives and no longer.

It knows its bytes: header, metrics, lanes and cells. What the models want, and what a fork does to
it, is `publication`'s and `process`'s.
"""

from __future__ import annotations

import os
from _thread import get_native_id
from itertools import count

from mmstats.cells import Segment
from mmstats.format import encode, layout
from mmstats.publish import identity, report
from mmstats.publish.dropped import dropped
from mmstats.publish.lanes import Lanes
from mmstats.publish.schema import as_number
from mmstats.publish.storage import Storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmstats.publish.backing import File, Private
    from mmstats.publish.lanes import Lane
    from mmstats.publish.schema import Metric, Schema

WRITER_FLAGS = layout.WRITER_FLAG_ATOMIC | layout.WRITER_FLAG_LANES
STATE_WORD = layout.HEADER_STATE  # state and writer_flags are one 8-byte word


class Region:
    """One file in the making or alive, or private memory that stands in for it."""

    def __init__(self, backing: File | Private, group: str, metrics: Sequence[Metric]) -> None:
        self.backing = backing
        self.uuid = os.urandom(16)
        self._group = group
        needed = sum(len(metric.block()) for metric in metrics)
        self._storage = Storage(backing, layout.HEADER_SIZE + needed)
        self.lanes = Lanes(self._storage)
        self._layouts = count(1)
        self._published: dict[Metric, list[int]] = {}  # the offset of each one's block
        self._lane_segment = Segment(_no_opener)
        self._private_cells: list[tuple[int, memoryview]] = []
        self.write_header()
        self.declare(metrics)

    @property
    def file_id(self) -> str:
        """What {ID} stands for: 8 hex digits."""
        return self.uuid.hex()[:8]

    @property
    def path(self) -> str | None:
        """The file's name; None where readers cannot see it."""
        return getattr(self.backing, "path", None)

    @property
    def size(self) -> int:
        return self._storage.size

    def renew_uuid(self) -> None:
        """Another uuid, before the file has a name."""
        self.uuid = os.urandom(16)
        self.write_header()

    def write_header(self) -> None:
        """Say who writes here; the file is live as soon as it has a name."""
        ino = getattr(self.backing, "ino", 0)
        fields = identity.header_fields(self._group)
        flags = WRITER_FLAGS | (layout.WRITER_FLAG_FENCES if identity.stores_are_ordered() else 0)
        header = encode.header(uuid=self.uuid, ino=ino, state=layout.STATE_LIVE, writer_flags=flags, **fields)
        self._storage.bytes(0, layout.HEADER_SIZE)[:] = header
        self._flags = flags

    def declare(self, metrics: Sequence[Metric]) -> None:
        """Publish the blocks of these metrics. OSError: no space."""
        for metric in metrics:
            place: list[int] = []
            if self._published.setdefault(metric, place) is place:  # else somebody is at it already
                place.append(self._storage.put(metric.block()))
        self._changed()

    def withdraw(self, metric: Metric) -> None:
        """Let readers leave the metric out from now on."""
        for offset in self._published.pop(metric, []):
            at = offset + layout.METRIC_CELLS  # cells and state are one 8-byte word
            cells = self._storage.word(at) & 0xFFFFFFFF
            self._storage.set_word(at, cells | layout.METRIC_STATE_WITHDRAWN << 32)
        self._changed()

    def cells(
        self, schema: Schema, schemas: Mapping[int, Schema]
    ) -> tuple[memoryview, Sequence[int | float] | None]:
        """The calling thread's cells of a schema, and the base of its own values.

        Where there is no space they are in private memory: the thread counts on, unseen.
        """
        try:
            lane = self._lane(schemas)
            words = lane.cells.get(schema.number)
            if words is None:
                words = self._new_cells(lane, schema)
        except OSError as error:
            return self._private(schema, error), None
        return words.cast("B"), lane.bases.get(schema.number)

    def _lane(self, schemas: Mapping[int, Schema]) -> Lane:
        thread = get_native_id()
        lane = self.lanes.of(thread)
        if lane is None:
            lane = self.lanes.take(thread, schemas)
            self._lane_segment.attach(self.lanes.state_memory(lane), release=True)
            self._changed()
        return lane

    def _new_cells(self, lane: Lane, schema: Schema) -> memoryview:
        block = encode.cells(lane.number, schema.number, schema.first_words)
        offset = self._storage.put(block, layout.LANE_ALIGN)
        memory = self._storage.bytes(offset + layout.CELLS_SIZE, 8 * len(schema.metrics))
        lane.cells[schema.number] = words = memory.cast("Q")
        self._changed()
        return words

    def _private(self, schema: Schema, error: OSError) -> memoryview:
        dropped.add(layout.DROP_REASON_SPACE)
        report.note(f"{self.path}: no space for a thread's cells, it counts in private memory: {error}")
        memory = memoryview(bytearray(8 * len(schema.metrics)))
        words = memory.cast("Q")
        for index, word in enumerate(schema.first_words):
            words[index] = word
        self._private_cells.append((schema.number, words))
        return memory

    def total(self, schema: Schema, index: int, cell_type: int) -> int | float:
        """The sum of one cell over all threads that ever were; u64 modulo 2**64."""
        published = [lane.cells[schema.number] for lane in self.lanes if schema.number in lane.cells]
        private = [words for number, words in self._private_cells if number == schema.number]
        total = sum(as_number(cell_type, words[index]) for words in published + private)
        return int(total) & 0xFFFFFFFFFFFFFFFF if cell_type == layout.CELL_TYPE_U64 else total

    def show_dropped(self, counts: Sequence[int]) -> None:
        """Let readers see what was dropped."""
        for reason, number in enumerate(counts):
            self._storage.set_word(layout.HEADER_DROPPED + 8 * reason, number)

    def finish(self) -> None:
        """Say that the writer ended in order; what it counted stays readable."""
        self._storage.set_word(STATE_WORD, layout.STATE_CLOSED | self._flags << 32)

    def close(self) -> None:
        """Let go of the memory; nothing is stored any more, nothing is removed."""
        self._lane_segment.close()
        close = getattr(self.backing, "close", None)
        if close is not None:
            close()

    def _changed(self) -> None:
        # Taken after the change was published: whoever reads this number finds it (FORMAT.md 3).
        self._storage.set_word(layout.HEADER_LAYOUT_GEN, next(self._layouts))


def _no_opener(_segment: object) -> None:
    raise AssertionError("a lane's state is stored by nobody but the twin")
