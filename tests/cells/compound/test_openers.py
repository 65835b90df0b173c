"""A value of several cells asks for memory as a counter does, and is handed on as one."""

from __future__ import annotations

import pytest

import spreading
from mmstats.errors import Removed


class Later:
    """What an opener answers that has no memory to give: keeps what it is handed."""

    def __init__(self):
        self.updates = []

    def __call__(self, function, *arguments):
        self.updates.append((function, *arguments))

    def done(self):
        while self.updates:
            function, *arguments = self.updates.pop(0)
            function(*arguments)


@pytest.fixture
def answering(twin, memory):
    """A function: a segment whose opener gives these answers, the last one for ever; None attaches."""

    def make(*answers):
        answers, mine = list(answers), memory(24)

        def opener(segment):
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            return segment.attach(mine.view) if answer is None else answer

        return twin.Segment(opener), mine

    return make


def test_the_opener_is_asked_once_for_many_updates(value, kind):
    made, there = value(kind)
    for _ in range(10):
        made.put(2)
    assert (1, 10, made.shown(2)) == (there.asked, there.memories[0][1], made.get())


def test_reading_asks_the_opener_as_an_update_does(value, kind):
    made, there = value(kind)
    assert (made.nothing, 1, 0) == (made.get(), there.asked, there.memories[0][1])


def test_a_later_can_do_the_updates_when_it_is_time(answering, value_in, kind):
    """In their order; what they were handed is called as it is."""
    later = Later()
    segment, mine = answering(later, later, None)
    made = value_in(kind, segment)
    made.put(1)
    made.put(3)
    assert (2, 0) == (len(later.updates), mine[1])
    later.done()
    expected = {"Average": 2.0, "Moving": 2.0, "Window": 2.0, "Timing": 2.0, "Text": "3"}[kind]
    assert (2, expected) == (mine[1], made.get())


def test_an_update_that_is_done_later_may_have_to_wait_again(answering, value_in, kind):
    first, second = Later(), Later()
    segment, mine = answering(first, second, None)
    made = value_in(kind, segment)
    made.put(1)
    first.done()
    assert (1, 0) == (len(second.updates), mine[1])
    second.done()
    assert (1, made.shown(1)) == (mine[1], made.get())


def test_an_update_that_is_done_later_is_not_what_a_subclass_made_of_it(
    answering, twin, number_kind, refused
):
    """The override ran when it was called, and does not run again."""

    class Loud(getattr(twin, number_kind)):
        calls = 0

        def put(self, value):
            self.calls += 1
            (super().observe if number_kind == "Timing" else super().add)(2 * value)

        add = observe = put

    later = Later()
    segment, mine = answering(later, None)
    loud = Loud(segment, 1, *spreading.sizes(twin, number_kind), "x", refused)
    loud.put(1)
    later.done()
    assert (1, 1, 2.0, "<Loud 'x'>") == (loud.calls, mine[1], loud.value, repr(loud))


def test_an_assignment_that_is_done_later_keeps_its_text(answering, value_in):
    later = Later()
    segment, _ = answering(later, None)
    made = value_in("Text", segment)
    made.put("❤" * 5)
    later.done()
    assert made.get() == "❤" * 4


def test_a_wrong_value_is_an_error_at_once_and_not_later(answering, value_in, kind):
    later = Later()
    made = value_in(kind, answering(later)[0])
    with pytest.raises(TypeError):
        made.put(made.wrong)
    assert [] == later.updates


@pytest.mark.parametrize("removed", [None, False])
def test_reading_what_waits_for_memory_gives_the_initial_value(answering, value_in, kind, removed):
    later = Later()
    if removed is not None:
        later.removed = removed
    made = value_in(kind, answering(later)[0])
    assert (made.nothing, []) == (made.get(), later.updates)
    assert getattr(getattr(made, "handle", None), "last", 0.0) == 0.0


@pytest.mark.parametrize("what", ["value", "last"])
def test_reading_what_was_removed_is_an_error_that_names_it(answering, value_in, kind, what):
    """Each way of reading, and only reading: updates go to who counts them."""
    later = Later()
    later.removed = True
    made = value_in(kind, answering(later)[0])
    read = (lambda: made.handle.last) if what == "last" and kind == "Timing" else made.get
    made.put(1)
    with pytest.raises(Removed, match=r"^'x' was removed$"):
        read()
    assert len(later.updates) == 1


