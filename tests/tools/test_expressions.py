"""What must hold of stats, in words."""

from __future__ import annotations

import contextlib
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exposed import histogram
from mmstats.stat import About
from mmstats.tools.expressions import OPERATORS, PARTS, Expression, number_of
from mmstats.tools.select import WordsError


def about(label, **tags):
    return About("sum", "", False, "counter", label, tags, "")


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("a<5", 4, True),
        ("a<5", 5, False),
        ("a<=5", 5, True),
        ("a > 5", 5, False),
        ("a>=5", 5, True),
        ("a=5", 5.0, True),
        ("a==5", 5, True),
        ("a!=5", 5, False),
        ("a<-1.5e3", -1501, True),
        ("a<inf", 10**9, True),
        ("a<1", True, False),
        ("a<nan", 1, False),
        ("a<5", nan, False),
        ("a<5", "4", False),
        ("a<5", frozenset((1, 2)), False),
        ("a:p99<5", 4, False),  # a number has no percentile
    ],
)
def test_numbers(text, value, holds):
    assert Expression(text).holds(value) is holds


@pytest.mark.parametrize(
    ("number", "limit"),
    [
        *[("5ns", 5e-9), ("5us", 5e-6), ("5µs", 5e-6), ("50ms", 0.05), ("5 s", 5.0)],
        *[("2m", 120.0), ("1.5h", 5400.0), ("1d", 86400.0), ("5k", 5000.0), ("5M", 5e6), ("5G", 5e9)],
        *[("4Ki", 4096.0), ("1Mi", 2.0**20), ("1Gi", 2.0**30), ("5%", 0.05), ("inf", inf), ("1e3", 1000.0)],
    ],
)
def test_units(number, limit):
    assert Expression(f"a<{number}").limit == limit


@pytest.mark.parametrize(
    ("text", "label", "tags", "matches"),
    [
        ("web.*<5", "web.a", {}, True),
        ("web.*<5", "api.a", {}, False),
        ("/a$/<5", "web.a", {}, True),
        ("a{m=GET}>=5", "a", {"m": "GET"}, True),
        ("a{m=GET}>=5", "a", {"m": "PUT"}, False),
        ("a{m!=GET}:p99<5", "a", {"m": "PUT"}, True),
        ("a:b<5", "a:b", {}, True),
    ],
)
def test_which_stats(text, label, tags, matches):
    assert Expression(text).matches(about(label, **tags)) is matches


def test_parts_of_distributions():
    values = [0.25, 0.5, 2.0]
    timer, plain = histogram(values, timer=True), histogram(values)
    assert [number_of(plain, part) for part in ("", "count", "sum", "min", "max", "mean")] == [
        *(3, 3, 2.75, 0.25, 2.0),
        2.75 / 3,
    ]
    assert (number_of(timer, ""), number_of(timer, "last")) == (timer.moving, timer.last)
    assert number_of(plain, "last") is None
    assert all(number_of(timer, part) is not None for part in PARTS)
    assert Expression("a:p50<=550ms").holds(plain)
    assert not Expression("a:p50<=450ms").holds(plain)


@pytest.mark.parametrize("text", ["a", "a<", "<5", "a<five", "a<5parsecs", "a{m=GET}", "/(/<5", ""])
def test_what_makes_no_sense(text):
    with pytest.raises(WordsError):
        Expression(text)


@given(st.text(max_size=12))
def test_any_text_is_an_expression_or_says_why_not(text):
    with contextlib.suppress(WordsError):
        Expression(text)


@given(st.sampled_from(sorted(OPERATORS)), st.integers(-9, 9), st.integers(-9, 9))
def test_operators_are_pythons(operator, left, right):
    python = {"=": "=="}.get(operator, operator)
    assert Expression(f"a{operator}{right}").holds(left) is eval(f"{left}{python}{right}")
