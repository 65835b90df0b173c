"""The chain of blocks in the steps of a file, also when somebody comes in between."""

from __future__ import annotations

import sys

import pytest

BUILDING, PAD = 0, 1
TYPE = 0x77


class Memory:
    """Steps of private memory, joined as a reader would see the file."""

    def __init__(self) -> None:
        self.steps: dict[int, bytearray] = {}

    def map(self, offset: int, size: int) -> memoryview:
        # Two steps at one offset are the same bytes of one file.
        self.steps.setdefault(offset, bytearray(1 << 24))
        return memoryview(self.steps[offset])[:size]

    def chain(self, end: int) -> list[tuple[int, int, bytes]]:
        """Offset, type and content of each block, as a reader walks them."""
        whole = bytearray(end)
        for offset, step in self.steps.items():
            whole[offset:] = step[: max(0, end - offset)]
        blocks, at = [], 512
        while at < end:
            kind, length = (int.from_bytes(whole[at + 4 * i : at + 4 * i + 4], "little") for i in (0, 1))
            if not length:
                break
            blocks.append((at, kind, bytes(whole[at + 8 : at + length])))
            at += length
        return blocks


@pytest.fixture
def made(mmstats):
    """A storage in memory, and the memory."""
    from mmstats.publish.storage import Storage

    memory = Memory()
    return Storage(memory, 4096), memory


def block(fill: int, length: int = 64) -> bytes:
    """A block of TYPE whose content is one byte, repeated."""
    return TYPE.to_bytes(4, "little") + length.to_bytes(4, "little") + bytes([fill]) * (length - 8)


def contents(memory: Memory, storage) -> list[bytes]:
    return sorted(content for _, kind, content in memory.chain(storage.size) if kind == TYPE)


def test_blocks_follow_each_other_at_multiples_of_their_alignment(made):
    """Aligned to 64, or to 128 where asked, with padding between."""
    storage, memory = made
    assert [storage.put(block(1)), storage.put(block(2), 128), storage.put(block(3))] == [512, 640, 704]
    assert [kind for _, kind, _ in memory.chain(4096)] == [TYPE, PAD, TYPE, TYPE]


def test_the_file_grows_in_steps_that_double(made):
    """4 KiB, 8, 16 … up to 4 MiB more; no block spans two steps."""
    storage, memory = made
    sizes = set()
    for _ in range(1500):
        storage.put(block(7, 8192))
        sizes.add(storage.size)
    assert [size >> 10 for size in sorted(sizes)] == [
        *(16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 12288),
    ]
    assert len(contents(memory, storage)) == 1500
    for offset, kind, content in memory.chain(storage.size):
        if kind == TYPE:
            begin = max(step for step in memory.steps if step <= offset)
            after = min((step for step in memory.steps if step > offset), default=storage.size)
            assert begin <= offset
            assert offset + 8 + len(content) <= after


def test_a_block_larger_than_a_step_gets_a_step_of_its_size(made):
    storage, memory = made
    storage.put(block(1, 5 << 20))
    storage.put(block(2))
    assert len(contents(memory, storage)) == 2


def test_no_space_leaves_the_chain_as_it_was(made):
    """A step that cannot be had raises; what there is stays whole, and the next try may succeed."""
    storage, memory = made
    storage.put(block(1))
    good = memory.map

    def full(offset, size):
        raise OSError(28, "No space left on device")

    memory.map = full
    with pytest.raises(OSError, match="No space"):
        storage.put(block(2, 8192))
    memory.map = good
    storage.put(block(3, 8192))
    assert [content[0] for content in contents(memory, storage)] == [1, 3]


def test_another_backing_takes_over(made):
    """It has the same bytes, gets every store meanwhile, and all the later ones alone."""
    storage, memory = made
    storage.put(block(1))
    other = Memory()
    storage.copy_to(other)
    storage.put(block(2, 8192))
    assert contents(memory, storage) == contents(other, storage) != []
    assert storage.move() is memory
    storage.put(block(3))
    assert [content[0] for content in contents(other, storage)] == [1, 2, 3]
    assert [content[0] for content in contents(memory, storage)] == [1, 2]


