"""Nothing is left behind: not by segments, counters, numbers or threads; not in cycles."""

from __future__ import annotations

import gc
import weakref

import pytest

from growth import grown
from mmstats.format.layout import CELL_TYPE_F64, CELL_TYPE_I64, CELL_TYPE_U64


@pytest.mark.parametrize("closing", [True, False], ids=["closed", "dropped"])
def test_a_hundred_thousand_segments_leave_memory_flat(twin, closing):
    memory = bytearray(64)

    def work():
        segment = twin.Segment(lambda segment: segment.attach(memory, [0] * 8))
        counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
        counter.incr()
        if closing:
            segment.close()

    assert grown(work, 25_000) < 512


def test_updates_leave_nothing(lanes, number):
    there = lanes()
    counter, real = there.counter(), there.counter(1, CELL_TYPE_F64)
    stats, _ = number(CELL_TYPE_U64, 16)

    def work():
        counter.incr(2**70)
        counter.value = counter.value + 1
        real.incr(0.5)
        real.incr(3)
        stats.x = 70000
        stats.x += 1
        for wrong in (counter, real):
            try:
                wrong.incr("x")
            except TypeError:
                pass

    assert grown(work, 10_000) < 512


def test_going_up_and_down_leaves_nothing(twin, lanes):
    there = lanes()

    def later(function, *arguments):
        pass

    def work():
        updown = twin.UpDown(there.segment, 0, CELL_TYPE_I64, "inflight", None, id)
        updown.incr(2**70)
        updown.decr(2**70)
        updown.decr()
        nowhere = twin.UpDown(twin.Segment(lambda _: later), 0, CELL_TYPE_I64, "inflight", None, list)
        nowhere.decr()
        nowhere.decr(3)
        with updown.count_exceptions():
            updown.held()
        try:
            updown.decr("x")
        except TypeError:
            pass

    assert grown(work, 10_000) < 512


def test_gauges_leave_nothing(twin):
    class Field:
        _mm_verb = "set"

    class Model(twin.Instance):
        __mmstats_fields__ = {"free": Field()}  # noqa: RUF012 - as a metaclass leaves it

    def later(function, *arguments):
        pass

    memory = bytearray(8)
    segment = twin.Segment(lambda segment: segment.attach(memory))
    nowhere = twin.Segment(lambda _: later)

    def work():
        stats = Model()
        stats._mm_bind("free", twin.Gauge(segment, 0, "free", list, lambda *given: given))
        stats.free = 12.5
        stats.free.set(10**20)
        stats.free.set_to_current_time()
        stats.free.set(float("nan"))
        stats.free.track(len)
        twin.Gauge(nowhere, 0, "free", list, list).set(stats.free.value)
        try:
            stats.free = "x"
        except TypeError:
            pass

    assert grown(work, 10_000) < 512


def test_the_slow_path_leaves_nothing(twin, number):
    def later(function, *arguments):
        pass

    segment = twin.Segment(lambda segment: later)
    counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
    stats, _ = number(CELL_TYPE_U64)
    stats._mm_cells = {"x": (segment, 0, 0)}

    def work():
        counter.incr()
        counter.incr(5)
        counter.value = 3
        stats.x = counter.value + stats.x

    assert grown(work, 10_000) < 512


def test_instances_leave_nothing(twin, lanes):
    there = lanes()

    class Model(twin.Instance):
        __mmstats_fields__ = {"hits": object()}  # noqa: RUF012 - as a metaclass leaves it
        x = twin.Number("x", CELL_TYPE_U64, 64, False, False)

    def work():
        stats = Model()
        stats._mm_bind("_mm_cells", {"x": (there.segment, 0, 0)})
        stats._mm_bind("hits", there.counter())
        stats.x = 1
        stats.x += 1
        try:
            stats.hits = 1
        except TypeError:
            pass

    assert grown(work, 10_000) < 512


def test_cycles_are_collected(twin):
    """Segment, counter and number, each of which leads back to itself."""

    class Model(twin.Instance):
        pass

    def cycle():
        memory = bytearray(16)
        stats = Model()
        segment = twin.Segment(lambda segment: stats and segment.attach(memory))
        counter = twin.Counter(segment, 0, CELL_TYPE_U64, "hits", lambda index, cell_type: stats)
        stats._mm_bind("hits", counter)
        stats._mm_bind("_mm_cells", {"x": (segment, 1, stats)})
        counter.incr()
        return weakref.ref(segment), weakref.ref(counter), weakref.ref(stats)

    references = [cycle() for _ in range(10)]
    for _ in range(3):
        gc.collect()
    assert {None} == {reference() for references_ in references for reference in references_}


def test_a_class_in_a_cycle_with_its_number_is_collected(twin, lanes):
    there = lanes()

    def cycle():
        cls = type("Model", (twin.Instance,), {"x": twin.Number("x", CELL_TYPE_U64, 64, False, False)})
        stats = cls()
        stats._mm_bind("_mm_cells", {"x": (there.segment, 0, cls)})
        stats.x = 5
        return weakref.ref(cls), weakref.ref(stats)

    references = cycle()
    for _ in range(3):
        gc.collect()
    assert [None, None] == [reference() for reference in references]


def test_subclasses_are_collected(twin):
    def make():
        class Loud(twin.Counter):
            pass

        class Wide(twin.Segment):
            pass

        segment = Wide(lambda segment: segment.attach(bytearray(16)))
        counter = Loud(segment, 0, CELL_TYPE_U64, "loud", None)
        counter.me = counter
        counter.incr()
        return weakref.ref(Loud), weakref.ref(Wide), weakref.ref(counter)

    references = make()
    for _ in range(3):
        gc.collect()
    assert [None] * 3 == [reference() for reference in references]


def test_threads_leave_nothing(lanes):
    import threading

    there = lanes(count=2)

    def work():
        thread = threading.Thread(target=there.counter().incr)
        thread.start()
        thread.join()
        there.memories.clear()

    assert grown(work, 200) < 512


def test_a_counter_without_init_is_no_crash():
    native = pytest.importorskip("mmstats.cells._native", reason="not on PyPy", exc_type=ImportError)
    counter = native.Counter.__new__(native.Counter)
    for use in (counter.incr, lambda: counter.incr(1), lambda: counter.value, lambda: counter.total):
        with pytest.raises(RuntimeError):
            use()
    segment = native.Segment.__new__(native.Segment)
    bound = native.Counter(segment, 0, CELL_TYPE_U64, "hits", None)
    with pytest.raises(RuntimeError, match="no opener"):
        bound.incr()
    with pytest.raises(RuntimeError, match="'hits' is bound already"):
        bound.__init__(segment, 0, CELL_TYPE_U64, "again", None)
    number = native.Number.__new__(native.Number)
    assert repr(number) == "<Number '?'>"
