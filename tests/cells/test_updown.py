"""UpDown: what is added and taken away, what is refused, what is left behind."""

from __future__ import annotations

import decimal
import gc
import warnings
import weakref

import pytest

from mmstats.errors import Removed
from mmstats.format.layout import CELL_TYPE_BOOL, CELL_TYPE_F64, CELL_TYPE_I64, CELL_TYPE_U64


@pytest.fixture
def updown(twin, lanes):
    """A function: a bound one, and its lanes."""

    def make(cell_type=CELL_TYPE_I64, held=None, **options):
        there = lanes(**options)
        return twin.UpDown(there.segment, 0, cell_type, "inflight", None, held), there

    return make


def test_it_goes_up_and_down_by_each_of_its_words(updown):
    bound, there = updown()
    bound.incr()
    bound.incr(7)
    bound.inc(n=2)
    bound.decr()
    bound.decr(amount=20)
    bound.dec()
    bound.dec(n=3)
    assert (-15, -15 % 2**64) == (bound.value, there.memories[0][0])


@pytest.mark.parametrize("call", ["decr(1, 2)", "decr(1, amount=2)", "decr(n=1)", "dec(amount=1)"])
def test_other_arguments_are_refused(updown, call):
    bound, _ = updown()
    with pytest.raises(TypeError):
        eval(f"bound.{call}")
    assert bound.value == 0


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([2**63], -(2**63)),
        ([2**63, 1], 2**63 - 1),
        ([-5, 2], 3),
        ([10**40], (2**63 - 10**40) % 2**64 - 2**63),
    ],
)
def test_it_wraps_as_64_bits_do_and_warns_of_nothing(updown, amounts, expected):
    bound, _ = updown()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for amount in amounts:
            bound.decr(amount)
    assert expected == bound.value


def test_in_floats_it_takes_floats(updown):
    bound, _ = updown(CELL_TYPE_F64)
    bound.decr()
    bound.decr(0.5)
    bound.decr(decimal.Decimal("0.25"))
    assert (-1.75, float) == (bound.value, type(bound.value))


@pytest.mark.parametrize(("cell_type", "wanted"), [(CELL_TYPE_I64, "an int"), (CELL_TYPE_F64, "a number")])
@pytest.mark.parametrize("amount", ["1", None, b"1", []])
def test_what_is_no_number_is_named(updown, cell_type, wanted, amount):
    bound, _ = updown(cell_type)
    with pytest.raises(TypeError) as caught:
        bound.decr(amount)
    expected = f"'inflight' takes {wanted}, not {type(amount).__name__}: {amount!r}"
    assert (expected, 0) == (str(caught.value), bound.value)


@pytest.mark.parametrize("cell_type", [CELL_TYPE_U64, CELL_TYPE_BOOL])
def test_other_cells_do_not_go_down(updown, cell_type):
    with pytest.raises(ValueError, match="'inflight'"):
        updown(cell_type)


def test_where_there_is_no_memory_the_very_update_is_handed_over(twin):
    handed = []
    segment = twin.Segment(lambda _: lambda function, *arguments: handed.append((function, arguments)))
    bound = twin.UpDown(segment, 0, CELL_TYPE_I64, "inflight", None, None)
    bound.decr()
    bound.decr(3)
    bound.incr(2)
    memory = bytearray(8)
    segment = twin.Segment(lambda segment: segment.attach(memory))
    there = twin.UpDown(segment, 0, CELL_TYPE_I64, "inflight", None, None)
    for function, arguments in handed:
        getattr(there, function.__name__)(*arguments)
    assert there.value == -2


def test_after_removal_it_cannot_be_read(twin):
    def later(*_update):
        pass

    later.removed = True
    bound = twin.UpDown(twin.Segment(lambda _: later), 0, CELL_TYPE_I64, "inflight", None, None)
    bound.decr()
    with pytest.raises(Removed, match="'inflight' was removed"):
        bound.value  # noqa: B018 - reading it is the point


def test_held_is_what_it_was_bound_with(updown):
    bound, _ = updown(held=lambda one: ("held", one))
    assert bound.held() == ("held", bound)


def test_a_next_owner_of_the_lane_begins_at_zero(updown):
    bound, there = updown(words=[2**64 - 7], base=[-7] + [0] * 7)
    bound.decr(3)
    assert (-3, -10 % 2**64) == (bound.value, there.memories[0][0])


def test_it_is_collected_with_its_cycle(twin):
    def cycle():
        memory = bytearray(16)
        segment = twin.Segment(lambda segment: segment.attach(memory))
        bound = twin.UpDown(segment, 0, CELL_TYPE_I64, "x", lambda *_: bound, lambda _: bound)
        bound.decr()
        return weakref.ref(bound)

    references = [cycle() for _ in range(10)]
    for _ in range(3):
        gc.collect()
    assert {None} == {reference() for reference in references}


def test_one_without_init_is_no_crash():
    native = pytest.importorskip("mmstats.cells._native", reason="not on PyPy", exc_type=ImportError)
    bound = native.UpDown.__new__(native.UpDown)
    for use in (bound.decr, lambda: bound.decr(1), bound.held, lambda: bound.value):
        with pytest.raises(RuntimeError):
            use()
