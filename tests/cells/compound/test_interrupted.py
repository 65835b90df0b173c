"""An update that is interrupted on its own thread, by code that updates the same value, or that raises.

A trace function stands for a signal handler: it is called at each line of the twin's Python, and does what
the test says at one of them. The native twin has none in an update: there the update is just done.
"""

from __future__ import annotations

import gc
import sys

import pytest

import spreading
from mmstats.format import compound

INSIDE = "/mmstats/cells/"
MOST = 300  # lines of one update


class TimeIsOverError(Exception):
    """What a handler may raise."""


def interrupted(update, stop, handler, where=""):
    """Do the update; the handler runs before line `stop` of the functions called so. Whether it ran."""
    lines, before = [], sys.gettrace()

    def trace(frame, event, _argument):
        if INSIDE not in frame.f_code.co_filename:
            return None
        if event == "line" and where in frame.f_code.co_name:
            lines.append(frame.f_lineno)
            if len(lines) == stop:
                sys.settrace(before)
                handler()
        return trace if len(lines) < stop else None

    gc.disable()  # what a finalizer raises comes out nowhere
    sys.settrace(trace)
    try:
        update()
    finally:
        sys.settrace(before)
        gc.enable()
    return len(lines) >= stop


def at_each_line(attempt):
    """attempt(stop) for each line that an update has; what the attempts gave that were interrupted."""
    for stop in range(1, MOST):
        ran, outcome = attempt(stop)
        yield stop, outcome
        if not ran:
            return
    raise AssertionError(f"an update of more than {MOST} lines")


@pytest.fixture
def fresh(value, kind):
    """A function: a value with one update, and how many it has had, with the sum of a reader's."""

    def make():
        made, there = value(kind)
        made.put(1)

        def found():
            raw = bytes(there.memories[0].map)
            n = compound.witness(raw, 8)
            take = {
                "Average": compound.average,
                "Moving": compound.moving,
                "Window": spreading.window,
                "Timing": spreading.timer,
            }
            if kind == "Text":
                return n, compound.text(raw, 8, spreading.CELLS[kind], n, True, 0)[1]
            total = take[kind](raw, 8, spreading.CELLS[kind], n, True, 0)
            return n, total[1] if kind == "Timing" else total[0]

        return made, found

    return make


def expected(kind, *numbers):
    """What a reader finds after these; a moving sum is of the last three."""
    total = sum(numbers[-3:] if kind == "Moving" else numbers)
    return len(numbers), str(numbers[-1]) if kind == "Text" else float(total)


def test_a_handler_that_updates_the_same_value_loses_nothing(fresh, kind):
    """One after the other, in one of both orders."""

    def attempt(stop):
        made, found = fresh()
        ran = interrupted(lambda: made.put(2), stop, lambda: made.put(4))
        return ran, (ran, found())

    for stop, (ran, found) in at_each_line(attempt):
        allowed = [expected(kind, 1, 2, 4), expected(kind, 1, 4, 2)] if ran else [expected(kind, 1, 2)]
        assert found in allowed, stop


def raising(made, stop, handler, where=""):
    """Whether the handler ran, and what it raised came out of the update."""
    came_out = []

    def run():
        handler()
        came_out.append(True)
        raise TimeIsOverError

    try:
        interrupted(lambda: made.put(2), stop, run, where)
    except TimeIsOverError:
        return True
    assert not came_out, f"line {stop}: what the handler raised was swallowed"
    return False


def test_an_update_that_a_handler_ends_is_whole_or_none(fresh, kind):
    """The value is that of before the update, or the one after it."""

    def attempt(stop):
        made, found = fresh()
        return raising(made, stop, lambda: None), found()

    for stop, found in at_each_line(attempt):
        assert found in [expected(kind, 1), expected(kind, 1, 2)], stop


def after_one_that_ended(fresh, kind):
    """Each line, what was there when a handler had ended an update there, and after another update."""

    def attempt(stop):
        made, found = fresh()
        ran = raising(made, stop, lambda: None)
        before = [1, 2][: found()[0]]
        made.put(8)
        return ran, (before, found())

    return at_each_line(attempt)


def test_after_an_update_that_a_handler_ended_others_are_done(fresh, kind):
    for stop, (before, found) in after_one_that_ended(fresh, kind):
        assert found in [expected(kind, *before, 8), expected(kind, *before, 2, 8)], stop


def test_an_update_that_a_handler_ended_never_comes_back(fresh, kind):
    """Who caught what the handler raised may have done it again."""
    for stop, (before, found) in after_one_that_ended(fresh, kind):
        assert found in [expected(kind, *before, 8), expected(kind, *before)], stop


def test_what_a_handler_updates_before_it_raises_is_there_at_once(fresh, kind):
    """It came back to the handler as done, in the middle of the stores; who raises then takes none back."""

    def attempt(stop):
        made, found = fresh()
        ran = raising(made, stop, lambda: made.put(4), "_store")
        return ran, (ran, found())

    with_it = [expected(kind, 1, 4), expected(kind, 1, 2, 4), expected(kind, 1, 4, 2)]
    for stop, (ran, found) in at_each_line(attempt):
        assert found in (with_it if ran else [expected(kind, 1, 2)]), stop


def test_a_handler_may_let_go_of_the_memory(fresh, lanes, value, kind):
    """What it interrupted ends in the old memory or in the new, and what follows goes on in the new."""

    def attempt(stop):
        made, there = value(kind)
        made.put(1)
        ran = interrupted(lambda: made.put(2), stop, there.segment.close)
        made.put(8)
        return ran, [memory[1] for memory in there.memories]

    for stop, counts in at_each_line(attempt):
        assert counts in ([1, 2], [2, 1], [3]), stop
