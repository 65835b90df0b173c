"""Prefix replay: whatever store a writer is stopped after, readers see the old value or the new one."""

from __future__ import annotations

import os
import time

import pytest

import filebuilder as fb
import loading
import plainly
import programs
import stepping
from mmstats import snapshot
from mmstats.host import clock

pytestmark = [pytest.mark.skipif(not stepping.POSSIBLE, reason=stepping.WHY_NOT), pytest.mark.main]


def say(text):
    return lambda stats: setattr(stats, "phase", text)


# What is done before, the update that is stepped, and how many stores it makes at least.
UPDATES = {
    "first of an average": ([], lambda stats: stats.size.add(3), 2),
    "average": ([lambda stats: stats.size.add(1)], lambda stats: stats.size.add(3), 2),
    "moving, not full": ([lambda stats: stats.load.add(1)], lambda stats: stats.load.add(3), 2),
    "moving, full": ([lambda stats: stats.load.add(1)] * 4, lambda stats: stats.load.add(3), 2),
    "first of a window": ([], lambda stats: stats.recent.add(3), 4),
    "window": ([lambda stats: stats.recent.add(1)], lambda stats: stats.recent.add(3), 4),
    "another slice": (
        [lambda stats: (stats.recent.add(1), time.sleep(0.01))], lambda stats: stats.recent.add(3), 7
    ),
    "first of a timer": ([], lambda stats: stats.latency.observe(3), 6),
    "timer": ([lambda stats: stats.latency.observe(2)] * 5, lambda stats: stats.latency.observe(3), 4),
    "first of a histogram": ([], lambda stats: stats.body.observe(3), 8),
    "histogram": ([lambda stats: stats.body.observe(3)] * 2, lambda stats: stats.body.observe(3), 6),
    "another octave": ([lambda stats: stats.body.observe(3)], lambda stats: stats.body.observe(9), 8),
    "beyond all octaves": ([lambda stats: stats.body.observe(3)], lambda stats: stats.body.observe(1e12), 6),
    "a longer text": ([say("up")], say("x" * 20), 5),
    "a shorter text": ([say("y" * 20)] * 2, say("up"), 4),
}  # fmt: skip


KEPT = []  # of the child, which never leaves the context


def declare(mmstats):
    class Model(mmstats.BaseMmStats):
        size = mmstats.AverageField()
        load = mmstats.MovingAverageField(size=3)
        recent = mmstats.MovingAverageField(window=0.1)
        latency = mmstats.TimerField(size=2)
        phase = mmstats.StringField(size=24)
        body = mmstats.HistogramField(bounds=(1, 10))

    return Model


def states_of(twin, directory, before, update, spoil=lambda mmstats: None):
    """The states of the file in the update, in which each thread's cells are there already."""

    def prepare():
        os.environ["MMSTATS_PATH"] = str(directory)
        context = loading.loaded(twin)
        KEPT.append(context)
        package = context.__enter__()
        stats = declare(package)()
        spoil(package)
        for one in before:
            one(stats)
        _ = stats.size.value, stats.load.value, stats.recent.value, stats.latency.value, stats.phase
        return lambda: update(stats)

    return stepping.states(prepare, lambda: programs.files(directory)[0])


def by_snapshot(path):
    (one,) = snapshot(path)
    assert one.problems == []
    return [repr(stat.value) for stat in one.stats]


def by_plain_reader(path):
    read = plainly.reader().read(path)
    assert read["problems"] == []
    return [repr(stat["value"]) for stat in read["stats"]]


@pytest.fixture
def as_of_the_newest(monkeypatch):
    """Readers of windows of time take the clock of the newest value: the states are read long after."""
    monkeypatch.setattr(clock, "clock_of", lambda header, machine: 0)
    monkeypatch.setattr(plainly.reader(), "clock_of", lambda header: 0)


@pytest.mark.parametrize("update", UPDATES)
def test_old_or_new_and_never_a_mixture(twin, stats_dir, tmp_path, update, as_of_the_newest):
    before, step, stores = UPDATES[update]
    states = states_of(twin, stats_dir, before, step)
    assert len(states) > stores, "the update was not seen store by store"
    paths = [fb.write(tmp_path / f"{at}.mmstats", state) for at, state in enumerate(states)]
    for reader in by_snapshot, by_plain_reader:
        seen = [reader(path) for path in paths]
        old, new = seen[0], seen[-1]
        assert old != new
        change = next(at for at, value in enumerate(seen) if value != old)
        assert seen == [old] * change + [new] * (len(seen) - change), (
            f"{reader.__name__}: first the old value, then the new one"
        )


def in_place(mmstats):
    """A writer without the alternate place, whose witness comes first."""
    from mmstats.cells import compound

    def store(self, views, real):
        views[0][self._index] += 1
        for at in (1, 2):
            views[1][self._index + at] += real

    compound.Average._store = store


def test_the_replay_would_see_a_mixture(stats_dir, tmp_path):
    before, step, _ = UPDATES["average"]
    states = states_of("pure", stats_dir, before, step, in_place)
    seen = {by_snapshot(fb.write(tmp_path / "state.mmstats", state))[0] for state in states}
    assert len(seen) > 2
