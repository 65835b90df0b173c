"""Globs mean what the shell's do."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmstats.globs import escaped, has_magic, matches


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("web.requests", "web.*", True),
        ("web", "web.*", False),
        ("abc", "a?c", True),
        ("ac", "a?c", False),
        ("a7c", "a[0-9]c", True),
        ("axc", "a[!0-9]c", True),
        ("a7c", "a[!0-9]c", False),
        ("a]c", "a[]]c", True),
        ("a[c", "a[c", True),
        ("a-c", "a[x-]c", True),
        ("", "**", True),
        ("", "?", False),
        ("aab", "*ab", True),
        ("x", "", False),
    ],
)
def test_examples(name, pattern, expected):
    assert matches(name, pattern) is expected


@given(st.text("ab[]!*?", max_size=8), st.text("ab[]!*?", max_size=8))
def test_the_same_as_the_standard_library(name, pattern):
    assert matches(name, pattern) == fnmatch.fnmatchcase(name, pattern)


@given(st.text(max_size=20))
def test_an_escaped_text_matches_itself(text):
    assert matches(text, escaped(text))


def test_many_stars_take_no_long_time():
    assert not matches("a" * 5000, "*a" * 20 + "b")


def test_magic():
    assert has_magic("a*")
    assert not has_magic("a.b")
