"""Memory that ends within a value, cells and sizes that there are not: an error, and nothing beside it."""

from __future__ import annotations

import pytest

import spreading

GUARD = b"\xa5" * 64
FULL = "x" * 12  # a text that takes all of its slot


@pytest.fixture
def guarded(twin):
    """A function: a segment whose cells lie between guards, and all of that memory."""

    def make(count):
        whole = bytearray(GUARD + bytes(8 * count) + GUARD)
        inner = memoryview(whole)[len(GUARD) : len(GUARD) + 8 * count]
        return twin.Segment(lambda segment: segment.attach(inner)), whole

    return make


def update(made, kind, times=200):
    """How many of so many updates were done, and how many an error."""
    failed = 0
    for number in range(times):
        try:
            made.put(FULL if kind == "Text" else number)
        except IndexError:
            failed += 1
    return times - failed, failed


@pytest.mark.parametrize("index", [0, 5])
def test_a_value_that_ends_with_its_memory_fits(guarded, value_in, kind, index):
    segment, whole = guarded(index + spreading.CELLS[kind])
    done = update(value_in(kind, segment, index), kind)
    assert ((200, 0), GUARD, GUARD, 200) == (done, whole[:64], whole[-64:], whole[64 + 8 * index])


@pytest.mark.parametrize("missing", [1, 2])
def test_a_value_that_its_memory_cuts_off_is_an_error(guarded, value_in, kind, missing, monkeypatch):
    """When its missing cells are met, at the latest; the witness tells of no update that failed."""
    monkeypatch.setattr(spreading, "AGE", 1)  # ns: each update has a slice of its own
    segment, whole = guarded(5 + spreading.CELLS[kind] - missing)
    done, failed = update(value_in(kind, segment, 5), kind)
    assert (GUARD, bytes(40), GUARD) == (whole[:64], whole[64:104], whole[-64:])
    assert (True, done) == (failed > 0, whole[104])


NO_SUCH_CELL = """
    guard, count = bytes([0xa5] * 64), 40
    whole = bytearray(guard + bytes(8 * count) + guard)
    inner = memoryview(whole)[64:-64]
    segment = twin.Segment(lambda segment: segment.attach(inner))
    octave = lambda k: twin.Segment(lambda segment: segment.attach(bytearray(64)))
    where = 3, -20, 12, (), octave
    def put_text(number):
        stats = type('Model', (), {{'x': twin.Text('x', 12)}})()
        stats._mm_cells = {{'x': (segment, {index}, '')}}
        stats.x = number
    updates = {{
        'Average': lambda number: twin.Average(segment, {index}, 'x', None).add(number),
        'Moving': lambda number: twin.Moving(segment, {index}, 3, 'x', None).add(number),
        'Window': lambda number: twin.Window(segment, {index}, 3, 1000, 'x', None).add(number),
        'Timing': lambda number: twin.Timing(segment, {index}, 3, *where, 'x', None).observe(number),
        'Text': lambda number: put_text(str(number)),
    }}
    twin.token.renew()
    for known in (False, True):
        try:
            updates[{kind!r}](1)
        except (IndexError, ValueError, OverflowError):
            print('refused')
        if not known:
            twin.Counter(segment, 0, 1, 'hits', None).incr(0)  # the segment has memory from now on
    print(whole == guard + bytes(8 * count) + guard)
"""


@pytest.mark.parametrize("index", [40, 1000, 2**31, 2**32 - 5, 2**32 - 1, 2**32, 2**32 + 1, 2**64])
def test_there_is_no_cell_outside_of_the_memory(said, kind, index):
    """However large its number; in a process of its own, which may be hurt."""
    assert said(NO_SUCH_CELL.format(kind=kind, index=index)) == "refused\nrefused\nTrue\n"


@pytest.mark.parametrize("index", [-1, -24])
def test_there_is_no_cell_before_the_memory(guarded, value_in, number_kind, index):
    """A view of Python's would count from its end."""
    segment, whole = guarded(24)
    with pytest.raises((IndexError, ValueError, OverflowError)):
        value_in(number_kind, segment, index).put(1)
    assert GUARD + bytes(8 * 24) + GUARD == whole


@pytest.mark.parametrize("kind", ["Moving", "Timing"])
@pytest.mark.parametrize("size", [0, -1])
def test_a_ring_of_no_values_is_none(twin, lanes, refused, kind, size):
    with pytest.raises((ValueError, OverflowError)):
        getattr(twin, kind)(lanes().segment, 0, *spreading.sizes(twin, kind, size), "x", refused)


@pytest.mark.parametrize("kind", ["Moving", "Timing"])
def test_a_ring_has_the_size_that_was_asked_for(twin, lanes, refused, kind):
    """Or there is none: a size of 2**32 + 1 is not 1."""
    there = lanes(count=24)
    try:
        handle = getattr(twin, kind)(there.segment, 0, *spreading.sizes(twin, kind, 2**32 + 1), "x", refused)
    except (ValueError, OverflowError):
        return
    update = handle.observe if kind == "Timing" else handle.add
    for number in (1, 2):
        update(number)
    assert handle.value == 1.5


@pytest.mark.parametrize("kind", ["Moving", "Timing"])
def test_a_ring_of_one_value_shows_the_last(twin, lanes, refused, kind):
    handle = getattr(twin, kind)(lanes(count=24).segment, 0, *spreading.sizes(twin, kind, 1), "x", refused)
    update = handle.observe if kind == "Timing" else handle.add
    seen = []
    for number in (1, 2, 3):
        update(number)
        seen.append(handle.value)
    assert [1.0, 2.0, 3.0] == seen