def test_an_error_of_the_opener_is_the_updates_error(twin, value_in, kind):
    def opener(segment):
        raise KeyError("no lane")

    made = value_in(kind, twin.Segment(opener))
    for use in (lambda: made.put(1), made.get):
        with pytest.raises(KeyError, match="no lane"):
            use()


def test_an_error_of_the_later_is_the_updates_error(twin, value_in, kind):
    def later(function, *arguments):
        raise KeyError("not now")

    made = value_in(kind, twin.Segment(lambda segment: later))
    with pytest.raises(KeyError, match="not now"):
        made.put(1)


def test_an_opener_that_attaches_nothing_is_found_out(twin, value_in, kind):
    made = value_in(kind, twin.Segment(lambda segment: None))
    for use in (lambda: made.put(1), made.get):
        with pytest.raises(RuntimeError, match="the opener said that it attached memory, and did not"):
            use()


def test_an_opener_may_update_the_very_value(twin, value_in, memory, kind):
    """A logging handler that times what it logs, called by the slow path that logs."""
    mine, later, depth = memory(24), Later(), []

    def opener(segment):
        if depth:
            return later
        depth.append(1)
        made.put(3)
        segment.attach(mine.view)
        later.done()
        depth.pop()
        return None

    made = value_in(kind, twin.Segment(opener))
    made.put(1)
    expected = {"Average": 2.0, "Moving": 2.0, "Window": 2.0, "Timing": 2.0, "Text": "1"}[kind]
    assert (2, expected) == (mine[1], made.get())


def test_an_opener_may_close_the_segment_behind_its_own_back(twin, value_in, memory, kind):
    mine, later, closed = memory(24), Later(), []

    def opener(segment):
        if closed:
            return later
        segment.attach(mine.view)
        segment.close()
        closed.append(True)
        return None

    made = value_in(kind, twin.Segment(opener))
    made.put(4)
    assert (0, 1) == (mine[1], len(later.updates))


@pytest.mark.parametrize("what", ["close", "forget"])
def test_after_it_was_let_go_of_the_old_memory_is_left_alone(value, words, kind, what):
    """And is held by nobody: what follows begins anew, in memory of its own."""
    made, there = value(kind)
    made.put(1)
    before = words(there.memories[0])
    getattr(there.segment, what)()
    assert made.nothing == made.get()
    made.put(2)
    assert (made.shown(2), before, 1) == (made.get(), words(there.memories[0]), there.memories[1][1])
    old = there.memories[0]
    old.view.release()
    old.map.close()  # BufferError while anybody holds it


def test_attaching_again_replaces(value, memory, kind):
    made, there = value(kind)
    made.put(1)
    mine = memory(24)
    there.segment.attach(mine.view)
    made.put(2)
    assert (1, 1, made.shown(2)) == (there.memories[0][1], mine[1], made.get())


def test_memory_is_used_after_the_opener_said_so_even_if_the_token_is_down(said, number_kind):
    """A process without a file leaves it down: every update asks again, and none is lost."""
    verb = "observe" if number_kind == "Timing" else "add"
    program = f"""
        memory, asked = bytearray(8 * 24), []
        def opener(segment):
            asked.append(twin.token.stands)
            if len(asked) == 1:
                segment.attach(memory)
        octave = lambda k: twin.Segment(lambda segment: segment.attach(octaves[k]))
        octaves = [bytearray(64) for _ in range(40)]
        where = (3, -20, 12, (), octave)
        sizes = dict(Average=(), Moving=(3,), Window=(3, 1 << 58), Timing=(3, *where))[{number_kind!r}]
        made = twin.{number_kind}(twin.Segment(opener), 0, *sizes, 'x', None)
        for number in (1, 2, 3):
            made.{verb}(number)
        print(made.value, memory[0], asked)
        twin.token.renew()
        made.{verb}(6)
        print(memory[0], len(asked))
    """
    assert said(program) == "2.0 3 [False, False, False, False]\n4 4\n"


def test_a_text_is_used_even_if_the_token_is_down(said):
    program = """
        memory, asked = bytearray(8 * 24), []
        def opener(segment):
            asked.append(twin.token.stands)
            if len(asked) == 1:
                segment.attach(memory)
        class Model:
            x = twin.Text('x', 12)
        stats = Model()
        stats._mm_cells = {'x': (twin.Segment(opener), 0, '')}
        stats.x = 'up'
        stats.x = 'down'
        print(stats.x, memory[0], asked)
    """
    assert said(program) == "down 2 [False, False, False]\n"
