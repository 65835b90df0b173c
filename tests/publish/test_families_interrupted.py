"""A signal handler that makes and forgets members at every line of what makes, uses and forgets one.

A trace function stands for it, as in tests/cells/compound/test_interrupted.py.
"""

from __future__ import annotations

import sys

import pytest

pytestmark = pytest.mark.main  # no line of ours differs from Python to Python, and PyPy is slow at this

INSIDE = ("/mmstats/publish/", "/mmstats/cells/")
MOST = 2_000


def interrupted(work, stop, handler):
    """Do the work; the handler runs before its line `stop`. Whether it ran."""
    lines, before = [0], sys.gettrace()

    def trace(frame, event, _argument):
        if not any(part in frame.f_code.co_filename for part in INSIDE):
            return None
        if event == "line":
            lines[0] += 1
            if lines[0] == stop:
                sys.settrace(before)
                handler()
        return trace if lines[0] < stop else None

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines[0] >= stop


@pytest.fixture
def family(mmstats):
    class Web(mmstats.BaseMmStats):
        requests = mmstats.CounterField(tags=("name",))

    return Web().requests


def members(mmstats):
    (one,) = [one for one in mmstats.snapshot() if one.origin.state == "alive"]
    assert [str(problem) for problem in one.problems] == []
    return {stat.tags["name"]: stat.value for stat in one.stats if stat.label == "requests"}


def take(family):
    family.tagged("mine").incr(5)


def take_and_forget(family):
    take(family)
    family.forget("mine")


@pytest.mark.parametrize("work", [take, take_and_forget])
@pytest.mark.parametrize("forgets", [False, True])
def test_at_every_line(mmstats, family, work, forgets):
    def handler():
        family.tagged("theirs").incr(700)
        if forgets:
            family.forget("mine")
        family.tagged("other").incr(90_000)

    for stop in range(1, MOST):
        family.tagged("stale").incr(1_000_000)  # somebody had the slots before
        family.forget("stale")
        ran = interrupted(lambda: work(family), stop, handler)
        found = members(mmstats)
        if ran:
            assert (found.pop("theirs"), found.pop("other")) == (700, 90_000)
        assert found in ({}, {"mine": 0}, {"mine": 5}), f"line {stop}"
        family.tagged("mine").incr(10)
        assert members(mmstats)["mine"] in (10, 15), f"line {stop}"
        for name in ("mine", "theirs", "other"):
            family.forget(name)
        assert members(mmstats) == {}, f"line {stop}"
        if not ran:
            assert stop > 20
            return
    raise AssertionError(f"more than {MOST} lines")
