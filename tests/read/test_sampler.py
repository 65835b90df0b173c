"""Samples on a steady beat, with a clock that is turned by hand."""

from __future__ import annotations

import itertools

import pytest

import filebuilder as fb
from mmstats.errors import UsageError
from mmstats.read.sampler import Sampler


class Clock:
    """Time goes on when somebody sleeps, or `work` is done."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def monotonic(self):
        return self.now

    def time(self):
        return self.now + 1e9

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def test_the_first_comes_at_once_and_then_one_each_beat(tmp_path, clock):
    sampler = Sampler(tmp_path, 0.25, clock=clock)
    next(sampler)
    assert (clock.slept, sampler.at, sampler.elapsed, sampler.late) == ([], 1e9 + 1000.0, 0.0, 0.0)
    for _ in range(3):
        next(sampler)
        assert (sampler.elapsed, sampler.late) == (0.25, 0.0)
    assert clock.slept == [0.25] * 3


def test_work_does_not_move_the_beat(tmp_path, clock):
    sampler = Sampler(tmp_path, 1.0, clock=clock)
    for work in (0.0, 0.3, 0.9, 0.3):
        next(sampler)
        clock.now += work
    assert clock.slept == [1.0, 0.7, 0.1]


def test_beats_that_were_missed_are_left_out(tmp_path, clock):
    sampler = Sampler(tmp_path, 1.0, clock=clock)
    next(sampler)
    clock.now += 3.4
    next(sampler)
    assert (sampler.elapsed, clock.now) == (4.0, 1004.0)


def test_one_that_comes_late_says_so(tmp_path, clock):
    """The machine was busy: the next is on the beat again."""
    sampler = Sampler(tmp_path, 1.0, clock=clock)
    next(sampler)
    sleep, clock.sleep = clock.sleep, lambda seconds: sleep(seconds + 0.2)
    next(sampler)
    assert (round(sampler.late, 6), round(sampler.elapsed, 6)) == (0.2, 1.2)
    clock.sleep = sleep
    next(sampler)
    assert (round(sampler.late, 6), round(sampler.elapsed, 6)) == (0.0, 0.8)


def test_files_are_looked_for_each_time(tmp_path, clock):
    tmp_path.chmod(0o700)
    sampler = Sampler([str(tmp_path)], clock=clock)
    seen = []
    for snapshots in itertools.islice(sampler, 3):
        seen.append([one.origin.pid for one in snapshots])
        pid = 4242 + len(seen)
        data = fb.whole(*fb.fields(("a", "counter", fb.U64, 1)), **{**fb.ELSEWHERE, "pid": pid})
        fb.write_held(tmp_path / f"a-{pid}.mmstats", data)
    assert seen == [[], [4243], [4243, 4244]]


def test_paths_that_can_be_walked_once_are_kept(tmp_path, clock):
    sampler = Sampler(iter([str(tmp_path)]), clock=clock)
    assert (next(sampler), next(sampler)) == ([], [])


@pytest.mark.parametrize("interval", [0, -1, "1", True, None, float("nan"), float("inf")])
def test_what_is_no_interval(interval):
    with pytest.raises(UsageError, match="interval must be seconds above 0"):
        Sampler(interval=interval)
