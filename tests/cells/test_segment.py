"""Segment: memory that is handed over, and the opener that is asked for it."""

from __future__ import annotations

import pytest

from mmstats.errors import Removed
from mmstats.format.layout import CELL_TYPE_BOOL, CELL_TYPE_F64, CELL_TYPE_U64


class Later:
    """What an opener answers that has no memory to give: keeps what it is handed."""

    def __init__(self, removed=None):
        self.updates = []
        if removed is not None:
            self.removed = removed

    def __call__(self, function, *arguments):
        self.updates.append((function, *arguments))

    def done(self):
        while self.updates:
            function, *arguments = self.updates.pop(0)
            function(*arguments)


def test_the_opener_is_asked_once_for_many_updates(lanes):
    there = lanes()
    first, second = there.counter(0), there.counter(1)
    for _ in range(10):
        first.incr()
        second.incr(2)
    assert (1, 10, 20) == (there.asked, there.memories[0][0], there.memories[0][1])


def test_reading_asks_the_opener_as_an_update_does(lanes):
    there = lanes()
    assert (0, 1) == (there.counter().value, there.asked)


def test_a_later_is_handed_the_update_with_its_arguments(twin, memory):
    later, answers = Later(), []
    segment = twin.Segment(lambda segment: answers.append(segment) or later)
    counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
    counter.incr()
    counter.incr(amount=5)
    counter.inc(n=6)
    counter.value = counter.value + 100
    assert ([(1,), (5,), (6,), (100,)], segment) == ([update[1:] for update in later.updates], answers[0])


def test_a_later_can_do_the_updates_when_it_is_time(twin, memory, number):
    mine = memory()
    later = Later()
    answers = [later, later, later, None]

    def opener(segment):
        answer = answers.pop(0)
        if answer is None:
            segment.attach(mine.view)
        return answer

    segment = twin.Segment(opener)
    stats, _ = number(CELL_TYPE_U64)
    stats._mm_cells = {"x": (segment, 1, 0)}
    counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
    counter.value = 10
    counter.incr(5)
    stats.x = 7
    assert len(later.updates) == 3
    later.done()
    assert (15, 7, []) == (mine[0], mine[1], later.updates)


def test_a_wrong_value_is_an_error_at_once_and_not_later(twin, number):
    later = Later()
    segment = twin.Segment(lambda segment: later)
    stats, _ = number(CELL_TYPE_U64)
    stats._mm_cells = {"x": (segment, 1, 0)}
    with pytest.raises(TypeError):
        twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None).incr("x")
    with pytest.raises(TypeError):
        stats.x = "x"
    assert [] == later.updates


@pytest.mark.parametrize("removed", [None, False, True])
def test_reading_what_has_no_memory(twin, number, removed):
    """The initial value, or Removed where the later says so."""
    later = Later(removed)
    segment = twin.Segment(lambda segment: later)
    stats, _ = number(CELL_TYPE_BOOL, 8)
    stats._mm_cells = {"x": (segment, 0, "initial")}
    whole = twin.Counter(segment, 0, CELL_TYPE_U64, "web.hits", None)
    real = twin.Counter(segment, 0, CELL_TYPE_F64, "web.load", None)
    if removed:
        for label, read in (
            ("web.hits", lambda: whole.value),
            ("web.load", lambda: real.value),
            ("x", lambda: stats.x),
        ):
            with pytest.raises(Removed, match=f"^'{label}' was removed$"):
                read()
    else:
        assert (0, 0.0, float, "initial") == (whole.value, real.value, type(real.value), stats.x)
    assert [] == later.updates


def test_an_error_of_the_opener_is_the_updates_error(twin):
    def opener(segment):
        raise KeyError("no lane")

    counter = twin.Counter(twin.Segment(opener), 0, CELL_TYPE_U64, "hits", None)
    for update in (counter.incr, lambda: counter.incr(2), lambda: counter.value, counter.inc):
        with pytest.raises(KeyError, match="no lane"):
            update()


def test_an_error_of_the_later_is_the_updates_error(twin):
    def later(function, *arguments):
        raise KeyError("not now")

    counter = twin.Counter(twin.Segment(lambda segment: later), 0, CELL_TYPE_U64, "hits", None)
    with pytest.raises(KeyError, match="not now"):
        counter.incr()


def test_an_opener_that_attaches_nothing_is_found_out(twin):
    counter = twin.Counter(twin.Segment(lambda segment: None), 0, CELL_TYPE_U64, "hits", None)
    with pytest.raises(RuntimeError, match="the opener said that it attached memory, and did not"):
        counter.incr()


def test_a_cell_beyond_the_memory_is_an_error(lanes):
    there = lanes(count=2)
    counter = there.counter(2)
    for update in (counter.incr, counter.incr, lambda: counter.value):
        with pytest.raises(IndexError):
            update()


def test_an_opener_may_count_into_its_own_segment(twin, memory):
    """A logging handler that counts what it logs, called by the slow path that logs."""
    mine, later, depth = memory(), Later(), []

    def opener(segment):
        if depth:
            return later
        depth.append(1)
        counter.incr(10)
        segment.attach(mine.view)
        later.done()
        depth.pop()
        return None

    segment = twin.Segment(opener)
    counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
    counter.incr()
    assert (11, 11) == (mine[0], counter.value)


