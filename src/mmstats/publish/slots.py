"""Where the members of families stand in one file: their MEMBER blocks and their cells (FORMAT.md 4.4).

A slot is taken, forgotten and taken again, each time under a generation that it never had. The thread
that comes first to its cells in a lane resets them, and writes the generation in front: what another thread
stores late, into the cells of its own lane, then counts for nobody.

A signal handler may take a slot in the middle of any method here, and so gets another one; what forgets
is put off until the slow path is through (see `families`).
"""

from __future__ import annotations

from itertools import count

from mmstats.cells.storing import is_storing
from mmstats.format import encode, layout
from mmstats.publish.schema import OctaveSchema, Schema
from mmstats.publish.turnover import hand_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mmstats.publish.schema import Metric
    from mmstats.publish.storage import Storage

    Values = tuple[str, ...]

FEW = 8  # members whose cells stand side by side in a family's first segment; then twice as many, and so on
MOST = 64
ENOUGH = 512  # cells: of large values there are fewer


class SlotSchema(Schema):
    """The cells of several slots of one family, side by side in one segment."""

    def __init__(self, metric: Metric, members: int = FEW) -> None:
        super().__init__(next(metric.segments), ())
        self.metric = metric
        self.step = 1 + metric.cells
        self.cells = self.step * max(1, min(members, MOST, ENOUGH // self.step))
        self.places = iter(range(0, self.cells, self.step))

    @property
    def of_process(self) -> bool:
        """Whether all threads share its cells."""
        return self.metric.of_process

    def _new_octave(self, k: int) -> OctaveSchema:
        return OctaveSchema(self, k, 1 << self.metric.measured.scale, self.cells // self.step)

    @property
    def first_words(self) -> list[int]:
        return [0] * self.cells

    def hand_over(self, words: memoryview) -> list[int | float] | None:
        """Make an adopted lane ready: what its new owner's values begin at, None where that is zero."""
        base: list[int | float] = []
        for at in range(0, self.cells, self.step):
            own = words[at + 1 : at + self.step]
            base += [0, *(hand_over(self.metric, own) if words[at] else [0] * self.metric.cells)]
        return base if any(base) else None

    def bring(self, source: memoryview, target: memoryview) -> None:
        """Make `target` what `source` is, as its thread would have: the witnesses last."""
        witnesses = set(range(1, self.cells, self.step)) if self.metric.cells > 1 else set()
        for index in [*(set(range(self.cells)) - witnesses), *witnesses]:
            if target[index] != source[index]:
                target[index] = source[index]


class Slot:
    """One slot. `offset`: of its block, None while there is no space for it; `room`: bytes for the values."""

    __slots__ = ("_generations", "generation", "index", "offset", "room", "schema")

    def __init__(self, schema: SlotSchema, index: int, room: int) -> None:
        self.schema = schema
        self.index = index
        self.room = room
        self.offset: int | None = None
        self._generations = count(1)
        self.generation = 0

    def renew(self) -> None:
        """Another generation."""
        self.generation = next(self._generations)

    def is_in(self, words: memoryview) -> bool:
        """Whether a lane counts for it."""
        return bool(words[self.index] == self.generation)

    @property
    def place(self) -> int:
        """The how manieth it is in its schema, from 0 on."""
        return self.index // self.schema.step

    def begin(self, words: memoryview, octaves: Iterable[tuple[OctaveSchema, memoryview]]) -> None:
        """Let a lane count for it, from the initial value on; `octaves`: those that the lane has."""
        words[self.index] = 0
        for schema, row in octaves:
            own = schema.of_value(self.place)
            for at in range(own.start, own.stop):
                row[at] = 0
        for at in range(self.index + 1, self.index + self.schema.step):
            words[at] = self.schema.metric.first_word
        words[self.index] = self.generation

    @property
    def value(self) -> slice:
        """Where the cells of its value are in a segment."""
        return slice(self.index + 1, self.index + self.schema.step)


class Slots:
    """The slots of one file."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._taken: dict[tuple[Metric, Values], Slot] = {}
        self._free: dict[tuple[Metric, int], list[Slot]] = {}  # somebody may still store into their cells
        self._rested: dict[tuple[Metric, int], list[Slot]] = {}  # nobody does
        self._schemas: dict[Metric, SlotSchema] = {}

    def get(self, metric: Metric, values: Values) -> Slot | None:
        """The slot that the member has here, if any."""
        return self._taken.get((metric, values))

    def __iter__(self) -> Iterator[tuple[Metric, Values]]:
        return iter(list(self._taken))

    def take(self, metric: Metric, values: Values) -> tuple[Slot, bool]:
        """A slot for the member, and whether it is to be published now."""
        slot = self._find(metric, len(encode.tag_values(values)))
        slot.renew()
        taken = self._taken.setdefault((metric, values), slot)
        if taken is not slot:  # by a signal handler, just now
            self._give_back(slot)
        return taken, taken is slot

    def publish(self, metric: Metric, values: Values, slot: Slot) -> None:
        """Let readers see whose it is. OSError: no space."""
        if slot.offset is None:
            block = encode.member(
                slot.generation,
                values,
                metric=metric.number,
                segment=slot.schema.number,
                index=slot.index,
                ttl=metric.ttl,
            )
            slot.offset = self._storage.put(block)
            return
        raw, at = encode.tag_values(values), slot.offset
        self._storage.set_word(at + layout.MEMBER_GENERATION, 0)
        for begin in range(0, len(raw), 8):
            word = int.from_bytes(raw[begin : begin + 8], "little")
            self._storage.set_word(at + layout.MEMBER_SIZE + begin, word)
        self._storage.set_word(at + layout.MEMBER_INDEX, slot.index | len(raw) << 32)
        self._storage.set_word(at + layout.MEMBER_GENERATION, slot.generation)

    def forget(self, metric: Metric, values: Values) -> None:
        """Free the slot of the member, if it has one here."""
        slot = self._taken.pop((metric, values), None)
        if slot is not None:
            if slot.offset is not None:
                self._storage.set_word(slot.offset + layout.MEMBER_GENERATION, 0)
            self._give_back(slot)

    def leave(self, metric: Metric) -> None:
        """The family is withdrawn: its slots stay what they are."""
        for key in [key for key in self._taken if key[0] is metric]:
            self._taken.pop(key, None)
        for free in (self._free, self._rested):
            for room in [key for key in free if key[0] is metric]:
                free.pop(room, None)
        self._schemas.pop(metric, None)

    def place(self) -> None:
        """Publish those for which there was no space. OSError: there still is none."""
        for metric, values, slot in self.unplaced():
            self.publish(metric, values, slot)

    def unplaced(self) -> Iterator[tuple[Metric, Values, Slot]]:
        """Those for whose blocks there was no space."""
        for (metric, values), slot in list(self._taken.items()):
            if slot.offset is None:
                yield metric, values, slot

    def _find(self, metric: Metric, size: int) -> Slot:
        """One that nobody has: an old one in which so many bytes fit just so, or a new one."""
        room = max(layout.BLOCK_ALIGN, encode.round_up(size, layout.BLOCK_ALIGN))
        if not is_storing(anybody=metric.of_process):
            self._rest(metric, room)
        try:
            return self._rested[metric, room].pop()
        except (KeyError, IndexError):
            pass
        while True:
            schema = self._schemas.get(metric)
            index = None if schema is None else next(schema.places, None)
            if schema is not None and index is not None:
                return Slot(schema, index, room)
            before = 0 if schema is None else schema.cells // schema.step
            self._schemas[metric] = SlotSchema(metric, max(FEW, 2 * before))

    def _rest(self, metric: Metric, room: int) -> None:
        """Nobody is in the middle of a store: what was given back before may be taken from here on."""
        given_back = self._free.get((metric, room), [])
        rested = self._rested.setdefault((metric, room), [])
        while given_back:
            try:
                rested.append(given_back.pop())
            except IndexError:  # a signal handler was faster
                return

    def _give_back(self, slot: Slot) -> None:
        self._free.setdefault((slot.schema.metric, slot.room), []).append(slot)


def zeros_at(base: Sequence[int | float] | None, where: slice) -> list[int | float] | None:
    """The base without what a former owner of the lane had in these cells."""
    if base is None:
        return None
    changed = list(base)
    changed[where] = [0] * (where.stop - where.start)
    return changed
