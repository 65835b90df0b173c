"""Counter: what is added, what is refused, what is shown."""

from __future__ import annotations

import decimal
import warnings

import pytest

from mmstats.format.layout import CELL_TYPE_BOOL, CELL_TYPE_F64, CELL_TYPE_I64, CELL_TYPE_U64


class Indexed:
    def __init__(self, number):
        self.number = number

    def __index__(self):
        return self.number


def test_incr_adds_one(lanes):
    there = lanes()
    there.counter().incr()
    assert [1] == [there.memories[0][0]]


def test_incr_and_inc_take_an_amount_by_position_and_by_name(lanes):
    counter = lanes().counter()
    counter.incr(2)
    counter.incr(amount=3)
    counter.inc()
    counter.inc(4)
    counter.inc(n=5)
    assert counter.value == 15


@pytest.mark.parametrize(
    "call", ["incr(1, 2)", "incr(1, amount=2)", "incr(n=1)", "inc(amount=1)", "inc(1, 2)"]
)
def test_other_arguments_are_refused(lanes, call):
    counter = lanes().counter()
    with pytest.raises(TypeError):
        eval(f"counter.{call}")
    assert counter.value == 0


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([2**64 - 1, 1], 0),
        ([2**64 - 1, 2], 1),
        ([2**63], 2**63),
        ([2**63, 2**63 - 1], 2**64 - 1),
        ([2**64 + 5], 5),
        ([10**40], 10**40 % 2**64),
        ([True, True], 2),
        ([False], 0),
        ([Indexed(7)], 7),
        ([2**30, 2**31, 2**60], 2**30 + 2**31 + 2**60),
    ],
)
def test_a_u64_counter_counts_modulo_2_to_the_64(lanes, amounts, expected):
    there = lanes()
    counter = there.counter()
    for amount in amounts:
        counter.incr(amount)
    assert (expected, expected) == (counter.value, there.memories[0][0])


@pytest.mark.parametrize("amount", [-1, -3, -(2**31), -(2**64) - 5, Indexed(-2)])
def test_a_negative_amount_wraps_a_u64_counter(lanes, amount):
    counter = lanes().counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counter.incr(amount)
    expected = (amount.number if isinstance(amount, Indexed) else amount) % 2**64
    assert expected == counter.value


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([-1], -1), ([5, -7], -2), ([2**63], -(2**63)), ([-(10**40)], (-(10**40) + 2**63) % 2**64 - 2**63)],
)
def test_an_updown_goes_below_zero(lanes, amounts, expected):
    counter = lanes().updown()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for amount in amounts:
            counter.incr(amount)
    assert expected == counter.value


def test_a_float_counter_takes_floats_and_integers(lanes):
    counter = lanes().counter(cell_type=CELL_TYPE_F64)
    counter.incr()
    counter.incr(0.5)
    counter.incr(-3)
    counter.incr(decimal.Decimal("0.25"))
    assert (-1.25, float) == (counter.value, type(counter.value))


@pytest.mark.parametrize("amount", [1.5, 1.0, "1", None, b"1", 1j, [], decimal.Decimal(1)])
def test_an_int_counter_refuses_what_is_no_integer(lanes, amount):
    counter = lanes().counter()
    counter.incr()
    with pytest.raises(TypeError) as caught:
        counter.incr(amount)
    expected = f"'web.hits' takes an int, not {type(amount).__name__}: {amount!r}"
    assert (expected, 1) == (str(caught.value), counter.value)


@pytest.mark.parametrize("amount", ["1", None, b"1", 1j, []])
def test_a_float_counter_refuses_what_is_no_number(lanes, amount):
    counter = lanes().counter(cell_type=CELL_TYPE_F64)
    with pytest.raises(TypeError) as caught:
        counter.incr(amount)
    expected = f"'web.hits' takes a number, not {type(amount).__name__}: {amount!r}"
    assert (expected, 0.0) == (str(caught.value), counter.value)


def test_an_error_of_the_amount_itself_is_not_disguised(lanes):
    class Broken:
        def __index__(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lanes().counter().incr(Broken())


def test_value_is_settable(lanes):
    there = lanes()
    counter = there.counter()
    counter.value = 41
    counter.incr()
    assert (42, 42) == (counter.value, there.memories[0][0])
    counter.value = 2**64 + 3
    assert counter.value == 3


def test_value_takes_what_the_counter_takes_and_is_not_deleted(lanes):
    counter = lanes().counter()
    with pytest.raises(TypeError, match=r"'web.hits' takes an int, not float: 1\.5"):
        counter.value = 1.5
    with pytest.raises((TypeError, AttributeError)):
        del counter.value


def test_total_asks_the_region(lanes):
    counter = lanes().counter(index=3, total=lambda *asked: asked)
    assert (3, CELL_TYPE_U64) == counter.total


def test_label_and_repr_say_which_counter_it_is(lanes):
    counter = lanes().counter()
    assert ("web.hits", "<Counter 'web.hits'>") == (counter.label, repr(counter))


def test_a_subclass_adds_to_incr(twin, lanes):
    class Loud(twin.Counter):
        said = 0

        def incr(self, amount=1):
            self.said += 1
            super().incr(amount)

    there = lanes()
    counter = Loud(there.segment, 0, CELL_TYPE_I64, "loud", None)
    counter.incr()
    counter.incr(2)
    assert (2, 3, "<Loud 'loud'>") == (counter.said, counter.value, repr(counter))


@pytest.mark.parametrize("cell_type", [CELL_TYPE_BOOL, 0, 99])
def test_nothing_else_counts(lanes, cell_type):
    with pytest.raises(ValueError, match="nothing counts in cells of type"):
        lanes().counter(cell_type=cell_type)


def test_the_warning_of_wrapping_comes_once_and_names_the_label(said):
    """Once is once for the whole process; the line that is named is the caller's."""
    program = """
        import warnings
        segment = twin.Segment(lambda segment: segment.attach(bytearray(16)))
        counter = twin.Counter(segment, 0, 1, 'web.hits', None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            counter.incr(-1)  # line 8 of what is run
            counter.incr(-1)
            counter.value = -1
        print([(str(each.message), each.category.__name__, each.lineno) for each in caught])
    """
    text = "'web.hits': a negative amount wraps modulo 2**64; what goes down is an UpDownField"
    assert [(text, "RuntimeWarning", 8)] == eval(said(program))
