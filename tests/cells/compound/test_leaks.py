"""Nothing is left behind: not by updates, openers, threads, dead instances; not in cycles."""

from __future__ import annotations

import functools
import gc
import math
import sys
import threading
import weakref

import pytest

import spreading
from growth import IS_PYPY, grown


def alive(kind):
    """How many objects of that very type there are, after collecting what can be."""
    for _ in range(3):
        gc.collect()
    return sum(type(each) is kind for each in gc.get_objects())


def test_values_and_their_segments_leave_nothing(twin, value_in, kind):
    memory = bytearray(8 * 24)

    def work():
        segment = twin.Segment(lambda segment: segment.attach(memory, [0] * 24))
        made = value_in(kind, segment)
        made.put(1)
        made.get()

    assert grown(work, 5_000) < 512


def test_the_slow_path_leaves_nothing(twin, value_in, kind):
    """Updates that wait, or go to nobody; values that are refused; readings that are."""

    def later(function, *arguments):
        pass

    waiting = value_in(kind, twin.Segment(lambda segment: later))
    failing = value_in(kind, twin.Segment(lambda segment: None))

    def work():
        waiting.put(2.5)
        waiting.put(math.nan)
        waiting.get()
        for use in (lambda: failing.put(1), failing.get, lambda: waiting.put(waiting.wrong)):
            try:
                use()
            except (RuntimeError, TypeError):
                pass

    assert grown(work, 5_000) < 512


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy, which counts no references")
def test_a_text_with_a_surrogate_leaves_nothing(value):
    """It has no UTF-8 of its own: bytes are made of it each time."""
    made, _ = value("Text")
    assert grown(lambda: made.put("\ud800" * 1000), 2_000) < 512


def test_a_mean_over_a_large_ring_leaves_nothing(twin, lanes, refused):
    moving = twin.Moving(lanes(count=2100).segment, 0, 2000, "x", refused)
    for _ in range(2000):
        moving.add(1.7e308)  # the sum of which no double holds
    assert grown(lambda: moving.value, 50) < 512


def test_a_mean_over_many_slices_leaves_nothing(twin, lanes, refused):
    window = twin.Window(lanes(count=3100).segment, 0, 1000, 1, "x", refused)
    for _ in range(2000):
        window.add(1.7e308)
    assert grown(lambda: window.value, 50) < 512


def test_threads_leave_nothing(value, kind):
    made, there = value(kind)

    def work():
        thread = threading.Thread(target=made.put, args=(1,))
        thread.start()
        thread.join()
        there.memories.clear()

    assert grown(work, 200) < 512


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy, which counts no references")
def test_what_a_value_is_made_of_is_held_once(twin, kind, lanes):
    """Segment, label and whom to tell: one reference each while it lives, none after it."""
    there, label, refuse = lanes(count=24), f"a label of its own for {kind}", lambda: None
    parts = there.segment, label, refuse

    def counts():
        return [sys.getrefcount(part) for part in parts]

    before = counts()
    if kind == "Text":
        made = twin.Text(label, 12)
        del made
        assert before == counts()
        return
    made = getattr(twin, kind)(there.segment, 1, *spreading.sizes(twin, kind), label, refuse)
    assert [count + 1 for count in before] == counts()
    for _ in range(100):
        (made.observe if kind == "Timing" else made.add)(1)
        repr((made.value, made.label))
    assert [count + 1 for count in before] == counts()
    del made
    assert before == counts()


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy, which counts no references")
def test_a_text_holds_neither_what_it_was_given_nor_its_initial_value(value):
    made, there = value("Text")
    initial, given = object(), "a text of its own, longer than its slot"
    made.stats._mm_cells = {"x": (there.segment, 1, initial)}
    made.get()
    before = [sys.getrefcount(each) for each in (initial, given, there.segment)]
    for _ in range(100):
        there.memories[0][1] = 0
        assert made.get() is initial
        made.put(given)
        made.get()
    assert before == [sys.getrefcount(each) for each in (initial, given, there.segment)]


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy: who is alive is not told")
@pytest.mark.parametrize("way", ["closure", "method", "partial", "attribute"])
def test_a_value_in_a_cycle_with_whom_it_tells_is_freed(twin, lanes, number_kind, way):
    """Freed, and not only unreachable: a weak reference would be dead in both cases."""
    there = lanes(count=24)

    class Cyclic(getattr(twin, number_kind)):
        def __init__(self):
            ways = {"closure": lambda: self, "method": self.told, "partial": functools.partial(print, self)}
            super().__init__(there.segment, 1, *spreading.sizes(twin, number_kind), "x", ways.get(way, print))
            self.me = self if way == "attribute" else None

        def told(self):
            pass

    for _ in range(10):
        Cyclic()
    assert alive(Cyclic) == 0


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy: who is alive is not told")
def test_a_segment_in_a_cycle_with_its_values_is_freed(twin, value_in, kind):
    class Opener:
        def __init__(self):
            self.made = value_in(kind, twin.Segment(self))
            self.memory = bytearray(8 * 24)
            self.made.put(1)

        def __call__(self, segment):
            segment.attach(self.memory if hasattr(self, "memory") else bytearray(8 * 24))

    for _ in range(10):
        Opener()
    assert alive(Opener) == 0


