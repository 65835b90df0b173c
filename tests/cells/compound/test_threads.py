"""Threads: each has values of its own, nothing is lost among them, and the next one begins at nothing."""

from __future__ import annotations

import struct
import sys
import threading

import pytest

import spreading
from mmstats.format import compound, layout
from mmstats.format.window import pack
from mmstats.publish.schema import Metric, Schema

THREADS, UPDATES = 6, 1000
KINDS = {
    "Average": (layout.KIND_AVERAGE, layout.CELL_TYPE_F64),
    "Moving": (layout.KIND_MOVING, layout.CELL_TYPE_F64),
    "Window": (layout.KIND_MOVING, layout.CELL_TYPE_F64),
    "Timing": (layout.KIND_TIMER, layout.CELL_TYPE_F64),
    "Text": (layout.KIND_TEXT, layout.CELL_TYPE_TEXT),
}


@pytest.fixture
def busy_switching():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def run_together(function, count=THREADS):
    """Runs function(number) in that many threads at once; what they raise is raised here."""
    gate, failed = threading.Barrier(count), []

    def work(number):
        gate.wait()
        try:
            function(number)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in failed:
        raise error


def read(memory, kind, index=1):
    """What a reader finds in one lane whose thread lives: all but the time."""
    raw = bytes(memory.map)
    take = {
        "Average": compound.average,
        "Moving": compound.moving,
        "Window": spreading.window,
        "Timing": spreading.timer,
    }
    n = compound.witness(raw, 8 * index)
    return take.get(kind, compound.text)(raw, 8 * index, spreading.CELLS[kind], n, True, 0)


def test_sums_and_counts_are_exact_among_threads(value, busy_switching):
    """Every thread adds 0, 1, 2 …: integers, so that no order of the lanes rounds."""
    average, of_averages = value("Average")
    timing, of_timings = value("Timing")

    def work(number):
        for each in range(UPDATES):
            average.put(each)
            timing.put(each + number)

    run_together(work)
    total = THREADS * UPDATES * (UPDATES - 1) // 2
    found = [read(memory, "Average") for memory in of_averages.memories]
    assert (total, THREADS * UPDATES, THREADS) == (*map(sum, zip(*found)), len(found))
    found = [read(memory, "Timing") for memory in of_timings.memories]
    shifts = UPDATES * THREADS * (THREADS - 1) // 2
    assert (THREADS * UPDATES, total + shifts) == tuple(map(sum, zip(*(each[:2] for each in found))))
    assert list(range(THREADS)) == sorted(each[2] for each in found)


