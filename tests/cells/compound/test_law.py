"""What is written is what the law says: its worked examples, and what it promises of each update."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import spreading
from mmstats.format import compound, layout

NUMBERS = st.lists(st.one_of(st.floats(-1e9, 1e9), st.integers(-9, 9)), min_size=1, max_size=20)
TEXTS = st.lists(st.text(max_size=20), min_size=1, max_size=8)
ANY_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\ud800\udfff\0é❤😀")), max_size=12)
MANY = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def made(twin, refused):
    """A function: a value of that kind and size from the first cell on, how it is updated, its memory."""

    def make(kind, size, count=40):
        memory = bytearray(8 * count)
        segment = twin.Segment(lambda segment: segment.attach(memory))
        if kind == "Text":
            stats = type("Model", (), {"x": twin.Text("x", size)})()
            stats._mm_cells = {"x": (segment, 0, "")}
            return stats, lambda value: setattr(stats, "x", value), memory
        handle = getattr(twin, kind)(segment, 0, *spreading.sizes(twin, kind, size), "x", refused)
        return handle, handle.observe if kind == "Timing" else handle.add, memory

    return make


@pytest.mark.parametrize(
    ("title", "kind", "size", "values", "times"),
    [
        ("Average", "Average", None, [1.5, 2.5], []),
        ("Moving average", "Moving", 2, [5.0, 6.0, 7.0, 8.0], []),
        ("Timer", "Timing", 1, [0.25], [2]),
        ("Text", "Text", 8, ["up", "down"], [5, 2]),
    ],
)
def test_the_worked_example_is_what_is_written(made, example, title, kind, size, values, times):
    """Word by word; but the times, the older one first, are those of now."""
    expected = example(title)
    _, update, memory = made(kind, size, len(expected))
    begin = time.monotonic_ns()
    for value in values:
        update(value)
    found = list(struct.unpack(f"<{len(expected)}Q", memory))
    moments = [begin, *(found[at] for at in times), time.monotonic_ns()]
    assert sorted(moments) == moments
    for at in times:
        expected[at] = found[at]
    assert expected == found


def cells_of(kind, size):
    sizes = {"Average": 3, "Moving": 3 + (size or 0), "Timing": spreading.RING + 1 + (size or 0)}
    sizes["Window"] = 9 + 3 * (size or 0)
    return sizes.get(kind) or 1 + 2 * (2 + -(-size // 8))


def live(kind, size, n):
    """The cells that a value of n updates is read from, without the witness."""
    if kind == "Average":
        return [1 + n % 2]
    if kind == "Text":
        slot = 2 + -(-size // 8)
        return list(range(1 + slot * (n % 2), 1 + slot * (n % 2 + 1)))
    if kind == "Window":
        return list(range(1 + 4 * (n % 2), 5 + 4 * (n % 2)))
    ring = 2 if kind == "Moving" else spreading.RING
    window = [ring + i % (size + 1) for i in range(max(0, n - size), n)]
    return window if kind == "Moving" else [*range(3 + 3 * (n % 2), 6 + 3 * (n % 2)), *window]


@MANY
@given(values=NUMBERS, texts=TEXTS, size=st.integers(2, 10))
def test_an_update_leaves_alone_what_the_witness_points_at(made, kind, values, texts, size):
    """Who reads in the middle of it still has the value of before."""
    _, update, memory = made(kind, size)
    for n, value in enumerate(texts if kind == "Text" else values):
        before = struct.unpack("<40Q", memory)
        update(value)
        after = struct.unpack("<40Q", memory)
        assert (n, n + 1) == (before[0], after[0])
        assert [before[at] for at in live(kind, size, n)] == [after[at] for at in live(kind, size, n)]


@MANY
@given(values=NUMBERS, texts=TEXTS, size=st.integers(2, 10))
def test_an_update_writes_its_own_cells_only(made, kind, values, texts, size):
    _, update, memory = made(kind, size)
    for value in texts if kind == "Text" else values:
        update(value)
    beyond = memory[8 * cells_of(kind, size) :]
    assert bytes(len(beyond)) == bytes(beyond)


@MANY
@given(values=NUMBERS, size=st.integers(2, 10))
def test_readers_find_the_sum_and_the_last_values(made, number_kind, values, size):
    """By the reader's own arithmetic, against a plain list."""
    handle, update, memory = made(number_kind, size)
    in_turn = 0.0
    for value in values:
        update(value)
        in_turn += value
    read = {
        "Average": compound.average,
        "Moving": compound.moving,
        "Window": spreading.window,
        "Timing": spreading.timer,
    }[number_kind]
    n, last = len(values), values[-size:]
    found = read(bytes(memory), 0, cells_of(number_kind, size), n, True, 0)
    assert n == compound.witness(bytes(memory), 0)
    if number_kind == "Average":
        assert (in_turn, n, in_turn / n) == (*found, handle.value)
        return
    total = compound.total(last)
    if number_kind == "Window":
        assert (in_turn, n, in_turn / n) == (*found, handle.value)
        return
    if number_kind == "Moving":
        assert (total, len(last), total / len(last)) == (*found, handle.value)
        return
    moment = struct.unpack_from("<Q", memory, 8 * layout.TIMER_TIME)[0]
    expected = (n, in_turn, min(values), max(values), total, len(last), moment, values[-1])
    assert (expected, total / len(last), values[-1]) == (found, handle.value, handle.last)


@MANY
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=8), size=st.integers(1, 24))
def test_readers_find_the_last_text_cut_at_a_character(made, texts, size):
    """As many whole characters as fit; a lone surrogate is a question mark."""
    stats, update, memory = made("Text", size)
    for text in texts:
        update(text)
    kept = "".join("?" if "\ud800" <= each <= "\udfff" else each for each in texts[-1])
    while len(kept.encode()) > size:
        kept = kept[:-1]
    moment = struct.unpack_from("<Q", memory, 8 * (2 + (2 + -(-size // 8)) * (len(texts) % 2)))[0]
    found = compound.text(bytes(memory), 0, cells_of("Text", size), len(texts), True, 0)
    assert ((moment, kept), kept) == (found, stats.x)
