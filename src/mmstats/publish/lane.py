"""One lane: where its state and its cells stand, in the file or in private memory.

Both may change under a thread that is in the middle of an update: the region moves into another file,
or there is space at last for what stood in private memory. The thread's segments are closed first, so
it comes here before its next update; but the one that it is at may still end in the memory of before.
So a lane remembers what its thread *holds*, and brings that over, the end of the thread too. Whoever has
the slow path's lock may do so: the thread stores nothing into the new memory before it was here itself.
"""

from __future__ import annotations

from mmstats.format import encode, layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.publish.schema import Schema
    from mmstats.publish.storage import Storage


class Lane:
    """A lane of `thread`, in private memory until it is placed."""

    __slots__ = (
        *("_held", "_held_state", "_places", "_storage", "bases", "cells", "memory", "number", "owners"),
        "state",
    )

    def __init__(self, number: int, thread: int, storage: Storage) -> None:
        self.number = number
        self.owners = 1  # so far
        self.state = private_words([encode.lane_state(thread, 1)])
        self.cells: dict[Schema, memoryview] = {}
        self.memory: dict[Schema, memoryview] = {}  # the bytes of them: PyPy has no use for a part of words
        self.bases: dict[Schema, Sequence[int | float] | None] = {}
        self._storage = storage
        self._places: dict[Schema | None, int] = {}  # where in the file they are; None: the state
        self._held: dict[Schema, memoryview] = {}
        self._held_state: memoryview | None = None  # where its thread gives it back

    def owner(self) -> int:
        """The id of the thread that has the lane by now; 0: nobody."""
        if self._was_given_back:
            self.free()
        return int(self.state[0] & 0xFFFFFFFF)

    @property
    def _was_given_back(self) -> bool:
        """Whether its thread ended, and said so where the state stood before."""
        held = self._held_state
        return held is not None and held is not self.state and not held[0]

    @property
    def is_placed(self) -> bool:
        """Whether all of it stands in the file."""
        return len(self._places) == len(self.cells) + 1

    def adopt(self, thread: int) -> None:
        """Give the lane to `thread`: totals stay, what goes with a thread is reset, then it is owned."""
        self._held.clear()
        self._held_state = None
        for schema, words in self.cells.items():
            self.bases[schema] = schema.hand_over(words)
        self.owners += 1
        self.state[0] = encode.lane_state(thread, self.owners)

    def free(self) -> None:
        """Nobody has it any more; what its thread stored last is kept."""
        self._bring_all()
        self._held.clear()
        self._held_state = None
        self.state[0] = 0

    def hold_state(self) -> memoryview | None:
        """Where the calling thread is to give it back from now on; None: where it was before."""
        if self._held_state is self.state:
            return None
        self._held_state = self.state
        return self.state

    def hold(self, schema: Schema) -> memoryview:
        """The calling thread's cells, which it will store into from now on."""
        self._bring(schema)
        self._held[schema] = words = self.cells[schema]
        return words

    def catch_up(self) -> None:
        """Bring over what the thread stored where its cells were before, and that it ended."""
        if self._was_given_back:
            self.free()
        else:
            self._bring_all()

    def _bring_all(self) -> None:
        for schema in list(self._held):
            self._bring(schema)

    def _bring(self, schema: Schema) -> None:
        held, words = self._held.get(schema), self.cells[schema]
        if held is not None and held is not words:
            schema.bring(held, words)

    # --- in the file ---------------------------------------------------------------------------

    def begin(self, schema: Schema) -> bool:
        """Take cells of that schema; whether the file has space for them, else they are private."""
        self.cells[schema] = words = private_words(schema.first_words)
        self.memory[schema] = memoryview(words.obj)
        self.bases[schema] = None
        try:
            self._place_state()
            self._place_cells(schema)
        except OSError:
            return False
        return True

    def place(self) -> None:
        """Put all into the file that is not there. OSError: no space for it.

        Its thread's segments are closed by now: it has to hear of it.
        """
        self._place_state()
        for schema in self.cells.keys() - self._places.keys():
            self._place_cells(schema)

    def _place_state(self) -> None:
        if None not in self._places:
            block = encode.lane(self.number, int(self.state[0]))
            self._places[None] = self._storage.put(block) + layout.LANE_STATE
            self._find(None)

    def _place_cells(self, schema: Schema) -> None:
        block = encode.cells(self.number, schema.number, self.cells[schema].tolist())
        self._places[schema] = self._storage.put(block, layout.LANE_ALIGN) + layout.CELLS_SIZE
        self._find(schema)

    def moved(self) -> None:
        """The storage has other memory now, with the same bytes."""
        for what in list(self._places):
            self._find(what)

    def _find(self, what: Schema | None) -> None:
        at, count = self._places[what], 1 if what is None else what.cells
        memory = self._storage.bytes(at, 8 * count)
        if what is None:
            self.state = memory.cast("Q")
        else:
            self.cells[what], self.memory[what] = memory.cast("Q"), memory


class ProcessLane(Lane):
    """Lane 0: what is one for the whole process. It has no state, and its cells are stored by all threads.

    A store that a thread was in the middle of, while the cells changed their place, is brought over unless
    another one came after it.
    """

    __slots__ = ("_before",)

    def __init__(self, storage: Storage) -> None:
        super().__init__(0, 0, storage)
        self._before: dict[Schema, tuple[memoryview, list[int]]] = {}  # where they were, what was copied

    @property
    def is_placed(self) -> bool:
        """Whether all of it stands in the file."""
        return len(self._places) == len(self.cells)

    def hold(self, schema: Schema) -> memoryview:
        """The cells, which all threads will store into from now on."""
        self._bring(schema)
        return self.cells[schema]

    def catch_up(self) -> None:
        """Bring over what threads stored where the cells were before."""
        for schema in self._before:
            self._bring(schema)

    def _bring(self, schema: Schema) -> None:
        before, copied = self._before.get(schema, (None, []))
        words = self.cells[schema]
        for index, word in enumerate(copied):
            if before is not None and before[index] != word == words[index]:
                words[index] = copied[index] = before[index]

    def _place_state(self) -> None:
        """There is none."""

    def _find(self, what: Schema | None) -> None:
        if what is not None:
            before = self.cells[what]
            super()._find(what)
            self._before[what] = before, self.cells[what].tolist()


def private_words(first: Sequence[int]) -> memoryview:
    """Words that no reader sees."""
    words = memoryview(bytearray(8 * len(first))).cast("Q")
    for index, word in enumerate(first):
        words[index] = word
    return words
