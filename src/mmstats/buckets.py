"""Value ↔ bucket of an exponential histogram (spec/FORMAT.md 5.2): exact, and the same for every writer.

Bucket `i` of scale `s` has the values in (2**(i / 2**s), 2**((i + 1) / 2**s)]. All edges within an octave
but its ends are irrational, so no double is equal to one; whoever knows the largest double below each
knows the bucket of every double.
"""

from __future__ import annotations

from bisect import bisect_left
from math import frexp, inf, isqrt, ldexp

MANTISSA = 53  # bits of a double
_thresholds: dict[int, tuple[float, ...]] = {}


def thresholds(scale: int) -> tuple[float, ...]:
    """For k from 1 to 2**scale - 1 the largest double that is not above 2**(k / 2**scale)."""
    known = _thresholds.get(scale)
    if known is None:
        known = tuple([_root(k, scale) for k in range(1, 1 << scale)])
        _thresholds[scale] = known
    return known


def _root(k: int, scale: int) -> float:
    """2**(k / 2**scale), which lies between 1 and 2, rounded down: by `scale` square roots of an integer."""
    spare = 1 << scale  # bits, of which each root takes half
    number = 1 << k + (MANTISSA - 1) * spare
    for _ in range(scale):
        number = isqrt(number)
    return ldexp(number, 1 - MANTISSA)


def place_of(value: float, scale: int) -> tuple[int, int]:
    """Of a value above 0: its octave, and which of the octave's buckets it is in, from 0 on."""
    fraction, exponent = frexp(value)
    if fraction == 0.5:  # a power of two is the upper edge of its bucket
        return exponent - 2, (1 << scale) - 1
    return exponent - 1, bisect_left(thresholds(scale), 2 * fraction)


def index_of(value: float, scale: int) -> int:
    """The bucket of a value above 0."""
    octave, sub = place_of(value, scale)
    return (octave << scale) + sub


def edge(index: int, scale: int) -> float:
    """2**(index / 2**scale); infinite where no double is as large."""
    octave, sub = index >> scale, index & (1 << scale) - 1
    try:
        return ldexp(thresholds(scale)[sub - 1] if sub else 1.0, octave)
    except OverflowError:
        return inf
