"""Threads: each has cells of its own, and gives its lane back when it ends."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading

import pytest

THREADS, UPDATES = 6, 4000


def settle_on_pypy():
    """There, a thread's last steps are the garbage collector's."""
    if sys.implementation.name == "pypy":
        gc.collect()
        gc.collect()


@pytest.fixture
def busy_switching():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def run_together(function, count=THREADS):
    """Runs function(number) in that many threads at once."""
    gate = threading.Barrier(count)

    def work(number):
        gate.wait()
        function(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nothing_is_lost_among_threads(lanes, busy_switching):
    there = lanes()
    counter, updown = there.counter(0), there.updown(1)

    def work(number):
        for _ in range(UPDATES):
            counter.incr()
            updown.incr(-2)
        assert (UPDATES, -2 * UPDATES) == (counter.value, updown.value)

    run_together(work)
    total, down = there.total(0), sum(memory[1] - 2**64 for memory in there.memories)
    assert (THREADS * UPDATES, -2 * THREADS * UPDATES, THREADS) == (total, down, len(there.memories))


def test_a_number_is_each_threads_own(number, busy_switching):
    from mmstats.format.layout import CELL_TYPE_U64

    stats, there = number(CELL_TYPE_U64, 32)
    seen = {}

    def work(number):
        for _ in range(UPDATES):
            stats.x += 1
        seen[number] = stats.x

    run_together(work)
    assert ({UPDATES}, THREADS * UPDATES) == (set(seen.values()), there.total(0))


def test_many_segments_in_many_threads(lanes, busy_switching):
    all_lanes = [lanes() for _ in range(30)]
    counters = [there.counter() for there in all_lanes]

    def work(number):
        for round_ in range(100):
            for counter in counters[number:] + counters[:number]:
                counter.incr(round_)

    run_together(work)
    assert {THREADS * 4950} == {there.total() for there in all_lanes}


def test_the_end_of_a_thread_stores_zero_into_the_first_cell_where_asked(lanes, in_thread):
    there, kept = lanes(words=[1234], release=True), lanes(words=[1234])

    def work():
        there.counter(1).incr()
        kept.counter(1).incr()
        return there.memories[0][0]

    assert in_thread(work) == 1234
    assert (0, 1, 1234, 1) == (
        there.memories[0][0],
        there.memories[0][1],
        kept.memories[0][0],
        kept.memories[0][1],
    )


def test_who_has_joined_a_thread_finds_its_lane_free(lanes):
    there = lanes(words=[1234], release=True)
    for _ in range(50):
        thread = threading.Thread(target=there.counter(1).incr)
        thread.start()
        thread.join()
        settle_on_pypy()
        assert there.memories.pop()[0] == 0


def test_what_a_thread_counts_in_its_last_moments_is_not_lost(twin, lanes, in_thread):
    """The `__del__` of a thread-local runs when the lane was given back, or just before.

    The pure twin cannot give back what was attached then: that lane waits for somebody to see that its
    thread is gone.
    """
    there = lanes(words=[1234], release=True)
    local = threading.local()

    counter = there.counter(1)

    class Counting:
        def __del__(self):
            counter.incr()

    def work():
        there.counter(1).incr()
        local.last = Counting()
        there.counter(2).incr()

    in_thread(work)
    gc.collect()
    assert there.total(1) == 2
    if twin.__name__.endswith("_native"):
        assert {0} == {memory[0] for memory in there.memories}


def test_a_thread_of_c_code_gives_its_lane_back(lanes):
    """Its Python state is no thread's: the lane is given back when the thread itself has ended."""
    if sys.implementation.name == "pypy":
        pytest.skip("not on PyPy, which ends nothing in such a thread")
    there = lanes(words=[1234], release=True)
    counter = there.counter(1)
    libc, thread = ctypes.CDLL(None), ctypes.c_ulong()

    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    def run(_argument):
        counter.incr()
        counter.incr()
        return 0

    assert libc.pthread_create(ctypes.byref(thread), None, run, None) == 0
    assert libc.pthread_join(thread, None) == 0
    settle_on_pypy()
    assert ([0, 2], 1) == ([there.memories[0][0], there.memories[0][1]], there.asked)


