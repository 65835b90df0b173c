"""How far something has come, on a terminal alone, and only if it takes long."""

from __future__ import annotations

import io

import pytest

from mmstats.fold.folder import BATCH
from mmstats.tools import burying
from mmstats.tools.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_nothing_within_a_second(clock):
    out = Terminal()
    with Progress("folded", 10, out=out, clock=clock) as progress:
        clock.now += 0.9
        progress.at(5)
    assert out.getvalue() == ""


def test_a_line_that_is_gone_in_the_end(clock):
    out = Terminal()
    with Progress("folded", 10_000, out=out, clock=clock) as progress:
        for done in (1, 2_000, 2_001, 4_000):
            clock.now += 1.0 if done != 2_001 else 0.01
            progress.at(done)
    erase = "\r\x1b[K"
    lines = [f"folded {done} of 10,000" for done in ("1", "2,000", "4,000")]
    assert out.getvalue() == erase + erase.join(lines) + erase


@pytest.mark.parametrize(("out", "quiet"), [(io.StringIO(), False), (Terminal(), True)])
def test_nothing_in_a_pipe_or_if_it_is_to_be_quiet(clock, out, quiet):
    with Progress("folded", 10, quiet=quiet, out=out, clock=clock) as progress:
        clock.now += 10
        progress.at(5)
    assert out.getvalue() == ""


def test_it_is_gone_also_when_something_goes_wrong(clock):
    out = Terminal()

    def fail():
        with Progress("folded", 10, out=out, clock=clock) as progress:
            clock.now += 2
            progress.at(1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert out.getvalue().endswith("\r\x1b[K")


def test_folding_tells_how_far_it_is(clean, program, monkeypatch):
    """Each batch of files."""
    told = []

    class Told(Progress):
        def at(self, done):
            told.append((self._what, done, self._total))

    monkeypatch.setattr(burying, "Progress", Told)
    monkeypatch.setattr("mmstats.fold.folder.BATCH", 2)
    assert BATCH > 2
    started = [program() for _ in range(3)]  # all first: who starts folds dead neighbours
    for one in started:
        one.kill()
    code, _, _ = clean()
    assert code == 0
    assert told == [("cleanstats: folded", 2, 3), ("cleanstats: folded", 3, 3)]
