"""Number: what is stored for a value, and what is shown for what is stored."""

from __future__ import annotations

import decimal
import gc
import math
import struct
import weakref

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmstats.format.layout import (
    CELL_TYPE_BOOL,
    CELL_TYPE_F64,
    CELL_TYPE_I64,
    CELL_TYPE_U64,
    NEVER_F64,
    NEVER_I64,
    NEVER_U64,
)

WIDTHS = [(CELL_TYPE_U64, bits, False) for bits in (8, 16, 32, 64)]
WIDTHS += [(CELL_TYPE_I64, bits, True) for bits in (8, 16, 32, 64)]


def shown(value, bits, signed):
    """What 0.8 showed: the lowest bits, as ctypes has them."""
    value %= 1 << bits
    return value - (1 << bits) if signed and value >> bits - 1 else value


@pytest.mark.parametrize(("cell_type", "bits", "signed"), WIDTHS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=st.one_of(st.integers(), st.integers(-(2**66), 2**66), st.integers(-70000, 70000)))
def test_integers_wrap_to_their_width(number, cell_type, bits, signed, value):
    stats, there = number(cell_type, bits, signed)
    stats.x = value
    assert (shown(value, bits, signed), value % 2**64 if bits == 64 else None) == (
        stats.x,
        there.memories[0][0] if bits == 64 else None,
    )


def test_a_byte_of_300_is_44(number):
    stats, there = number(CELL_TYPE_U64, 8)
    stats.x = 300
    assert (44, 44) == (stats.x, there.memories[0][0])


def test_a_narrow_negative_number_fills_its_cell(number):
    stats, there = number(CELL_TYPE_I64, 16, signed=True)
    stats.x = -2
    assert (-2, 2**64 - 2) == (stats.x, there.memories[0][0])


@pytest.mark.parametrize(("cell_type", "bits", "signed"), WIDTHS)
def test_an_adopter_sees_its_own(number, cell_type, bits, signed):
    """Whatever the former owner left, also near the ends of the width and of the cell."""
    for left in (0, 1, 200, 2**31, 2**63 - 1, 2**63, 2**64 - 1, -5 % 2**64):
        stats, there = number(cell_type, bits, signed, words=[left], base=[left] + [0] * 7)
        assert stats.x == 0
        for value in (0, 1, 100, 127, 128, 255, 70000, -1, -128, 2**63, 2**64 - 1):
            stats.x = value
            expected = shown(value, bits, signed)
            assert (expected, (left + expected) % 2**64) == (stats.x, there.memories[0][0])


def test_an_adopter_adds_to_what_was_left(number):
    stats, there = number(CELL_TYPE_U64, words=[40], base=[40] + [0] * 7)
    for _ in range(2):
        stats.x += 1
    assert (2, 42) == (stats.x, there.memories[0][0])


def test_an_adopter_of_a_sum_of_floats_sees_its_own(number):
    left = struct.unpack("Q", struct.pack("d", 2.5))[0]
    stats, there = number(CELL_TYPE_F64, words=[left], base=[2.5] + [0] * 7)
    assert stats.x == 0.0
    stats.x = 1.25
    assert (1.25, 3.75) == (stats.x, struct.unpack("d", there.memories[0].map[:8])[0])


def test_an_adopter_of_a_sum_of_singles_sees_a_single(number):
    left = struct.unpack("Q", struct.pack("d", 1e6))[0]
    stats, _ = number(CELL_TYPE_F64, 32, words=[left], base=[1e6] + [0] * 7)
    stats.x = 0.1
    assert struct.unpack("f", struct.pack("f", 0.1))[0] == stats.x


@pytest.mark.parametrize(
    ("cell_type", "signed", "never", "value", "stored"),
    [
        (CELL_TYPE_U64, False, NEVER_U64, 2**64 - 1, 2**64 - 2),
        (CELL_TYPE_U64, False, NEVER_U64, -1, 2**64 - 2),
        (CELL_TYPE_U64, False, NEVER_U64, 2**64 - 2, 2**64 - 2),
        (CELL_TYPE_U64, False, NEVER_U64, 0, 0),
        (CELL_TYPE_I64, True, NEVER_I64, -(2**63), -(2**63) + 1),
        (CELL_TYPE_I64, True, NEVER_I64, 2**63, -(2**63) + 1),
        (CELL_TYPE_I64, True, NEVER_I64, -(2**63) + 1, -(2**63) + 1),
        (CELL_TYPE_I64, True, NEVER_I64, -1, -1),
    ],
)
def test_the_pattern_of_never_is_never_stored(number, cell_type, signed, never, value, stored):
    stats, there = number(cell_type, signed=signed, never=True, initial=7, words=[never])
    assert stats.x == 7
    stats.x = value
    assert (stored, stored % 2**64) == (stats.x, there.memories[0][0])


def test_a_nan_is_no_never(number):
    stats, there = number(CELL_TYPE_F64, never=True, initial=0.5, words=[NEVER_F64])
    assert stats.x == 0.5
    stats.x = struct.unpack("d", struct.pack("Q", NEVER_F64))[0]
    assert (True, 0x7FF8000000000000) == (math.isnan(stats.x), there.memories[0][0])