def test_an_opener_may_close_the_segment_behind_its_own_back(twin, memory):
    mine, later = memory(), Later()

    def opener(segment):
        if segment_closed:
            return later
        segment.attach(mine.view)
        segment.close()
        segment_closed.append(True)
        return None

    segment_closed = []
    counter = twin.Counter(twin.Segment(opener), 0, CELL_TYPE_U64, "hits", None)
    counter.incr(4)
    assert (0, [(4,)]) == (mine[0], [update[1:] for update in later.updates])


def test_an_amount_may_close_the_segment_while_it_is_read(lanes):
    """What is stored goes where the counter leads by then."""
    there = lanes()
    counter = there.counter()
    counter.incr()

    class Closing:
        def __index__(self):
            there.segment.close()
            return 5

    counter.incr(Closing())
    assert [1, 5] == [memory[0] for memory in there.memories]


def test_attaching_again_replaces(twin, memory, lanes):
    there, mine = lanes(), memory()
    counter = there.counter()
    counter.incr()
    there.segment.attach(mine.view)
    counter.incr(5)
    assert (1, 5) == (there.memories[0][0], mine[0])


def test_forgetting_is_of_the_calling_thread(lanes):
    there = lanes()
    counter = there.counter()
    counter.incr()
    there.segment.forget()
    there.segment.forget()
    counter.incr()
    assert (2, [1, 1]) == (there.asked, [memory[0] for memory in there.memories])


def test_closing_sends_every_update_to_the_opener(twin, memory):
    mine, later, closed = memory(), Later(), []

    def opener(segment):
        if closed:
            return later
        return segment.attach(mine.view)

    segment = twin.Segment(opener)
    counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
    counter.incr()
    closed.append(True)
    segment.close()
    segment.close()
    counter.incr()
    segment.forget()
    assert (1, 1, 0) == (mine[0], len(later.updates), counter.value)


def test_a_closed_segment_may_be_used_again(lanes):
    """A forked child closes what it inherited, and goes on through the same handles."""
    there = lanes()
    counter = there.counter()
    for amount in (1, 2, 3):
        counter.incr(amount)
        there.segment.close()
    assert ([1, 2, 3], 0) == ([memory[0] for memory in there.memories], counter.value)


def test_memory_is_used_after_the_opener_said_so_even_if_the_token_is_down(said):
    """A process without a file leaves it down: every update asks again, and none is lost."""
    program = """
        memory, asked = bytearray(16), []
        def opener(segment):
            asked.append(twin.token.stands)
            if len(asked) == 1:
                segment.attach(memory)
        counter = twin.Counter(twin.Segment(opener), 0, 1, 'web.hits', None)
        for _ in range(3):
            counter.incr()
        print(counter.value, memory[0], asked)
        twin.token.renew()
        twin.token.renew()
        counter.incr()
        print(memory[0], len(asked), twin.token.stands)
    """
    assert said(program) == "3 3 [False, False, False, False]\n4 4 True\n"


def test_closing_lets_go_of_the_memory(lanes):
    there = lanes()
    there.counter().incr()
    there.segment.close()
    memory = there.memories[0]
    memory.view.release()
    memory.map.close()  # BufferError while anybody holds it


@pytest.mark.parametrize("size", [0, 7, 12])
def test_memory_is_a_whole_number_of_cells(twin, size):
    segment = twin.Segment(lambda segment: None)
    with pytest.raises(ValueError, match=f"memory of {size} bytes is not a whole number of cells"):
        segment.attach(bytearray(size))


def test_memory_is_writable(twin):
    segment = twin.Segment(lambda segment: None)
    with pytest.raises(BufferError):
        segment.attach(bytes(16))
    with pytest.raises(TypeError):
        segment.attach(None)


def test_a_base_has_a_value_for_each_cell(twin, memory):
    segment = twin.Segment(lambda segment: None)
    with pytest.raises(ValueError, match="base has 2 values, memory has 8 cells"):
        segment.attach(memory().view, [1, 2])


def test_an_adopter_counts_from_zero_and_adds_to_what_was_left(lanes):
    for left in (40, 2**63 - 1, 2**64 - 1):
        there = lanes(words=[0, left], base=[0, left] + [0] * 6)
        counter = there.counter(1)
        assert counter.value == 0
        counter.incr(2)
        assert (2, (left + 2) % 2**64) == (counter.value, there.memories[0][1])
        counter.value = 10
        assert (10, (left + 10) % 2**64) == (counter.value, there.memories[0][1])


def test_the_base_is_what_it_was_when_it_was_given(twin, memory):
    mine, base = memory(words=[7]), [7] + [0] * 7
    segment = twin.Segment(lambda segment: segment.attach(mine.view, base))
    counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
    counter.incr()
    base[0] = 1000
    assert counter.value == 1


def test_many_segments_do_not_meet(lanes):
    all_lanes = [lanes() for _ in range(100)]
    for number, there in enumerate(all_lanes):
        there.counter().incr(number)
    for there in all_lanes[::2]:
        there.segment.close()
    again = [lanes() for _ in range(100)]
    for number, there in enumerate(again):
        there.counter().incr(1000 + number)
    for there in all_lanes[1::2]:
        there.counter().incr()
    expected = [number + number % 2 for number in range(100)], list(range(1000, 1100))
    assert expected == ([there.total() for there in all_lanes], [there.total() for there in again])
