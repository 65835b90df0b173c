"""What an update is given: how it is called, values that run code of their own, and who is asked."""

from __future__ import annotations

import decimal
import fractions

import pytest


def call(handle, *arguments, **named):
    (handle.observe if hasattr(handle, "observe") else handle.add)(*arguments, **named)


class Real:
    """A number that does something while it is read."""

    def __init__(self, does=lambda: None):
        self.does = does

    def __float__(self):
        self.does()
        return 5.0


class Indexed:
    def __index__(self):
        return 3


def test_the_value_may_be_named(value, number_kind):
    """As 0.8 took it, and as the protocol says: add(value=), observe(seconds=)."""
    made, _ = value(number_kind)
    call(made.handle, **{"seconds" if number_kind == "Timing" else "value": 2})
    assert made.get() == 2.0


@pytest.mark.parametrize(
    ("arguments", "named"), [((), {}), ((1, 2), {}), ((), {"amount": 1}), ((1,), {"x": 1})]
)
def test_other_arguments_are_refused(value, number_kind, arguments, named):
    made, there = value(number_kind)
    with pytest.raises(TypeError):
        call(made.handle, *arguments, **named)
    assert [] == there.memories


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (decimal.Decimal("0.25"), 0.25),
        (fractions.Fraction(1, 4), 0.25),
        (Indexed(), 3.0),
        (Real(), 5.0),
        (2**62, 2.0**62),
        (-0.0, 0.0),
        (5e-324, 5e-324),
    ],
)
def test_what_has_a_float_is_a_number(value, number_kind, number, expected):
    made, _ = value(number_kind)
    made.put(number)
    assert expected == made.get()


@pytest.mark.parametrize("number", ["5", b"5", bytearray(b"5"), None, 1j, [], object])
def test_what_has_none_is_an_error_that_names_the_label_and_the_value(value, number_kind, number):
    made, there = value(number_kind)
    with pytest.raises(TypeError) as caught:
        made.put(number)
    expected = f"'x' takes a number, not {type(number).__name__}: {number!r}"
    assert (expected, []) == (str(caught.value), there.memories)


@pytest.mark.parametrize("number", [b"5", 5, None, ["5"]])
def test_what_is_no_text_is_an_error_that_names_the_field_and_the_value(value, number):
    made, there = value("Text")
    with pytest.raises(TypeError) as caught:
        made.stats.x = number
    expected = f"'x' takes a text, not {type(number).__name__}: {number!r}"
    assert (expected, []) == (str(caught.value), there.memories)


def test_an_integer_beyond_all_doubles_overflows(value, number_kind):
    """As it does in a float field: it is no infinity."""
    made, there = value(number_kind)
    with pytest.raises(OverflowError):
        made.put(10**400)
    assert [] == there.memories


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyError, AttributeError, ValueError])
def test_an_error_of_the_value_itself_is_not_disguised(value, number_kind, error):
    def fails():
        raise error("its own")

    made, _ = value(number_kind)
    made.put(1)
    with pytest.raises(error, match="its own"):
        made.put(Real(fails))
    assert made.get() == 1.0


def test_a_value_may_close_the_segment_while_it_is_read(value, number_kind):
    """What is stored goes where the handle leads by then."""
    made, there = value(number_kind)
    made.put(1)
    made.put(Real(there.segment.close))
    assert ([1, 1], 5.0) == ([memory[1] for memory in there.memories], made.get())


def test_a_value_may_update_the_same_value_while_it_is_read(value, number_kind):
    """One after the other, both are there."""
    made, there = value(number_kind)
    made.put(Real(lambda: made.put(1)))
    assert (2, 3.0) == (there.memories[0][1], made.get())


def test_what_is_not_finite_asks_nobody_for_memory(value, number_kind, not_finite, refused):
    made, there = value(number_kind)
    made.put(not_finite)
    assert (1, 0, []) == (refused.count, there.asked, there.memories)


def test_what_is_not_finite_is_refused_after_the_end_too(value_in, twin, number_kind, not_finite, refused):
    """It is counted as what it is, and not as an update of what was removed."""

    def later(function, *arguments):
        raise AssertionError("nothing is handed over")

    made = value_in(number_kind, twin.Segment(lambda segment: later))
    made.put(not_finite)
    assert refused.count == 1


@pytest.mark.parametrize("number", [float("nan"), 1.7e308])
def test_an_error_of_who_is_told_is_the_updates(twin, lanes, number):
    def refuse():
        raise KeyError("full")

    there = lanes()
    average = twin.Average(there.segment, 0, "x", refuse)
    average.add(1.7e308)
    with pytest.raises(KeyError, match="full"):
        average.add(number)
    average.add(-1.7e308)
    assert (0.0, 2) == (average.value, there.memories[0][0])


def test_who_is_told_may_update_the_same_value(twin, lanes):
    there = lanes()
    average = twin.Average(there.segment, 0, "x", lambda: average.add(3))
    average.add(float("nan"))
    average.add(1.7e308)
    assert (2, (3 + 1.7e308) / 2) == (there.memories[0][0], average.value)


@pytest.mark.parametrize("what", ["value", "last"])
def test_what_is_read_cannot_be_set(value, what):
    """0.8's `value` was never set on these; docs/python.md says so."""
    made, _ = value("Timing")
    made.put(1)
    with pytest.raises(AttributeError):
        setattr(made.handle, what, 5.0)
    with pytest.raises(AttributeError):
        delattr(made.handle, what)
    assert (1.0, 1.0) == (made.handle.value, made.handle.last)


def test_last_is_the_last_and_value_the_mean(value):
    made, _ = value("Timing")
    seen = []
    for seconds in (4, 2, 0, 1):
        made.put(seconds)
        seen.append((made.handle.last, made.handle.value))
    assert [(4.0, 4.0), (2.0, 3.0), (0.0, 2.0), (1.0, 1.0)] == seen