def test_a_base_is_not_for_numbers_that_begin_as_never(number):
    stats, there = number(CELL_TYPE_I64, signed=True, never=True, words=[5], base=[5] + [0] * 7)
    assert stats.x == 5
    stats.x = 3
    assert (3, 3) == (stats.x, there.memories[0][0])


def test_a_bool_is_stored_by_its_truth(number):
    stats, there = number(CELL_TYPE_BOOL, 8, initial=False, base=[9] + [0] * 7)
    stored = []
    for value in ([], "no", 0, 2.5, None, True):
        stats.x = value
        stored.append((stats.x, there.memories[0][0]))
    assert [(False, 1), (True, 2), (False, 1), (True, 2), (False, 1), (True, 2)] == stored


def test_a_bool_that_was_never_set_shows_its_initial_value(number):
    stats, there = number(CELL_TYPE_BOOL, 8, initial=True)
    assert stats.x is True
    stats.x = False
    assert (False, 1) == (stats.x, there.memories[0][0])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=st.floats(allow_nan=False))
def test_a_double_is_stored_as_it_is_and_a_single_rounded(number, value):
    for never in (False, True):
        stats, _ = number(CELL_TYPE_F64, never=never)
        stats.x = value
        assert value == stats.x
    stats, _ = number(CELL_TYPE_F64, 32)
    stats.x = value
    try:
        expected = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        expected = math.copysign(math.inf, value)
    assert expected == stats.x


def test_a_float_field_takes_integers(number):
    stats, _ = number(CELL_TYPE_F64)
    stats.x = 3
    assert (3.0, float) == (stats.x, type(stats.x))
    with pytest.raises(OverflowError):
        stats.x = 10**400


@pytest.mark.parametrize("value", [1.5, "1", None, 1j])
def test_an_integer_field_refuses_what_is_no_integer(number, value):
    stats, _ = number(CELL_TYPE_U64, 16)
    with pytest.raises(TypeError) as caught:
        stats.x = value
    assert f"'x' takes an int, not {type(value).__name__}: {value!r}" == str(caught.value)


@pytest.mark.parametrize("value", ["1", None, b"1"])
def test_a_float_field_refuses_what_is_no_number(number, value):
    stats, _ = number(CELL_TYPE_F64, never=True)
    with pytest.raises(TypeError) as caught:
        stats.x = value
    assert f"'x' takes a number, not {type(value).__name__}: {value!r}" == str(caught.value)


def test_a_number_is_not_deleted(number):
    stats, _ = number(CELL_TYPE_U64)
    with pytest.raises(TypeError, match="'x' cannot be deleted"):
        del stats.x


def test_the_class_answers_with_the_descriptor_itself(number):
    stats, _ = number(CELL_TYPE_U64)
    assert ("x", "<Number 'x'>") == (type(stats).x.name, repr(type(stats).x))


@pytest.mark.parametrize(
    ("cell_type", "bits"), [(CELL_TYPE_U64, 7), (CELL_TYPE_F64, 16), (0, 64), (5, 64), (CELL_TYPE_I64, 128)]
)
def test_there_is_no_such_number(twin, cell_type, bits):
    with pytest.raises(ValueError, match="'x': no number of"):
        twin.Number("x", cell_type, bits, False, False)


def test_an_instance_without_the_cell_has_no_such_attribute(number):
    stats, _ = number(CELL_TYPE_U64)
    stats._mm_cells.clear()
    with pytest.raises(AttributeError):
        stats.x = 1
    with pytest.raises(AttributeError):
        stats.x  # noqa: B018


def test_two_instances_have_a_cell_each(number, lanes):
    stats, _ = number(CELL_TYPE_U64)
    other = type(stats)()
    other._mm_cells = {"x": (lanes().segment, 5, 0)}
    for value in range(3):
        stats.x += value
        other.x += 10 * value
    assert (3, 30) == (stats.x, other.x)


def test_an_instance_that_takes_no_weak_reference_will_do(twin, lanes):
    class Bare:
        __slots__ = ("_mm_cells",)
        x = twin.Number("x", CELL_TYPE_U64, 64, False, False)

    stats = Bare()
    stats._mm_cells = {"x": (lanes().segment, 0, 0)}
    stats.x = 4
    stats.x += 1
    assert stats.x == 5


def test_the_class_does_not_keep_the_instance_or_its_segment(number):
    stats, there = number(CELL_TYPE_U64)
    cls, segment = type(stats), weakref.ref(there.segment)
    stats.x = 1
    del stats, there
    for _ in range(3):
        gc.collect()
    assert (None, "x") == (segment(), cls.x.name)


def test_a_nan_of_another_make_is_a_nan(number):
    """`decimal` will not compare its own, which is no reason to fail."""
    stats, _ = number(CELL_TYPE_F64)
    stats.x = decimal.Decimal("nan")
    assert math.isnan(stats.x)
