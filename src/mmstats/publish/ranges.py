"""The range of a histogram or timer, as a program declares it."""

from __future__ import annotations

from math import frexp, isfinite

from mmstats.buckets import thresholds
from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.format.spread import Range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.publish.fields import Field

SCALE = 3
RANGES = {  # by unit, the least and the greatest value that have buckets
    "seconds": (1e-6, 3600.0),
    "bytes": (1.0, 2.0**40),
    "items": (1.0, 2.0**40),
}
ANY_UNIT = (1e-9, 1e9)


def range_of(
    field: Field, unit: str, scale: object, low: object, high: object, bounds: Sequence[object] | None
) -> Range:
    """The octaves that hold `low` and `high`. UsageError, which names field and value, for what is none."""
    if not isinstance(scale, int) or isinstance(scale, bool) or not 0 <= scale <= layout.SCALE_MOST:
        raise UsageError(f"{field!r}: scale={scale!r}: expected 0 to {layout.SCALE_MOST}")
    of_unit = RANGES.get(unit, ANY_UNIT)
    least = _positive(field, "low", of_unit[0] if low is None else low)
    most = _positive(field, "high", of_unit[1] if high is None else high)
    if not least < most:
        raise UsageError(f"{field!r}: low={least!r}, high={most!r}: expected a low below the high")
    first, last = _above(least) - 1, _above(most)
    if first < -layout.OCTAVE_MOST or last > layout.OCTAVE_MOST:
        raise UsageError(
            f"{field!r}: low={least!r}, high={most!r}: expected 2**-{layout.OCTAVE_MOST - 1} "
            f"to 2**{layout.OCTAVE_MOST}"
        )
    thresholds(scale)  # while it can be loaded: a handle may be made where there are no descriptors any more
    return Range(scale, first, last, _bounds(field, bounds))


def _above(value: float) -> int:
    """The least power of two that is not below the value."""
    fraction, exponent = frexp(value)
    return exponent - 1 if fraction == 0.5 else exponent


def _number(field: Field, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"{field!r}: {name}={value!r}: expected a number")
    try:
        return float(value)
    except OverflowError:
        raise UsageError(f"{field!r}: {name}={value!r}: expected what a float holds") from None


def _positive(field: Field, name: str, value: object) -> float:
    number = _number(field, name, value)
    if not (number > 0 and isfinite(number)):
        raise UsageError(f"{field!r}: {name}={value!r}: expected a finite number above 0")
    return number


def _bounds(field: Field, bounds: Sequence[object] | None) -> tuple[float, ...]:
    if bounds is None:
        return ()
    if isinstance(bounds, (str, bytes)):
        raise UsageError(f"{field!r}: bounds={bounds!r}: expected numbers")
    numbers = tuple([_number(field, "bounds", each) for each in bounds])
    if len(numbers) > layout.BOUNDS_MOST:
        raise UsageError(f"{field!r}: {len(numbers)} bounds: expected at most {layout.BOUNDS_MOST}")
    if not all(map(isfinite, numbers)) or any(one >= after for one, after in zip(numbers, numbers[1:])):
        raise UsageError(f"{field!r}: bounds={numbers!r}: expected finite numbers that ascend")
    return numbers