@pytest.mark.skipif(IS_PYPY, reason="not on PyPy: who is alive is not told")
def test_a_class_in_a_cycle_with_its_text_is_freed(twin, lanes):
    there = lanes(count=24)

    class Meta(type):
        pass

    def cycle():
        cls = Meta("Model", (twin.Instance,), {"x": twin.Text("x", 12)})
        stats = cls()
        stats._mm_bind("_mm_cells", {"x": (there.segment, 1, cls)})
        stats.x = "up"

    for _ in range(10):
        cycle()
    assert alive(Meta) == 0


def test_the_class_does_not_keep_the_instance_or_its_segment(value):
    """A class, and its text, outlive the models."""
    made, there = value("Text")
    made.put("up")
    made.get()
    cls, segment, stats = type(made.stats), weakref.ref(there.segment), weakref.ref(made.stats)
    del made, there
    for _ in range(3):
        gc.collect()
    assert (None, None, "x") == (segment(), stats(), cls.x.name)


@pytest.mark.parametrize("name", ["Average", "Moving", "Window", "Timing"])
def test_a_value_without_init_is_no_crash(name):
    native = pytest.importorskip("mmstats.cells._native", reason="not on PyPy", exc_type=ImportError)
    cls = getattr(native, name)
    made = cls.__new__(cls)
    for use in (lambda: made.value, lambda: (made.observe if name == "Timing" else made.add)(1)):
        with pytest.raises(RuntimeError, match=rf"^{name}\.__init__ was not called$"):
            use()
    assert repr(made) == f"<{name}>"
    segment = native.Segment(lambda segment: None)
    sizes = spreading.sizes(native, name)
    made.__init__(segment, 0, *sizes, "x", None)
    with pytest.raises(RuntimeError, match="'x' is bound already"):
        made.__init__(segment, 0, *sizes, "again", None)
    assert made.label == "x"


def test_a_subclass_that_forgets_init_is_no_crash(twin):
    """An error, of whatever kind, where it is used."""

    class Forgetful(twin.Timing):
        def __init__(self):
            pass

    for use in (lambda made: made.observe(1), lambda made: made.last, lambda made: made.value):
        with pytest.raises((RuntimeError, AttributeError)):
            use(Forgetful())


def test_a_text_without_init_is_no_crash(twin):
    text = twin.Text.__new__(twin.Text)
    cls = type("Model", (), {"x": text})
    stats = cls()
    stats._mm_cells = {}
    with pytest.raises(AttributeError):
        stats.x = "up"
    with pytest.raises(AttributeError):
        _ = stats.x