def test_a_thread_that_goes_on_gives_nothing_back(lanes, in_thread):
    there = lanes(words=[1234], release=True)
    there.counter(1).incr()
    in_thread(there.counter(1).incr)
    assert [1234, 0] == [memory[0] for memory in there.memories]


@pytest.mark.parametrize("what", ["close", "forget", "attach", "drop"])
def test_what_a_thread_no_longer_uses_it_does_not_give_back(lanes, memory, in_thread, what):
    there, other = lanes(words=[1234], release=True), memory(words=[99])

    def work():
        there.counter(1).incr()
        if what == "attach":
            there.segment.attach(other.view)
        elif what == "drop":
            there.segment = None
        else:
            getattr(there.segment, what)()

    in_thread(work)
    assert (1234, 99) == (there.memories[0][0], other[0])


def test_closing_reaches_the_tables_of_all_threads(lanes):
    """What the others attached is let go of, no lane is given back, and they ask again."""
    there = lanes(words=[1234], release=True)
    counter = there.counter(1)
    attached, closed = threading.Barrier(4), threading.Barrier(4)

    def work():
        counter.incr()
        attached.wait()
        closed.wait()
        counter.incr(10)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    attached.wait()
    there.segment.close()
    first = there.memories[:3]
    for memory in first:
        assert (1234, 1) == (memory[0], memory[1])
        memory.view.release()
        memory.map.close()  # BufferError while anybody holds it
    closed.wait()
    for thread in threads:
        thread.join()
    assert (6, [10, 10, 10]) == (there.asked, [memory[1] for memory in there.memories[3:]])


def test_a_gid_that_is_used_again_leads_nobody_astray(lanes):
    """Threads that still have the closed segment in their tables do not count into the new one."""
    old, new = lanes(words=[0]), None
    counter = old.counter(1)
    attached, replaced = threading.Barrier(2), threading.Barrier(2)

    def work():
        counter.incr()
        attached.wait()
        replaced.wait()
        new.counter(1).incr(100)
        counter.incr(1000)

    thread = threading.Thread(target=work)
    thread.start()
    attached.wait()
    old.segment.close()
    new = lanes()
    new.counter(1).incr(7)
    replaced.wait()
    thread.join()
    assert ([7, 100], [1, 1000]) == (
        [memory[1] for memory in new.memories],
        [memory[1] for memory in old.memories],
    )


def test_threads_that_come_and_go_leave_no_memory_behind(lanes, in_thread):
    """One who attaches lets go of what ended threads had attached."""
    there = lanes()
    for _ in range(5):
        in_thread(there.counter().incr)
    there.counter().incr()
    for memory in there.memories[:5]:
        memory.view.release()
        memory.map.close()  # BufferError while anybody holds it
    assert there.memories[5][0] == 1


def test_closing_while_others_count(lanes, busy_switching):
    """Every update lands in old memory or in new, and nobody crashes, or is told that it failed."""
    there = lanes()
    counter = there.counter()
    working = [True] * (THREADS - 1)
    failed = []

    def work(number):
        if number == THREADS - 1:
            while any(working):
                there.segment.close()
            return
        try:
            for _ in range(200):
                counter.incr()
        except Exception as error:  # noqa: BLE001 - the main thread judges
            failed.append(error)
        finally:
            working[number] = False

    run_together(work)
    assert ([], 200 * (THREADS - 1)) == (failed, there.total())


def test_closing_while_threads_end(lanes, busy_switching):
    for _ in range(30):
        there = lanes(release=True)
        counter = there.counter(1)
        run_together(lambda number, counter=counter: counter.incr(), 4)
        there.segment.close()
        assert there.total(1) == 4


def test_a_lane_that_somebody_else_has_by_now_is_not_given_back(lanes, in_thread):
    there = lanes(words=[1234], release=True)

    def work():
        there.counter(1).incr()
        there.memories[0][0] = 5678  # the next owner, whom a late finalizer must leave alone

    in_thread(work)
    settle_on_pypy()
    assert there.memories[0][0] == 5678
