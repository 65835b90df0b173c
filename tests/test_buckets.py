"""Which bucket a value is in: equal to big-integer arithmetic at every edge."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmstats.buckets import edge, index_of, thresholds

SCALES = range(9)
VALUES = st.floats(min_value=5e-324, max_value=sys.float_info.max)


def is_in(value: float, index: int, scale: int) -> bool:
    """Whether 2**(index / 2**scale) < value <= 2**((index + 1) / 2**scale), by powers of integers."""
    power = Fraction(value) ** (1 << scale)
    return Fraction(2) ** index < power <= Fraction(2) ** (index + 1)


def after(value: float) -> float:
    """The next double."""
    return value + math.ulp(value)


@pytest.mark.parametrize("scale", SCALES)
def test_a_threshold_is_the_largest_double_that_is_not_above_its_edge(scale):
    found = thresholds(scale)
    assert len(found) == (1 << scale) - 1
    for k, value in enumerate(found, 1):
        root = Fraction(2) ** k
        assert Fraction(value) ** (1 << scale) <= root < Fraction(after(value)) ** (1 << scale)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("octave", [-30, -20, -1, 0, 1, 39])
def test_at_every_edge_of_an_octave(scale, octave):
    for value in [1.0, *thresholds(scale), 2.0]:
        at = math.ldexp(value, octave)
        for near in (at - math.ulp(at) / 2, at, after(at)):
            assert is_in(near, index_of(near, scale), scale), near


@given(VALUES, st.integers(0, 4))
def test_any_double_is_in_its_bucket(value, scale):
    assert is_in(value, index_of(value, scale), scale)


@pytest.mark.parametrize("scale", SCALES)
def test_the_ends_of_all_doubles(scale):
    room = 1 << scale
    for value, octave in ((5e-324, -1075), (sys.float_info.min, -1023), (sys.float_info.max, 1023)):
        assert index_of(value, scale) // room == octave
        assert index_of(value, scale) % room == room - 1


@pytest.mark.parametrize("scale", SCALES)
def test_whole_nanoseconds_are_in_the_bucket_that_exact_arithmetic_gives(scale):
    """Durations are integers of nanoseconds, divided by 1e9: that rounds, and never over an edge."""
    room = 1 << scale
    for index in range(-20 * room, 12 * room + 1, 1 if scale < 6 else 7):
        below = 10**9 * (Fraction(2) ** index if scale == 0 else 1)
        # floor(10**9 * 2**(index / room)), by integer roots
        number = (10**9) ** room * 2**index if index >= 0 else (10**9) ** room // 2**-index
        for _ in range(scale):
            number = math.isqrt(number)
        below = number
        for nanoseconds in (below, below + 1):
            power = Fraction(nanoseconds, 10**9) ** room
            expected = Fraction(2) ** index < power
            assert (index_of(nanoseconds / 1e9, scale) >= index) == expected, (index, nanoseconds)


@pytest.mark.parametrize("scale", SCALES)
def test_an_edge_is_the_double_below_it(scale):
    room = 1 << scale
    for index in (-3 * room, -1, 0, 1, room - 1, room, 7 * room + room // 2):
        at = edge(index, scale)
        assert index_of(at, scale) == index - 1
        assert index_of(after(at), scale) == index
    assert edge(1024 << scale, scale) == math.inf
    assert edge(-1080 << scale, scale) == 0.0
