"""A name with {TID} gives every thread a file of its own, as in 0.8."""

from __future__ import annotations

import gc
import os
import sys
import threading

import pytest

import programs

TEMPLATE = "{CMD}-{PID}-{TID}.mmstats"


@pytest.fixture
def model(mmstats):
    class Threaded(mmstats.MmStats):
        hits = mmstats.CounterField()
        errors = mmstats.UIntField()

    return Threaded


def in_thread(work):
    """What `work` returns, run in a thread that has ended."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    thread.join()
    gc.collect()  # on PyPy a thread's locals go with it
    return answers[0]


def names(stats_dir):
    return {path.name for path in programs.files(stats_dir)}


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_each_thread_has_a_file_with_its_own_id(mmstats, model, stats_dir):
    stats = model(filename=TEMPLATE)
    stats.hits.incr(2)

    def count():
        stats.hits.incr(3)
        stats.errors += 1
        found = {one.value("sys.tid"): one.value("hits") for one in mmstats.snapshot()}
        return threading.get_native_id(), stats.tid, stats.filename, names(stats_dir), found

    thread, said, file, there, found = in_thread(count)
    assert said == thread
    assert stats.tid == threading.get_native_id()
    assert {int(name.split("-")[-1].split(".")[0]) for name in there} == {stats.tid, thread}
    assert file != stats.filename
    assert found == {stats.tid: 2, thread: 3}
    assert mmstats.combined().value("hits") == 5
    assert (stats.hits.value, stats.hits.total) == (2, 5)


def test_the_file_of_a_thread_that_ended_is_folded_and_counts_on(mmstats, model, stats_dir):
    stats = model(filename=TEMPLATE)
    stats.hits.incr()
    in_thread(lambda: (stats.hits.incr(3), setattr(stats, "errors", 7)))
    states = {one.value("hits"): one.origin.state for one in mmstats.snapshot()}
    assert states == {1: "alive", 3: "retired"}
    assert len(names(stats_dir)) == 1
    whole = mmstats.combined()
    assert (whole.value("hits"), whole.value("errors")) == (4, 0)


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="not on PyPy: it tells of a thread's end later")
def test_many_short_threads_leave_no_descriptors(mmstats, model):
    stats = model(filename=TEMPLATE)
    in_thread(stats.hits.incr)
    before = open_files()
    for _ in range(50):
        in_thread(stats.hits.incr)
    assert open_files() <= before + 2
    assert stats.hits.total == mmstats.combined().value("hits") == 51


def folding(stats_dir):
    """Somebody folds there, as long as that lasts."""
    from mmstats.fold.folder import Folder  # that of the package under test

    return Folder(str(stats_dir))


def test_where_somebody_else_folds_the_file_of_an_ended_thread_stays_closed(mmstats, model, stats_dir):
    stats = model(filename=TEMPLATE)
    stats.hits.incr()
    with folding(stats_dir):
        in_thread(lambda: stats.hits.incr(3))
    states = {one.value("hits"): one.origin.state for one in mmstats.snapshot()}
    assert states == {1: "alive", 3: "gone"}
    assert mmstats.combined().value("hits") == 4


def test_remove_takes_the_files_of_all_threads(mmstats, model, stats_dir):
    stats = model(filename=TEMPLATE)
    with folding(stats_dir):
        for _ in range(3):
            in_thread(stats.hits.incr)
        assert len(names(stats_dir)) == 4
    stats.remove()
    assert names(stats_dir) == set()
    assert mmstats.combined().value("hits") == 3


def test_a_second_model_is_in_every_thread_s_file(mmstats, model):
    """Also in those that were there before it."""
    stats = model(filename=TEMPLATE)
    there, over = threading.Event(), threading.Event()

    def work():
        stats.hits.incr()
        there.set()
        over.wait(60)
        other.late.incr()

    thread = threading.Thread(target=work)
    thread.start()
    there.wait(60)

    class Other(mmstats.BaseMmStats):
        late = mmstats.CounterField()

    other = Other(filename=TEMPLATE)
    over.set()
    thread.join()
    gc.collect()
    assert sorted(one.value("late") for one in mmstats.snapshot()) == [0, 1]
    assert mmstats.combined().value("late") == 1
    other.remove()
    assert all(
        one.value("late", default=None) is None for one in mmstats.snapshot() if one.origin.state == "alive"
    )


def test_a_forked_child_has_files_of_its_own(mmstats, model, stats_dir):
    stats = model(filename=TEMPLATE)
    stats.hits.incr(5)
    child = os.fork()
    if not child:
        try:
            stats.hits.incr(7)
        finally:
            os._exit(0 if stats.hits.total == 7 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert (stats.hits.total, mmstats.combined().value("hits")) == (5, 12)
    assert any(f"-{child}-" in name for name in names(stats_dir))
