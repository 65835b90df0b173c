"""The memory of one file while it is written: steps that are mapped, and the chain of blocks in them.

Taking space must be right under two kinds of company. Other threads wait for the process's lock, so
they never meet here. But a signal handler, a finalizer or a garbage collection may run at any
bytecode of this module, on the same thread, and take blocks of its own; it cannot wait for the code
that it interrupted. So space is claimed by the one operation that CPython does in a single step,
`dict.setdefault`: whoever finds a claim walks past it, and the chain of claims *is* the end of the
file. The block's length is stored before it is filled, with type 0, so that a reader finds what was
taken behind it even if the interrupted code never goes on (FORMAT.md section 4).

Another backing may take over: `copy_to` makes it hold the same bytes, and from then on every store
goes to both, those of a handler in the middle too, until `move` or `stay` decides for one of them.
"""

from __future__ import annotations

import sys

from mmstats.format import encode, layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Backing(Protocol):
        """Where steps come from: a file that grows, or private memory."""

        def map(self, offset: int, size: int) -> memoryview:
            """`size` writable bytes that are the file's from `offset` on. OSError: not to be had."""


class Step:
    """One mapped stretch of the file."""

    __slots__ = ("end", "memory", "offset", "words")

    def __init__(self, offset: int, memory: memoryview) -> None:
        self.offset = offset
        self.end = offset + len(memory)
        self.memory = memory
        self.words = memory.cast("Q")


class Storage:
    """Blocks in steps. Offsets are the file's; memory is handed out as slices of bytes."""

    def __init__(self, backing: Backing, first: int) -> None:
        self.backing = backing
        self._steps: dict[int, Step] = {}
        self._other: Backing | None = None  # which is to take over
        self._copies: dict[int, Step] = {}  # its steps
        self._taken: dict[int, list[int]] = {}
        self._end = layout.HEADER_SIZE
        self._map(0, max(layout.FIRST_STEP, encode.round_up(first, layout.FIRST_STEP)))

    @property
    def newest(self) -> Backing:
        """The backing that is to take over, if there is one, else the one in use."""
        return self.backing if self._other is None else self._other

    @property
    def size(self) -> int:
        """Bytes of the file: all steps."""
        return max(step.end for step in list(self._steps.values()))

    def put(self, block: bytes, align: int = layout.BLOCK_ALIGN) -> int:
        """The offset at which `block` is published now. OSError: no space for it."""
        offset = self.take(len(block), align)
        for step in self._steps_of(offset):
            start = offset - step.offset
            step.memory[start + 8 : start + len(block)] = block[8:]
        self.set_word(offset, int.from_bytes(block[:8], "little"))
        return offset

    def take(self, length: int, align: int) -> int:
        """The offset of `length` bytes that nobody else has, not to be seen by readers yet."""
        while True:
            offset = self._chain_end()
            step = self._steps_at(offset)
            if step is None:
                self._grow(offset, length)
            elif gap := _gap(offset, length, align, step.end):
                self._claim(offset, gap, layout.BLOCK_TYPE_PAD)
            elif self._claim(offset, length, layout.BLOCK_TYPE_BUILDING):
                return offset

    def bytes(self, offset: int, length: int) -> memoryview:
        """The memory at `offset`, within one step."""
        return _slice(self._step_of(offset), offset, length)

    def header(self) -> memoryview:
        """The header of the file, or of the one that is to take over."""
        first = self._copies.get(0) or self._steps[0]
        return _slice(first, 0, layout.HEADER_SIZE)

    def word(self, offset: int) -> int:
        """The 8-byte word at `offset`, unsigned."""
        step = self._step_of(offset)
        return step.words[(offset - step.offset) // 8]

    def set_word(self, offset: int, value: int) -> None:
        """One plain 8-byte store, into whatever holds the file's bytes."""
        for step in self._steps_of(offset):
            step.words[(offset - step.offset) // 8] = value

    def waste(self, offset: int) -> None:
        """Make padding of a block that no reader has seen."""
        self.set_word(offset, encode.word(layout.BLOCK_TYPE_PAD, self.word(offset) >> 32))

    def copy_to(self, other: Backing) -> None:
        """Let `other` hold the same bytes, and every store go to both. OSError: nothing has changed."""
        self._copies, self._other = {}, other
        try:
            while missing := self._steps.keys() - self._copies.keys():
                self._copy(self._steps[min(missing)])
        except BaseException:
            self.stay()
            raise

    def move(self) -> Backing:
        """Go on in the other one; what was left behind."""
        left, other, copies = self.backing, self._other, self._copies
        if other is None:
            raise AssertionError("nothing was copied")
        self._steps = copies
        self.backing = other
        self.stay()
        return left

    def stay(self) -> None:
        """Let the other one go."""
        self._other = None
        self._copies = {}

    def _chain_end(self) -> int:
        offset = self._end
        while (claim := self._taken.get(offset)) is not None:
            if self.word(offset) == 0:  # the claim of code that this one interrupted
                self.set_word(offset, encode.word(layout.BLOCK_TYPE_BUILDING, claim[0]))
            offset += claim[0]
        self._end = offset
        return offset

    def _claim(self, offset: int, length: int, block_type: int) -> bool:
        mine = [length]
        if self._taken.setdefault(offset, mine) is not mine:
            return False
        self.set_word(offset, encode.word(block_type, length))
        return True

    def _grow(self, offset: int, length: int) -> None:
        size = min(max(offset, layout.FIRST_STEP), layout.LAST_STEP)
        room = encode.round_up(length + layout.LANE_ALIGN, layout.FIRST_STEP)
        self._map(offset, max(size, room))

    def _map(self, offset: int, size: int) -> None:
        step = Step(offset, self.backing.map(offset, size))
        if self._other is not None:
            self._copies.setdefault(offset, Step(offset, self._other.map(offset, size)))
        self._steps.setdefault(offset, step)  # a signal handler may have been here first

    def _copy(self, step: Step) -> None:
        if self._other is not None:
            mapped = Step(step.offset, self._other.map(step.offset, len(step.memory)))
            copy = self._copies.setdefault(step.offset, mapped)
            copy.memory[:] = step.memory  # in one go; what is stored from now on goes to both

    def _steps_at(self, offset: int) -> Step | None:
        return _containing(self._steps, offset)

    def _step_of(self, offset: int) -> Step:
        step = self._steps_at(offset)
        if step is None:
            raise IndexError(f"offset {offset} is beyond the {self.size} bytes of the file")
        return step

    def _steps_of(self, offset: int) -> list[Step]:
        """The step that holds the offset, and its copy where there is one."""
        copy = _containing(self._copies, offset)
        step = self._step_of(offset)
        return [step] if copy is None else [step, copy]


def _containing(steps: dict[int, Step], offset: int) -> Step | None:
    for step in reversed(list(steps.values())):
        if step.offset <= offset < step.end:
            return step
    return None


def _slice(step: Step, offset: int, length: int) -> memoryview:
    return step.memory[offset - step.offset : offset - step.offset + length]


def _gap(offset: int, length: int, align: int, end: int) -> int:
    """Bytes to leave out before a block of `length` at `offset`, in a step that ends at `end`."""
    start = encode.round_up(offset, align)
    return end - offset if start + length > end else start - offset


if sys.byteorder != "little":  # every word is little-endian in the file, and stored natively here
    raise ImportError("mmstats: publishing needs a little-endian machine; this one is big-endian")