def test_each_thread_reads_its_own(value, kind, busy_switching):
    made, there = value(kind)

    def work(number):
        for _ in range(UPDATES // 4):
            made.put(number)
            assert made.shown(number) == made.get()

    run_together(work)
    assert [UPDATES // 4] * THREADS == [memory[1] for memory in there.memories]


def test_many_values_of_one_segment_take_turns(lanes, value_in, busy_switching):
    """The updates of one thread, of whatever value, one after the other."""
    there = lanes(count=60)
    all_ = [value_in("Average", there.segment, 1), value_in("Timing", there.segment, 10)]
    all_ += [value_in("Text", there.segment, 30), value_in("Moving", there.segment, 50)]

    def work(number):
        for each in range(UPDATES // 4):
            for made in all_:
                made.put(each)

    run_together(work)
    for index in (1, 10, 30, 50):
        assert [UPDATES // 4] * THREADS == [memory[index] for memory in there.memories]


def test_closing_while_others_update(value, kind, busy_switching):
    """Every update lands in old memory or in new, and nobody is told that it failed."""
    made, there = value(kind)
    working = [True] * (THREADS - 1)

    def work(number):
        if number == THREADS - 1:
            while any(working):
                there.segment.close()
            return
        try:
            for _ in range(100):
                made.put(1)
        finally:
            working[number] = False

    run_together(work)
    assert 100 * (THREADS - 1) == there.total(1)


def test_the_end_of_a_thread_gives_its_lane_back_and_leaves_the_value(value, kind, in_thread):
    made, there = value(kind, words=[1234], release=True)
    in_thread(lambda: made.put(7))
    assert (0, 1) == (there.memories[0][0], there.memories[0][1])
    assert "7" in str(read(there.memories[0], kind))


# --- a lane that changes hands ------------------------------------------------------------------------


@pytest.fixture
def handed_over(twin, value_in, memory, in_thread):
    """A function: a value in one memory, which every thread takes over from the one before it."""

    def make(kind):
        number, cell_type = KINDS[kind]
        cells = spreading.CELLS[kind]
        metric = Metric(label="x", kind=number, cell_type=cell_type, aggregate=1, cells=cells)
        metric.extra = pack(spreading.AGE) if kind == "Window" else b""
        schema, mine = Schema(1, [metric]), memory(cells)

        def opener(segment):
            segment.attach(mine.view, schema.hand_over(mine.view.cast("Q")))

        return value_in(kind, twin.Segment(opener), 0), mine

    return make


def doubles(memory, *indices):
    return [struct.unpack("<d", memory[index].to_bytes(8, "little"))[0] for index in indices]


def test_who_takes_a_lane_over_sees_nothing_of_before(handed_over, kind, in_thread):
    made, _ = handed_over(kind)
    for number in (5, 6, 7):
        seen = in_thread(lambda number=number: (made.get(), made.put(number), made.get()))
        assert (made.nothing, None, made.shown(number)) == seen


def test_an_average_goes_on_from_the_sum_and_the_count(handed_over, in_thread):
    made, mine = handed_over("Average")
    for number in (5, 6, 9):
        in_thread(lambda number=number: made.put(number))
    assert (3, [11.0, 20.0]) == (mine[0], doubles(mine, 1, 2))


@pytest.mark.parametrize("kind", ["Moving", "Timing"])
def test_a_ring_goes_on_where_it_started(handed_over, kind, in_thread):
    """`started` is the witness of the moment; the values of before stand, and do not count."""
    made, mine = handed_over(kind)
    in_thread(lambda: [made.put(number) for number in range(5)])
    in_thread(lambda: made.put(9))
    ring = 2 if kind == "Moving" else spreading.RING
    assert (6, 5, [4.0, 9.0]) == (mine[0], mine[1], doubles(mine, ring, ring + 1))
    assert 9.0 == in_thread(lambda: (made.put(9), made.get())[1])
    assert (7, 6) == (mine[0], mine[1])


def test_a_window_goes_on_with_no_values_of_before(handed_over, in_thread):
    """Taking it over is an update of its own: who reads in the middle of it notices."""
    made, mine = handed_over("Window")
    in_thread(lambda: [made.put(number) for number in range(3)])
    in_thread(lambda: made.put(9))
    assert (5, [9.0, 0.0]) == (mine[0], doubles(mine, 8, 4))
    assert (1, 0) == (mine[7], mine[3])


def test_a_timers_totals_go_on(handed_over, in_thread):
    made, mine = handed_over("Timing")
    for seconds in (5, 1, 9):
        in_thread(lambda seconds=seconds: made.put(seconds))
    assert ([15.0, 1.0, 9.0], [6.0, 1.0, 5.0]) == (doubles(mine, 6, 7, 8), doubles(mine, 3, 4, 5))


def test_a_timer_that_was_taken_over_has_no_last_duration(handed_over, in_thread):
    made, mine = handed_over("Timing")
    in_thread(lambda: made.put(5))
    assert (0.0, 0.0, 1) == (*in_thread(lambda: (made.handle.last, made.get())), mine[1])


def test_a_text_that_was_taken_over_is_one_of_time_0(handed_over, in_thread):
    """It is a text of its own: no witness ever comes again."""
    made, mine = handed_over("Text")
    in_thread(lambda: made.put("up"))
    assert in_thread(made.get) == made.nothing
    assert (2, 0, 0) == (mine[0], mine[1], mine[2])
    in_thread(lambda: made.put("down"))
    assert (4, 4, 0, 0) == (mine[0], mine[1], mine[5], mine[6])
