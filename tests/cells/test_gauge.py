"""Gauge: one cell that all threads share; what is set, what is refused, what a fork may not touch."""

from __future__ import annotations

import decimal
import gc
import math
import struct
import threading
import weakref

import pytest

from mmstats.errors import Removed
from mmstats.format.layout import NEVER_F64


@pytest.fixture
def gauge(twin, memory):
    """A function: a bound one, its memory, and what was refused."""

    def make(opener=None, track=None):
        shared, refused = memory(2, [NEVER_F64, NEVER_F64]), []

        def open_it(segment):
            segment.attach(shared.view)
            if not twin.token.stands:
                twin.token.renew()

        segment = twin.Segment(opener or open_it)
        return twin.Gauge(segment, 1, "pool.free", lambda: refused.append(1), track), shared, refused

    return make


def real(word):
    return struct.unpack("<d", struct.pack("<Q", word))[0]


@pytest.mark.parametrize("value", [12, -0.5, True, 2**70, math.inf, -math.inf, decimal.Decimal("0.25"), 0.0])
def test_what_is_set_is_there(gauge, value):
    bound, shared, refused = gauge()
    bound.set(value)
    assert (bound.value, real(shared[1]), shared[0]) == (float(value), float(value), NEVER_F64)
    bound.set(value=7)
    assert (bound.value, type(bound.value), refused) == (7.0, float, [])


def test_before_anything_was_set_it_is_zero(gauge):
    assert gauge()[0].value == 0.0


def test_a_nan_is_refused_and_the_last_value_stays(gauge):
    bound, shared, refused = gauge()
    bound.set(math.nan)
    assert (shared[1], bound.value) == (NEVER_F64, 0.0)
    bound.set(3)
    bound.set(real(NEVER_F64))
    bound.set(decimal.Decimal("nan"))
    assert (bound.value, len(refused)) == (3.0, 3)


@pytest.mark.parametrize("value", ["1", None, b"1", 1j, []])
def test_what_is_no_number_is_named(gauge, value):
    bound, shared, _ = gauge()
    with pytest.raises(TypeError) as caught:
        bound.set(value)
    assert str(caught.value) == f"'pool.free' takes a number, not {type(value).__name__}: {value!r}"
    assert shared[1] == NEVER_F64


@pytest.mark.parametrize("call", ["set()", "set(1, 2)", "set(n=1)", "track()", "set_to_current_time(1)"])
def test_other_arguments_are_refused(gauge, call):
    bound, _, _ = gauge()
    with pytest.raises(TypeError):
        eval(f"bound.{call}")
    assert bound.value == 0.0


def test_the_current_time_is_that_of_the_time_module(gauge, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1234.5)
    bound, _, _ = gauge()
    bound.set_to_current_time()
    assert bound.value == 1234.5


def test_threads_share_it(gauge):
    bound, _, _ = gauge()
    bound.set(1)
    seen = []

    def work():
        seen.append(bound.value)
        bound.set(2)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (seen, bound.value) == ([1.0], 2.0)


def test_a_child_stores_into_memory_of_its_own(gauge, memory, in_child, twin):
    bound, shared, _ = gauge()
    bound.set(5)

    def child():
        before = twin.token.stands
        bound.set(6)
        return before, real(shared[1])

    # Here the opener gives the same memory again, so what counts is that it was asked before the store.
    assert in_child(child) == [False, 6.0]

    asked = []
    nowhere, shared, _ = gauge(
        lambda segment: segment.attach(shared.view) if not asked else lambda function, value: None
    )
    nowhere.set(5)
    asked.append(1)
    assert in_child(lambda: (nowhere.set(6), real(shared[1]))) == [None, 5.0]
    assert real(shared[1]) == 5.0


def test_where_there_is_no_memory_the_update_is_handed_over(gauge):
    handed = []
    bound, _, _ = gauge(lambda _: lambda function, *arguments: handed.append((function.__name__, arguments)))
    bound.set(3)
    bound.set(4.5)
    assert (handed, bound.value) == ([("set", (3,)), ("set", (4.5,))], 0.0)


def test_after_removal_it_cannot_be_read(gauge):
    def later(*_update):
        pass

    later.removed = True
    bound, _, _ = gauge(lambda _: later)
    bound.set(3)
    with pytest.raises(Removed, match=r"'pool\.free' was removed"):
        bound.value  # noqa: B018 - reading it is the point


def test_track_gives_what_it_was_bound_with(gauge):
    bound, _, _ = gauge(track=lambda *given: given)
    assert bound.track(len) == (bound, len)


def test_assigning_is_setting(twin, gauge):
    """Where the declared field's verb is `set`; the handle stays where it is."""

    class Field:
        _mm_verb = "set"

    class Model(twin.Instance):
        __mmstats_fields__ = {"free": Field()}  # noqa: RUF012 - as a metaclass leaves it

    stats, (bound, _, _) = Model(), gauge()
    with pytest.raises(AttributeError, match="'free'"):
        stats.free = 5
    stats._mm_bind("free", bound)
    stats.free = 12
    assert (stats.free, stats.free.value) == (bound, 12.0)
    with pytest.raises(TypeError, match=r"'pool\.free' takes a number, not str: 'x'"):
        stats.free = "x"
    with pytest.raises(TypeError, match="'free' is declared as Field of Model: it cannot be deleted"):
        del stats.free


def test_it_is_collected_with_its_cycle(twin):
    def cycle():
        memory = bytearray(16)
        segment = twin.Segment(lambda segment: segment.attach(memory))
        bound = twin.Gauge(segment, 1, "x", lambda: bound, lambda *_: bound)
        bound.set(1)
        return weakref.ref(bound)

    references = [cycle() for _ in range(10)]
    for _ in range(3):
        gc.collect()
    assert {None} == {reference() for reference in references}


def test_one_without_init_is_no_crash():
    native = pytest.importorskip("mmstats.cells._native", reason="not on PyPy", exc_type=ImportError)
    bound = native.Gauge.__new__(native.Gauge)
    uses = (lambda: bound.set(1), bound.set_to_current_time, lambda: bound.track(len), lambda: bound.value)
    for use in uses:
        with pytest.raises(RuntimeError):
            use()
