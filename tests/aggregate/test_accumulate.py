"""Many lanes and files of one schema, by both twins, and by arithmetic that is not theirs."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import IS_PYPY, NATIVE_IS_OPTIONAL
from mmstats.aggregate import accumulate
from mmstats.aggregate.accumulate import (
    MAX_F64,
    MAX_I64,
    MAX_U64,
    MIN_F64,
    MIN_I64,
    MIN_U64,
    SKIP,
    SUM_F64,
    SUM_I64,
    SUM_U64,
    accumulator,
)
from mmstats.format.layout import NEVER_F64, NEVER_I64, NEVER_U64

PURE = accumulator(pure=True)
TWINS = [PURE] if NATIVE_IS_OPTIONAL and accumulator() is PURE else [PURE, accumulator()]
NEVER = {"U64": NEVER_U64, "I64": NEVER_I64, "F64": NEVER_F64}
NAMES = ["SKIP", *(f"{how}_{kind}" for how in ("SUM", "MAX", "MIN") for kind in NEVER)]
LETTERS = {"U64": "Q", "I64": "q", "F64": "d"}


@pytest.fixture(params=TWINS, ids=lambda one: "pure" if one is PURE else "native")
def twin(request):
    return request.param


@pytest.mark.skipif(IS_PYPY, reason="PyPy: there is no native twin")
def test_there_are_two_twins():
    """What is forced nowhere else: a silent fallback would be tested twice."""
    assert NATIVE_IS_OPTIONAL or accumulator().__module__ == "mmstats.aggregate._native"


def packed(rule, *values):
    letter = LETTERS[NAMES[rule][4:]]
    return struct.pack(f"<{len(values)}{letter}", *values)


@pytest.mark.parametrize(
    ("rule", "lanes", "found"),
    [
        (SUM_U64, (1, 2, 2**64 - 1), 2),  # modulo 2**64 over lanes
        (SUM_I64, (5, -7), -2),
        (SUM_I64, (2**63 - 1, 1), -(2**63)),
        (SUM_F64, (0.5, 0.25), 0.75),
        (MAX_U64, (3, NEVER_U64, 4), 4),
        (MIN_U64, (3, NEVER_U64, 4), 3),
        (MAX_I64, (-3, -(2**63), -4), -3),
        (MIN_I64, (-3, -(2**63), -4), -4),
        (MAX_F64, (-math.inf, 2.5), 2.5),
        (MIN_F64, (math.inf, 2.5), 2.5),
        (MAX_U64, (NEVER_U64,), None),
        (MIN_I64, (-(2**63),), None),
    ],
)
def test_lanes_of_one_file(twin, rule, lanes, found):
    one = twin(bytes([rule]))
    one.add(packed(rule, *lanes), tuple(range(0, 8 * len(lanes), 8)))
    assert one.values() == [found]


def test_sums_of_integers_over_files_are_exact(twin):
    one = twin(bytes([SUM_U64, SUM_I64]))
    for _ in range(3):
        one.add(struct.pack("<Qq", 2**64 - 1, -(2**63)), (0,))
    assert one.values() == [3 * (2**64 - 1), -3 * 2**63]


def test_never_is_one_pattern_and_not_every_nan(twin):
    one = twin(bytes([MAX_F64, MIN_F64]))
    one.add(struct.pack("<QQ", NEVER_F64, NEVER_F64), (0,))
    assert one.values() == [None, None]
    one.add(struct.pack("<dd", math.nan, 1.0), (0,))
    found = one.values()
    assert math.isnan(found[0])
    assert found[1] == 1.0


def test_cells_that_are_skipped_and_no_cells_at_all(twin):
    one = twin(bytes([SKIP, SUM_U64, SKIP]))
    one.add(struct.pack("<QQQ", 1, 2, 3), (0,))
    assert one.values() == [None, 2, None]
    none = twin(b"")
    none.add(b"", (0,))
    assert none.values() == []


@pytest.mark.parametrize("offset", [-8, 1, 8, 2**62])
def test_cells_beyond_the_bytes(twin, offset):
    one = twin(bytes([SUM_U64]))
    with pytest.raises(ValueError, match=f"1 cells at {offset}, of 8 bytes"):
        one.add(bytes(8), (0, offset))
    assert one.values() == [None]  # and nothing of the file counts


def test_a_rule_that_is_none(twin):
    with pytest.raises(ValueError, match="no rule 10"):
        twin(bytes([SUM_U64, 10]))


words = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from([*NEVER.values(), 0, 2**63, 2**64 - 1]),
    st.floats(allow_nan=False).map(lambda real: struct.unpack("<Q", struct.pack("<d", real))[0]),
)
rules = st.lists(st.integers(SKIP, MIN_F64), max_size=6).map(bytes)


@st.composite
def many_files(draw):
    """Rules, and files: each some bytes, and where its lanes begin."""
    ours = draw(rules)
    files = []
    for _ in range(draw(st.integers(0, 4))):
        lanes = draw(st.lists(st.lists(words, min_size=len(ours), max_size=len(ours)), max_size=4))
        data = b"x" * draw(st.integers(0, 9))
        offsets = []
        for lane in lanes:
            offsets.append(len(data))
            data += struct.pack(f"<{len(lane)}Q", *lane)
        files.append((data, tuple(offsets)))
    return ours, files


def by_hand(rule, files):
    """What one cell comes to: lists of lists of words, one of each file."""
    name = NAMES[rule]
    if name == "SKIP":
        return None
    kind, letter = name[4:], LETTERS[name[4:]]
    as_number = [[struct.unpack(f"<{letter}", struct.pack("<Q", word))[0] for word in file] for file in files]
    if name.startswith("SUM"):
        sums = [sum(file) if kind != "F64" else float_sum(file) for file in as_number if file]
        if kind == "U64":
            sums = [each % 2**64 for each in sums]
        elif kind == "I64":
            sums = [(each + 2**63) % 2**64 - 2**63 for each in sums]
        return (float_sum(sums) if kind == "F64" else sum(sums)) if sums else None
    written = [
        number
        for file, numbers in zip(files, as_number)
        for word, number in zip(file, numbers)
        if word != NEVER[kind]
    ]
    written = [number for number in written if not math.isnan(number)] or written[-1:]
    return (max if name.startswith("MAX") else min)(written, default=None)


def float_sum(numbers):
    total = numbers[0]
    for number in numbers[1:]:
        total += number
    return total


@given(many_files())
def test_as_arithmetic_by_hand(given_files):
    ours, files = given_files
    for each in TWINS:
        one = each(ours)
        for data, offsets in files:
            one.add(data, offsets)
        for at, (rule, found) in enumerate(zip(ours, one.values())):
            lanes = [
                [struct.unpack_from("<Q", data, offset + 8 * at)[0] for offset in offsets]
                for data, offsets in files
            ]
            expected = by_hand(rule, lanes)
            assert found == expected or (found != found and expected != expected)  # noqa: PLR0124 - both NaN


def bits(value):
    """Of a NaN only that it is one: which of two goes on is the processor's choice."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else struct.pack("<d", value)
    return value


@given(many_files())
def test_both_twins_give_the_same_bits(given_files):
    ours, files = given_files
    told = []
    for each in TWINS:
        one = each(ours)
        for data, offsets in files:
            one.add(memoryview(data), offsets)
        told.append([bits(value) for value in one.values()])
    assert all(each == told[0] for each in told)


def test_what_it_is_for_stays_named():
    """A number of a rule never changes: who keeps rules between two reads relies on it."""
    assert [getattr(accumulate, name) for name in NAMES] == list(range(10))
