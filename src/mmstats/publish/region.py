"""A region: one file, mapped for writing, as long as this process lives and no longer.

It knows its bytes: header, metrics, lanes and cells. What the models want, and what a fork does to
it, is `publication`'s and `process`'s.
"""

from __future__ import annotations

import os
import time
from _thread import get_native_id
from itertools import count

from mmstats.cells import Segment
from mmstats.format import encode, layout
from mmstats.format.words import as_number
from mmstats.publish import identity, report
from mmstats.publish.backing import File
from mmstats.publish.declared import Declared
from mmstats.publish.dropped import dropped
from mmstats.publish.lanes import Lanes
from mmstats.publish.members import Members
from mmstats.publish.slots import Slots
from mmstats.publish.storage import Storage
from mmstats.publish.turnover import wrapped_sum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mmstats.publish.backing import Private
    from mmstats.publish.lane import Lane
    from mmstats.publish.schema import Metric, Schema
    from mmstats.publish.slots import Values

WRITER_FLAGS = layout.WRITER_FLAG_ATOMIC | layout.WRITER_FLAG_LANES
STATE_WORD = layout.HEADER_STATE  # state and writer_flags are one 8-byte word


class Region:
    """One file in the making or alive, or private memory that stands in for it."""

    def __init__(
        self, backing: File | Private, group: str, metrics: Sequence[Metric], *, persistent: bool = False
    ) -> None:
        self._compat_flags = layout.COMPAT_FLAG_PERSISTENT if persistent else 0
        # Private memory needs none, and PyPy opens a file for it.
        self.uuid = os.urandom(16) if isinstance(backing, File) else bytes(16)
        self._group = group
        needed = sum(len(metric.block()) for metric in metrics)
        self._storage = Storage(backing, layout.HEADER_SIZE + needed)
        self.lanes = Lanes(self._storage)
        self._layouts = count(1)
        self.declared = Declared(self._storage)
        self.slots = Slots(self._storage)
        self.members = Members(self)
        self._lane_segment = Segment(_no_opener)
        self._carried: list[tuple[Schema, int]] = []  # totals of before, and the offsets of their cells
        self._folded: list[int] = []  # the offsets of the blocks that name whose they were
        self.faults: list[str] = []  # what was said of it, and is not over
        self._before = self.uuid, self._compat_flags, 0, 0
        self.write_header()
        self.declare(metrics)

    @property
    def backing(self) -> File | Private:
        """What its memory comes from."""
        return self._storage.backing  # type: ignore[return-value]

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
        fields = identity.header_fields(self._group)
        flags = WRITER_FLAGS | (layout.WRITER_FLAG_FENCES if identity.stores_are_ordered() else 0)
        header = encode.header(
            uuid=self.uuid,
            ino=getattr(self._storage.newest, "ino", 0),
            state=layout.STATE_LIVE,
            writer_flags=flags,
            compat_flags=self._compat_flags,
            **fields,
        )
        self._storage.header()[:] = header
        self._flags = flags

    def declare(self, metrics: Sequence[Metric]) -> None:
        """Publish the blocks of these metrics. OSError: no space."""
        for metric in metrics:
            self.declared.add(metric, self.lanes)
        self.changed()

    def withdraw(self, metric: Metric, *, for_good: bool, discard: bool) -> None:
        """Let readers leave the metric out from now on, or take it as what a process left; see `declared`."""
        self.declared.withdraw(metric, for_good=for_good, discard=discard)
        self.slots.leave(metric)
        self.changed()

    def cells(self, schema: Schema) -> tuple[memoryview, Sequence[int | float] | None]:
        """The calling thread's cells of a schema, and the base of its own values.

        Where there is no space they are in private memory: the thread counts on, unseen.
        """
        lane = self.lane_with(schema)
        return lane.hold(schema).cast("B"), lane.bases.get(schema)

    def lane_with(self, schema: Schema) -> Lane:
        """The lane in which the calling thread has cells of a schema, from now on at the latest."""
        lane = self.lanes.process if schema.of_process else self._lane()
        if schema not in lane.cells:
            if lane.begin(schema):
                self.changed()
            else:
                what = (
                    f"{self.path}: no space for a thread's cells, it counts in private memory until there is"
                )
                self.miss(what, layout.DROP_REASON_SPACE)
        if not schema.of_process:
            self._hold(lane)
        return lane

    def _lane(self) -> Lane:
        thread = get_native_id()
        return self.lanes.of(thread) or self.lanes.take(thread)

    def _hold(self, lane: Lane) -> None:
        """Let the calling thread give its lane back when it ends."""
        state = lane.hold_state()
        if state is not None:
            self._lane_segment.attach(state.cast("B"), release=True)
            self.changed()

    def total(self, schema: Schema, index: int, cell_type: int) -> int | float:
        """The sum of one cell over all threads that ever were; u64 modulo 2**64."""
        lanes = [*self.lanes.cells_of(schema), *self.carried(schema)]
        return wrapped_sum(cell_type, (as_number(cell_type, cells[index]) for cells in lanes))

    def carried(self, schema: Schema) -> list[memoryview]:
        """The words of totals of before."""
        places = [at for other, at in self._carried if other is schema]
        return [self._storage.bytes(at, 8 * schema.cells).cast("Q") for at in places]

    def counters(self) -> Iterator[tuple[Schema, int, int]]:
        """Schema, cell and cell type of each number with a `.total` that was used here."""
        for schema in {schema: None for lane in self.lanes for schema in lane.cells}:
            for metric in schema.metrics:
                if metric.kind in (layout.KIND_COUNTER, layout.KIND_UPDOWN):
                    yield schema, metric.index, metric.cell_type

    def distributed(self) -> Iterator[tuple[Metric, Values | None]]:
        """Each metric, and each member, with a distribution that was used here."""
        for schema in {schema: None for lane in self.lanes for schema in lane.cells}:
            for metric in schema.metrics:
                if metric.spread is not None:
                    yield metric, None
        for metric, values in self.slots:
            if metric.spread is not None:
                yield metric, values

    def carry(self, words_of: Mapping[Schema, Sequence[int]]) -> None:
        """Publish totals of before, in the process's lane. OSError: no space."""
        for schema, words in words_of.items():
            offset = self._storage.put(encode.cells(0, schema.number, words), layout.LANE_ALIGN)
            self._carried.append((schema, offset + layout.CELLS_SIZE))
        self.changed()

    def name_folded(self, uuids: Sequence[bytes]) -> None:
        """Say that the totals of these files are in this one."""
        now = time.time_ns()
        self._folded.append(self._storage.put(encode.folded([(uuid, now, 0) for uuid in uuids])))
        self.changed()

    def flush(self, *, wait: bool) -> None:
        """Bring the file to its disk. OSError: it did not come there."""
        sync = getattr(self.backing, "sync", None)
        if sync is not None:
            sync(wait=wait)

    def show_dropped(self, counts: Sequence[int]) -> None:
        """Let readers see what was dropped."""
        for reason, number in enumerate(counts):
            self._storage.set_word(layout.HEADER_DROPPED + 8 * reason, number)

    # --- from private memory, or a file that was deleted, into a file -----------------------------

    @property
    def is_lost(self) -> bool:
        """Whether the file was deleted."""
        return self.path is not None and getattr(self.backing, "is_lost", False)

    @property
    def is_seen(self) -> bool:
        """Whether readers can find the file."""
        return self.path is not None and not self.is_lost

    @property
    def is_ill(self) -> bool:
        """Whether something of it is not published, by a fault of the machine."""
        return bool(self.faults) or self.is_lost

    def is_whole(self, metrics: Iterable[Metric]) -> bool:
        """Whether these metrics have their blocks in it, and all that threads count its cells."""
        is_placed = self.lanes.are_placed and not any(self.slots.unplaced())
        return is_placed and not self.declared.lacks(metrics)

    def copy_to(self, file: File, *, persistent: bool) -> None:
        """Let the file hold what this region has, under another uuid. OSError: nothing has changed."""
        self._before = self.uuid, self._compat_flags, len(self._carried), len(self._folded)
        uuid = os.urandom(16)
        self._storage.copy_to(file)
        self._compat_flags = layout.COMPAT_FLAG_PERSISTENT if persistent else 0
        self.uuid = uuid
        self.write_header()
        self.show_dropped(dropped.counts)
        self.changed()

    def stay(self) -> None:
        """The file could not be published: go on as before."""
        self.uuid, self._compat_flags, carried, folded = self._before
        self._storage.stay()
        for offset in [
            *(at - layout.CELLS_SIZE for _, at in self._carried[carried:]),
            *self._folded[folded:],
        ]:
            self._storage.waste(offset)
        del self._carried[carried:], self._folded[folded:]

    def move(self) -> None:
        """Go on in the file. Everybody's segments were closed before it was copied to."""
        left = self._storage.move()
        self.lanes.moved()
        self.lanes.catch_up()
        close = getattr(left, "close", None)
        if close is not None:
            close()

    def place(self, metrics: Sequence[Metric]) -> None:
        """Publish what there was no space for. OSError: there still is none."""
        self.declare(self.declared.lacks(metrics))
        self.slots.place()
        self.lanes.place()
        self.changed()

    def miss(self, what: str, reason: int) -> None:
        """Count what cannot be published, and say so once."""
        dropped.add(reason)
        if what not in self.faults:
            self.faults.append(what)
            report.note(what)

    def recovered(self, before: str | None) -> None:
        """All of it is published again; say so, if anything was said. Before, it was that file."""
        if self.faults:
            report.end(self.faults, f"publishing again as {self.path}")
            self.faults = []
        elif before not in (None, self.path):
            report.note(f"{before} was deleted: publishing again as {self.path}")

    def finish(self) -> None:
        """Say that the writer ended in order; what it counted stays readable."""
        self._storage.set_word(STATE_WORD, layout.STATE_CLOSED | self._flags << 32)

    def close(self) -> None:
        """Let go of the memory; nothing is stored any more, nothing is removed."""
        self._lane_segment.close()
        close = getattr(self.backing, "close", None)
        if close is not None:
            close()

    def changed(self) -> None:
        """Let readers know that what they parsed is not all any more."""
        # Taken after the change was published: whoever reads this number finds it (FORMAT.md 3).
        self._storage.set_word(layout.HEADER_LAYOUT_GEN, next(self._layouts))


def _no_opener(_segment: object) -> None:
    raise AssertionError("a lane's state is stored by nobody but the twin")
