"""mmstats.testing: what a test publishes is its own, and nothing of it is left."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time

import pytest

import loading
import programs


@pytest.fixture(params=programs.twins())
def mmstats(request, tmp_path, monkeypatch):
    """The package, publishing into a directory of this test."""
    monkeypatch.setenv("MMSTATS_PATH", str(tmp_path / "outside"))
    with loading.loaded(request.param) as package:
        yield package


@pytest.fixture
def model(mmstats):
    class Web(mmstats.BaseMmStats):
        hits = mmstats.CounterField()
        latency = mmstats.TimerField()

    return Web


def test_what_is_made_inside_is_there_and_nothing_is_left(mmstats, model, tmp_path):
    with mmstats.testing.isolated() as directory:
        stats = model()
        stats.hits.incr(3)
        assert os.path.dirname(stats.filename) == directory
        assert mmstats.testing.value_of("hits") == 3
    assert not os.path.exists(directory)
    assert not (tmp_path / "outside").exists()
    assert mmstats.snapshot() == []
    stats.hits.incr()
    assert mmstats.dropped.by_reason == {"removed": 1}


def test_what_was_made_outside_stays_outside(mmstats, model):
    stats = model()
    with mmstats.testing.isolated():
        stats.hits.incr(5)
        assert mmstats.testing.value_of("hits", None) is None
        model().hits.incr()
        assert mmstats.testing.value_of("hits") == 1
    assert mmstats.testing.value_of("hits") == stats.hits.total == 5


def test_nobody_asks_what_gauges_track_but_the_test(mmstats, monkeypatch):
    from mmstats.publish import ticker

    monkeypatch.setattr(ticker, "BEAT", 0.01)
    with mmstats.testing.isolated():
        asked = []
        mmstats.gauge("free").track(lambda: asked.append(1) or 3)
        time.sleep(20 * ticker.BEAT)
        assert asked == []
        mmstats.tick()
        assert (len(asked), mmstats.testing.value_of("free")) == (1, 3.0)


def test_metrics_without_a_class_begin_afresh_and_are_what_they_were(mmstats):
    outside = mmstats.counter("jobs")
    outside.incr(7)
    for _ in range(2):
        with mmstats.testing.isolated():
            inside = mmstats.counter("jobs")
            inside.incr()
            assert inside is not outside
            assert (mmstats.testing.value_of("jobs"), inside.total) == (1, 1)
            mmstats.gauge("free").set(3)  # another kind outside, later
    assert mmstats.counter("jobs") is outside
    mmstats.counter("free").incr(2)
    assert (mmstats.testing.value_of("jobs"), mmstats.testing.value_of("free")) == (7, 2)


def test_one_may_stand_in_another(mmstats):
    with mmstats.testing.isolated() as outer:
        mmstats.counter("jobs").incr()
        with mmstats.testing.isolated() as inner:
            mmstats.counter("jobs").incr(2)
            assert (outer == inner, mmstats.testing.value_of("jobs")) == (False, 2)
        assert (os.environ["MMSTATS_PATH"], mmstats.testing.value_of("jobs")) == (outer, 1)


def test_it_is_left_by_an_exception_as_well(mmstats, model, tmp_path, monkeypatch):
    monkeypatch.setenv("MMSTATS_DISABLE", "1")
    monkeypatch.setenv("MMSTATS_FILES", "other.mmstats")
    before = dict(os.environ)
    seen = []

    def work():
        with mmstats.testing.isolated() as directory:
            model().hits.incr()
            seen.extend((directory, mmstats.testing.value_of("hits")))
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert seen[1] == 1, "what says otherwise is set aside"
    assert not os.path.exists(seen[0])
    assert dict(os.environ) == before


def test_a_value_has_a_default_or_is_a_key_error(mmstats):
    with mmstats.testing.isolated():
        assert mmstats.testing.value_of("hits", 0) == 0
        with pytest.raises(KeyError, match="hits"):
            mmstats.testing.value_of("hits")
        mmstats.gauge("free", aggregate="all").set(3)
        assert mmstats.testing.value_of("free", pid=str(os.getpid())) == 3.0


def test_child_processes_are_in_it(mmstats, model):
    with mmstats.testing.isolated():
        stats = model()
        stats.hits.incr()
        child = os.fork()
        if not child:
            stats.hits.incr(2)
            os._exit(0)
        os.waitpid(child, 0)
        assert mmstats.testing.value_of("hits") == 3


def test_a_clock_stands_until_it_is_turned(mmstats, model):
    clock = mmstats.testing.Clock(100)
    with mmstats.testing.isolated():
        stats = model()
        with clock.drives(stats.latency):
            with stats.latency:
                clock.turn(2.5)
            assert (stats.latency.last, mmstats.testing.value_of("latency").sum) == (2.5, 2.5)
        with stats.latency:
            pass
        assert 0 < stats.latency.last < 2.5
        late = stats.add("late", mmstats.TimerField(timer=clock))
        with late as context:
            clock.turn(1)
        assert (context.elapsed, clock(), clock.now) == (1.0, 103.5, 103.5)


def test_it_is_the_body_of_a_fixture(tmp_path):
    program = """
        import mmstats, pytest
        stats_dir = pytest.fixture(mmstats.testing.fixture)

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(stats_dir, number):
            assert mmstats.testing.value_of("jobs", 0) == 0
            mmstats.counter("jobs").incr(number)
            assert mmstats.testing.value_of("jobs") == number
    """
    path = tmp_path / "test_it.py"
    path.write_text(textwrap.dedent(program))
    environment = {**os.environ, "PYTHONPATH": str(programs.ROOT / "src")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
