"""Forked children: nothing of the parent's is touched, and the opener is asked. Two kinds of fork."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from mmstats.cells.wiped import AskedEachTime
from mmstats.format.layout import CELL_TYPE_U64


def test_the_token_falls_in_a_child_and_stands_in_the_parent(twin, in_child):
    assert (False, True) == (in_child(lambda: twin.token.stands), twin.token.stands)


def test_renewing_in_a_child_is_the_childs(twin, in_child):
    def child():
        twin.token.renew()
        return twin.token.stands

    assert in_child(child)
    assert twin.token.stands


def test_a_child_asks_the_opener_and_leaves_the_parents_memory_alone(lanes, in_child):
    there = lanes(release=True, words=[77])
    counter = there.counter(1)
    counter.incr(5)

    def child():
        counter.incr(1)
        return there.asked, there.memories[1][1], counter.value

    assert in_child(child) == [2, 1, 1]
    assert (77, 5, 5) == (there.memories[0][0], there.memories[0][1], counter.value)


def test_a_number_in_a_child_is_the_childs(number, in_child):
    stats, there = number(CELL_TYPE_U64, 32)
    stats.x = 5

    def child():
        before = stats.x
        stats.x += 1
        return before, stats.x

    assert ([0, 1], 5, 5) == (in_child(child), stats.x, there.memories[0][0])


def test_a_child_that_has_renewed_counts_at_full_speed(twin, lanes, in_child):
    """Forgetting, attaching, renewing, as a region does it."""
    there = lanes()
    counter = there.counter()
    counter.incr()

    def child():
        there.segment.forget()
        there.open(there.segment)
        twin.token.renew()
        asked = there.asked
        for _ in range(10):
            counter.incr()
        return there.asked - asked, counter.value, there.memories[-1][0]

    assert ([0, 10, 10], 1) == (in_child(child), there.memories[0][0])


def test_a_child_that_closes_what_it_inherited_goes_on(twin, lanes, in_child):
    there = lanes(release=True)
    counter = there.counter(1)
    counter.incr()

    def child():
        there.segment.close()
        twin.token.renew()
        counter.incr(3)
        return counter.value

    assert (3, 1) == (in_child(child), there.memories[0][1])


def test_other_segments_of_the_parent_do_not_count_in_a_renewed_child(twin, lanes, in_child):
    """The table of the forking thread is the parent's until it is filled anew."""
    first, second = lanes(), lanes()
    first.counter().incr()
    second.counter().incr()

    def child():
        for there in (first, second):
            there.segment.forget()
        twin.token.renew()
        first.counter().incr(10)
        second.counter().incr(20)
        return first.total(), second.total(), len(second.memories)

    assert ([11, 21, 2], 1, 1) == (in_child(child), first.total(), second.total())


def test_the_opener_of_a_child_may_answer_later(twin, memory, in_child):
    mine, updates, forked = memory(), [], []

    def opener(segment):
        if forked:
            return lambda function, *arguments: updates.append(arguments)
        return segment.attach(mine.view)

    counter = twin.Counter(twin.Segment(opener), 0, CELL_TYPE_U64, "hits", None)
    counter.incr()

    def child():
        forked.append(True)
        counter.incr(2)
        counter.incr(3)
        return updates, counter.value

    assert ([[[2], [3]], 0], 1) == (in_child(child), mine[0])


def test_an_opener_that_attaches_nothing_in_a_child_is_found_out(twin, memory, in_child):
    """What the thread attached before the fork does not count."""
    mine, forked = memory(), []
    segment = twin.Segment(lambda segment: None if forked else segment.attach(mine.view))
    counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
    counter.incr()

    def child():
        forked.append(True)
        with pytest.raises(RuntimeError):
            counter.incr()
        return True

    assert in_child(child)
    assert mine[0] == 1


def test_a_child_does_not_give_back_the_lanes_of_its_parents_threads(lanes, in_child_beside_threads):
    """A child has one thread; whatever it drops of the others is none of their end."""
    there = lanes(release=True, words=[1234])
    counter = there.counter(1)
    attached, over = threading.Event(), threading.Event()

    def work():
        counter.incr()
        attached.set()
        over.wait()

    thread = threading.Thread(target=work)
    thread.start()
    attached.wait()
    try:
        counter.incr()

        def child():
            import gc

            there.segment.close()
            gc.collect()
            answer = []
            threads = [threading.Thread(target=lambda: answer.append(counter.incr())) for _ in range(3)]
            for each in threads:
                each.start()
                each.join()
            return len(answer)

        assert in_child_beside_threads(child) == 3
        assert [1234, 1234] == [memory[0] for memory in there.memories]
    finally:
        over.set()
        thread.join()


def test_threads_of_a_child_give_their_lanes_back(twin, lanes, in_child, in_thread):
    there = lanes(release=True, words=[1234])
    there.counter(1).incr()

    def child():
        twin.token.renew()
        there.segment.forget()
        in_thread(lambda: there.counter(1).incr() or True)
        return there.memories[-1][0], there.memories[0][0]

    assert ([0, 1234], 1234) == (in_child(child), there.memories[0][0])


def test_a_grandchild_is_a_child(twin, lanes, in_child):
    there = lanes()
    counter = there.counter()
    counter.incr(1)

    def child():
        there.segment.forget()
        twin.token.renew()
        counter.incr(10)

        def grandchild():
            fallen = not twin.token.stands
            there.segment.forget()
            twin.token.renew()
            counter.incr(100)
            return fallen, counter.value

        return [*in_child(grandchild), counter.value]

    assert ([True, 100, 10], 1) == (in_child(child), counter.value)


@contextmanager
def busy(work, count=2):
    """Threads that do the work over and over."""
    over = []

    def repeat():
        while not over:
            work()

    threads = [threading.Thread(target=repeat) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.append(True)
        for thread in threads:
            thread.join()


def test_forking_while_threads_attach_and_end(lanes, in_child):
    """The lock that guards the tables may be held at that moment: the child finds it open."""
    shared = lanes(release=True)

    def work():
        there = lanes(count=2)
        there.counter().incr()
        there.segment.close()
        thread = threading.Thread(target=shared.counter().incr)
        thread.start()
        thread.join()

    # CPython itself does not survive a C fork beside busy threads
    with busy(work, count=0 if in_child.__name__ == "libc_fork" else 2):
        for _ in range(10):
            own = lanes()
            assert in_child(lambda own=own: own.counter().incr() or own.counter().value) == 1


def test_where_no_page_is_wiped_the_pid_is_asked_for(in_child):
    word = AskedEachTime()
    assert word[0] == 0
    word[0] = 1
    assert (1, 0) == (word[0], in_child(lambda: word[0]))