def test_another_backing_may_be_let_go(made):
    storage, memory = made
    other = Memory()
    storage.copy_to(other)
    at = storage.put(block(1))
    storage.stay()
    storage.put(block(2))
    assert [content[0] for content in contents(memory, storage)] == [1, 2]
    assert [content[0] for content in contents(other, storage)] == [1]
    storage.waste(at)
    assert [kind for _, kind, _ in memory.chain(4096)] == [PAD, TYPE]


def test_another_backing_without_space_changes_nothing(made):
    storage, memory = made
    storage.put(block(1, 8192))
    other = Memory()
    good = other.map

    def full(offset, size):
        if offset:
            raise OSError(28, "No space left on device")
        return good(offset, size)

    other.map = full
    with pytest.raises(OSError, match="No space"):
        storage.copy_to(other)
    storage.put(block(2))
    assert [content[0] for content in contents(memory, storage)] == [1, 2]


@pytest.mark.slow
@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy traces no opcodes")
def test_a_handler_at_every_opcode_of_a_move(mmstats):
    """Whatever it puts and stores, between any two opcodes, is in the backing that took over."""
    from mmstats.publish.storage import Storage

    at = 0
    while True:
        memory, other = Memory(), Memory()
        storage = Storage(memory, 4096)
        first = storage.put(block(1))
        storage.put(block(9, 8192))

        def handler(storage, first=first):
            put_two(storage)
            storage.set_word(first + 8, 0)

        def move(storage=storage, other=other):
            storage.copy_to(other)
            storage.move()

        came = interrupted(storage, at, handler, move)
        assert storage.backing is other
        found = contents(other, storage)
        assert [content[8] for content in found] == ([1, 2, 3, 9] if came else [1, 9]), at
        assert found[0][:8] == (bytes(8) if came else bytes([1]) * 8), at
        if not came:
            break
        at += 1
    assert at > 100


@pytest.mark.slow
@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy traces no opcodes")
@pytest.mark.parametrize("length", [64, 3520, 8192], ids=["fits", "fills the step", "needs a step"])
def test_somebody_comes_in_between_at_every_opcode(mmstats, length):
    """A handler that puts blocks of its own, at each opcode in turn: all blocks are there, none overlaps."""
    from mmstats.publish.storage import Storage

    at = 0
    while True:
        memory = Memory()
        storage = Storage(memory, 4096)
        came = interrupted(storage, at, put_two, lambda storage=storage: storage.put(block(1, length)))
        expected = [1, 2, 3] if came else [1]
        assert [content[0] for content in contents(memory, storage)] == expected, at
        assert all(len(set(content)) == 1 for content in contents(memory, storage))
        if not came:
            break
        at += 1
    assert at > 100


@pytest.mark.slow
@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy traces no opcodes")
def test_what_came_in_between_is_found_though_the_other_never_ends(mmstats):
    """Killed at any opcode after the handler was through: a reader finds the handler's block."""
    from mmstats.publish.storage import Storage

    at = 0
    while True:
        memory = Memory()
        storage = Storage(memory, 4096)
        seen = []

        def handler(storage, memory=memory, seen=seen):
            storage.put(block(2))
            seen.append(contents(memory, storage))

        if not interrupted(storage, at, handler, lambda storage=storage: storage.put(block(1))):
            break
        assert bytes([2]) * 56 in seen[0], at
        at += 1


def put_two(storage) -> None:
    """A small block, and one that needs most of a step."""
    storage.put(block(2))
    storage.put(block(3, 4032))


def interrupted(storage, at: int, handler, work) -> bool:
    """Do the work, with `handler` run at the `at`-th opcode of storage; whether that came to be."""
    count, came = 0, False

    def trace(frame, event, _argument):
        nonlocal count, came
        if "storage.py" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if count == at and not came:
                came = True
                sys.settrace(None)
                handler(storage)
            count += 1
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return came
