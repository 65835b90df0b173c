"""Forked children: their updates never land in the parent's cells. Two kinds of fork."""

from __future__ import annotations

import threading


def test_a_childs_updates_leave_the_parents_memory_as_it_is(value, words, kind, in_child):
    """Bit by bit; and the child begins at nothing, in memory of its own."""
    made, there = value(kind, words=[77], release=True)
    made.put(5)
    made.put(6)
    before = words(there.memories[0])

    def child():
        first = made.get()
        for number in (1, 2, 3):
            made.put(number)
        return first == made.nothing, there.asked, there.memories[1][1], words(there.memories[0])

    assert [True, 2, 3, before] == in_child(child)
    assert (before, 1) == (words(there.memories[0]), there.asked)


def test_a_child_that_only_reads_asks_too(value, kind, in_child):
    made, there = value(kind)
    made.put(5)
    assert in_child(lambda: (made.get() == made.nothing, there.asked)) == [True, 2]


def test_a_child_that_has_renewed_updates_at_full_speed(twin, value, kind, in_child):
    """Forgetting, attaching, renewing, as a region does it."""
    made, there = value(kind)
    made.put(5)

    def child():
        there.segment.forget()
        there.open(there.segment)
        twin.token.renew()
        asked = there.asked
        for _ in range(10):
            made.put(2)
        return there.asked - asked, there.memories[-1][1], made.get()

    assert in_child(child) == [0, 10, made.shown(2)]
    assert there.memories[0][1] == 1


def test_a_child_that_closes_what_it_inherited_goes_on(twin, value, kind, in_child):
    made, there = value(kind, release=True)
    made.put(5)

    def child():
        there.segment.close()
        twin.token.renew()
        made.put(3)
        return made.get()

    assert in_child(child) == made.shown(3)
    assert (1, made.shown(5)) == (there.memories[0][1], made.get())


def test_a_childs_updates_may_have_to_wait(twin, value_in, memory, kind, in_child):
    mine, updates, forked = memory(24), [], []

    def opener(segment):
        return (lambda *update: updates.append(update)) if forked else segment.attach(mine.view)

    made = value_in(kind, twin.Segment(opener))
    made.put(5)

    def child():
        forked.append(True)
        made.put(2)
        return len(updates), made.get() == made.nothing

    assert in_child(child) == [1, True]
    assert mine[1] == 1


def test_an_opener_that_attaches_nothing_in_a_child_is_found_out(twin, value_in, memory, kind, in_child):
    """What the thread attached before the fork does not count."""
    mine, forked = memory(24), []
    made = value_in(kind, twin.Segment(lambda segment: None if forked else segment.attach(mine.view)))
    made.put(5)

    def child():
        forked.append(True)
        try:
            made.put(2)
        except RuntimeError as error:
            return str(error)

    assert in_child(child) == "the opener said that it attached memory, and did not"
    assert mine[1] == 1


def test_a_grandchild_is_a_child(twin, value, kind, in_child):
    made, there = value(kind)
    made.put(1)

    def child():
        made.put(2)

        def grandchild():
            made.put(3)
            return made.get(), len(there.memories)

        return [*in_child(grandchild), made.get(), len(there.memories)]

    assert in_child(child) == [made.shown(3), 3, made.shown(2), 2]
    assert (made.shown(1), 1) == (made.get(), len(there.memories))


def test_a_child_that_is_forked_beside_an_update_updates_at_once(
    value, value_in, number_kind, in_child_beside_threads
):
    """Whose turn it was in another thread of the parent is nothing to the child."""
    made, _ = value(number_kind)
    under_way, over = threading.Event(), threading.Event()

    class Slow:
        def __float__(self):
            under_way.set()
            over.wait(60)
            return 1.0

    thread = threading.Thread(target=made.put, args=(Slow(),))
    thread.start()
    under_way.wait(60)
    try:
        assert in_child_beside_threads(lambda: (made.put(2), made.get())[1]) == 2.0
    finally:
        over.set()
        thread.join()
