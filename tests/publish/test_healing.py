"""When a process publishes again: a machine that refuses on demand, and a clock that is turned by hand."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import sys
import threading
from errno import ENOSPC

import pytest

import programs


class Machine:
    """Its clock, and whether it has space; `tries`: how often it was asked for some."""

    def __init__(self, reserve) -> None:
        self.now = 0.0
        self.is_full = False
        self.tries = 0
        self._reserve = reserve

    def reserve(self, fd, offset, size):
        self.tries += 1
        if self.is_full:
            raise OSError(ENOSPC, "No space left on device")
        self._reserve(fd, offset, size)

    def recover(self):
        """There is space again, and it is time for a try."""
        self.is_full = False
        self.now += 1


@pytest.fixture
def machine(mmstats, monkeypatch):
    from mmstats.publish import backing, healing

    machine = Machine(backing.reserve)
    monkeypatch.setattr(backing, "reserve", machine.reserve)
    monkeypatch.setattr(healing, "clock", lambda: machine.now)
    return machine


@pytest.fixture
def model(mmstats):
    class Model(mmstats.BaseMmStats):
        count = mmstats.CounterField()
        number = mmstats.UIntField()
        top = mmstats.DoubleField()
        size = mmstats.AverageField()
        times = mmstats.TimerField(size=3)
        phase = mmstats.StringField()
        name = mmstats.StaticTextField(value="static")

    return Model


@pytest.fixture
def token(mmstats):
    from mmstats.cells import token

    return token


def use(stats, times=1):
    for _ in range(times):
        stats.count.incr()
        stats.number += 1
        stats.top = -2.0
        stats.size.add(10)
        stats.times.observe(0.5)
        stats.phase = f"{stats.count.value}"


def in_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join()
    gc.collect()  # on PyPy a thread's locals go with it


def seen(mmstats):
    """What a reader makes of all files."""
    whole = mmstats.combined()
    assert not whole.problems, whole.problems
    times = whole.value("times")
    return (whole.value("count"), whole.value("number"), times.count, times.sum, whole.value("size"))


def region_of(mmstats, stats):
    return mmstats.info(stats).publication.region()


# --- when ------------------------------------------------------------------------------------------


def test_it_is_tried_once_a_second_and_published_then(mmstats, machine, model, token):
    machine.is_full = True
    stats = model()
    use(stats, 3)
    assert (stats.filename, token.stands, token.is_ours, machine.tries) == (None, False, True, 1)
    machine.now = 0.9
    use(stats, 3)
    assert machine.tries == 1
    machine.now = 1.1
    use(stats, 3)
    assert machine.tries == 2
    machine.is_full = False
    use(stats, 3)
    assert (machine.tries, stats.filename) == (2, None)
    machine.now = 2.2
    use(stats, 1)
    assert stats.filename
    assert seen(mmstats) == (13, 13, 13, 6.5, 10.0)
    assert mmstats.combined().value("phase") == "13"
    assert mmstats.snapshot()[0].value("top") == -2.0
    assert mmstats.snapshot()[0].value("name") == stats.name == "static"


def test_the_token_stands_again_when_all_is_well(machine, model, token):
    """A tick later: what threads were in the middle of is brought over then."""
    machine.is_full = True
    stats = model()
    machine.recover()
    use(stats)
    assert (bool(stats.filename), token.stands) == (True, False)
    machine.now += 1
    use(stats)
    assert token.stands
    assert (stats.count.total, stats.count.value, stats.number, stats.size.value) == (2, 2, 2, 10.0)


def test_nobody_is_ill_who_publishes_nowhere(machine, model, token, monkeypatch):
    """MMSTATS_DISABLE is a wish, and no fault: private memory at full speed."""
    monkeypatch.setenv("MMSTATS_DISABLE", "1")
    stats = model()
    use(stats)
    assert (token.stands, stats.filename, machine.tries) == (True, None, 0)


def test_one_record_for_the_fault_and_one_for_its_end(mmstats, machine, model, caplog):
    caplog.set_level(logging.WARNING, "mmstats")
    machine.is_full = True
    stats = model()
    for _ in range(3):
        machine.now += 1
        use(stats)
    assert int(mmstats.dropped) == 1
    assert ["cannot publish" in message for message in caplog.messages] == [True]
    machine.recover()
    use(stats)
    assert len(caplog.messages) == 1  # never out of an update
    stats.flush()
    assert caplog.messages[1:] == [f"publishing again as {stats.filename}"]
    assert mmstats.dropped.by_reason == {"private": 1}


def test_flush_tries_at_once(mmstats, machine, model):
    machine.is_full = True
    stats = model()
    use(stats)
    machine.is_full = False
    stats.flush()
    assert seen(mmstats)[0] == 1


def test_a_try_that_fails_at_the_last_step_leaves_nothing(mmstats, machine, model, stats_dir, monkeypatch):
    """The copy is there and cannot be linked: counting goes on where it was, and the next try has all."""
    from mmstats.publish.backing import File

    machine.is_full = True
    stats = model()
    use(stats)
    machine.is_full = False
    link = File.link
    descriptors = len(os.listdir("/proc/self/fd"))

    def refuse(self, name):
        raise OSError(ENOSPC, "no room for a name")

    monkeypatch.setattr(File, "link", refuse)
    for _ in range(3):
        machine.now += 1
        use(stats)
        assert stats.filename is None
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    monkeypatch.setattr(File, "link", link)
    machine.now += 1
    use(stats)
    assert seen(mmstats)[0] == stats.count.total == 5
    assert len(list(stats_dir.iterdir())) == 1


# --- what ------------------------------------------------------------------------------------------


def test_a_thread_without_space_comes_over_with_its_counts(mmstats, machine, model):
    """Its lane and its cells; the next thread that takes the lane begins at zero."""
    stats = model()
    use(stats)
    over, there = threading.Event(), threading.Event()

    def work():
        use(stats, 2)
        there.set()
        over.wait()

    machine.is_full = True
    fill(mmstats, stats)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    there.wait()
    in_thread(lambda: use(stats, 4))  # ended before there was space
    assert (stats.count.total, seen(mmstats)[0]) == (7, 1)
    assert mmstats.dropped.by_reason["space"] >= 2
    machine.recover()
    use(stats)
    assert (stats.count.total, seen(mmstats)) == (8, (8, 8, 8, 4.0, 10.0))
    over.set()
    thread.join()
    values = []
    in_thread(lambda: values.append(stats.count.value) or use(stats) or values.append(stats.count.value))
    assert values == [0, 1]
    assert (stats.count.total, seen(mmstats)[0]) == (9, 9)


def test_a_metric_without_space_comes_later(mmstats, machine, model):
    class Late(mmstats.BaseMmStats):
        late = mmstats.CounterField(help="x" * 5000)

    stats = model()
    use(stats)
    machine.is_full = True
    late = Late()
    late.late.incr(5)
    assert mmstats.combined().value("late", None) is None
    assert mmstats.dropped.by_reason in ({"space": 1}, {"space": 2})
    machine.recover()
    use(stats)
    assert mmstats.combined().value("late") == late.late.total == 5


def test_a_deleted_file_is_missed_when_a_thread_begins(mmstats, machine, model, stats_dir, caplog):
    stats = model()
    use(stats, 3)
    before = stats.filename
    shutil.rmtree(stats_dir)
    use(stats)
    assert stats.filename == before
    in_thread(lambda: use(stats))
    assert stats.filename != before
    assert seen(mmstats) == (5, 5, 5, 2.5, 10.0)
    assert int(mmstats.dropped) == 0
    assert caplog.messages == [f"{before} was deleted: publishing again as {stats.filename}"]
    machine.now += 1
    use(stats)
    assert len(programs.files(stats_dir)) == 1


def test_a_deleted_file_that_cannot_be_made_again_comes_later(mmstats, machine, model, stats_dir, caplog):
    stats = model()
    use(stats)
    before = stats.filename
    shutil.rmtree(stats_dir)
    stats_dir.write_text("in the way")
    in_thread(lambda: use(stats))
    machine.now += 1
    use(stats)
    assert mmstats.dropped.by_reason == {"private": 1}
    stats_dir.unlink()
    machine.now += 1
    use(stats)
    int(mmstats.dropped)
    assert seen(mmstats)[0] == 4
    assert len(caplog.messages) == 2
    assert caplog.messages[0].startswith(f"{before} was deleted")
    assert caplog.messages[1] == f"publishing again as {stats.filename}"


@pytest.mark.parametrize("ends", [False, True], ids=["goes on", "ends"])
def test_an_update_that_was_under_way_is_brought_over(mmstats, machine, model, ends):
    """A thread has found its cells, is stopped, and stores when all others are in the new file."""
    machine.is_full = True
    stats = model()
    at_work, go = threading.Event(), threading.Event()

    def work():
        use(stats)
        stats.top = 7.0
        words = region_of(mmstats, stats).lanes.of(threading.get_native_id()).cells
        old = dict(words)
        at_work.set()
        go.wait()
        for schema, cells in old.items():
            for metric in schema.metrics:
                store_one_more(metric, cells)
        done.set()
        if not ends:
            more.wait()
            use(stats)

    done, more = threading.Event(), threading.Event()
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    at_work.wait()
    machine.recover()
    use(stats)
    assert stats.filename
    go.set()
    done.wait()
    if ends:
        thread.join()
        gc.collect()
        machine.now += 1
        use(stats)
    else:
        more.set()
        thread.join()
    gc.collect()
    assert seen(mmstats) == (4, 4, 4, 2.0, 10.0)
    assert mmstats.snapshot()[0].value("top") == -2.0  # the thread's own went with it
    assert stats.count.total == 4


def store_one_more(metric, cells):
    """As an update of that metric would: 1, 0.5 s, 10 or nothing."""
    from mmstats.format import layout
    from mmstats.publish.turnover import as_bits, as_number

    at, kind = metric.index, metric.kind
    if kind in (layout.KIND_COUNTER, layout.KIND_NUMBER) and metric.label in ("count", "number"):
        cells[at] += 1
    if kind == layout.KIND_AVERAGE:
        old = at + layout.AVERAGE_SUM + (cells[at] & 1)
        new = at + layout.AVERAGE_SUM + (cells[at] + 1 & 1)
        cells[new] = as_bits(metric.cell_type, as_number(metric.cell_type, cells[old]) + 10)
        cells[at] += 1
    if kind == layout.KIND_TIMER:
        old = at + layout.TIMER_TOTALS + 3 * (cells[at] & 1)
        new = at + layout.TIMER_TOTALS + 3 * (cells[at] + 1 & 1)
        cells[new] = as_bits(metric.cell_type, as_number(metric.cell_type, cells[old]) + 0.5)
        cells[new + 1], cells[new + 2] = cells[old + 1], cells[old + 2]
        ring = at + layout.TIMER_DISTRIBUTION + layout.DISTRIBUTION_SIZE
        cells[at + layout.TIMER_DISTRIBUTION + layout.DISTRIBUTION_ZERO] += 1
        cells[ring + cells[at] % 4] = as_bits(metric.cell_type, 0.5)
        cells[at] += 1


def fill(mmstats, stats):
    """Leave no room in the file for another block."""
    storage, is_full = region_of(mmstats, stats)._storage, False
    while not is_full:
        try:
            storage.take(64, 64)
        except OSError:
            is_full = True


def test_a_file_for_each_thread(mmstats, machine, model, stats_dir):
    """Also of threads that ended before there was space: theirs are folded as soon as there is."""
    machine.is_full = True
    stats = model(filename="{PID}-{TID}.mmstats")
    threads = []

    def work():
        threads.append(threading.get_native_id())
        use(stats)

    work()
    in_thread(work)
    in_thread(work)
    assert (stats.count.total, len(programs.files(stats_dir))) == (3, 0)
    machine.recover()
    use(stats)
    machine.now += 1
    use(stats)
    assert [path.stem for path in programs.files(stats_dir)] == [f"{os.getpid()}-{threads[0]}"]
    assert stats.count.total == mmstats.combined().value("count") == 5
    counts = {one.origin.state: one.value("count") for one in mmstats.snapshot()}
    assert counts == {"alive": 3, "retired": len(threads) - 1}
    stats.remove()
    assert programs.files(stats_dir) == []


# --- somebody comes in between ---------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy traces no opcodes")
def test_a_handler_makes_and_removes_models_at_every_line_of_a_move(mmstats, machine, model):
    """What it declares, withdraws and counts in the middle is in the new file as well."""

    class Other(mmstats.BaseMmStats):
        other = mmstats.CounterField(help="x" * 300)

    class Gone(mmstats.BaseMmStats):
        gone = mmstats.CounterField(help="x" * 300)

    at = 0
    while True:
        machine.is_full = True
        stats, gone = model(), Gone()
        use(stats)
        gone.gone.incr()
        machine.recover()
        made = []

        def handler(gone=gone, made=made):
            gone.remove(discard=True)
            made.append(Other())
            made[0].other.incr(3)

        came = interrupted(stats, at, handler)
        assert stats.filename
        if came:
            assert mmstats.combined().value("other") == 3, at
            assert mmstats.combined().value("gone", None) is None, at
            made[0].remove(discard=True)
        assert seen(mmstats)[0] == 2, at
        stats.remove(discard=True)
        gone.remove(discard=True)
        if not came:
            break
        at += 1
    assert at > 100


def interrupted(stats, at, handler):
    """One update, with `handler` run at the `at`-th line of a move; whether that came to be."""
    count, came = 0, False
    files = ("recovery.py", "birth.py", "storage.py", "region.py", "declared.py", "lane.py", "lanes.py")

    def trace(frame, event, _argument):
        nonlocal count, came
        if not frame.f_code.co_filename.endswith(files) or came:
            return None
        if event == "line":
            if count == at:
                came = True
                sys.settrace(None)
                handler()
            count += 1
        return trace

    sys.settrace(trace)
    try:
        stats.count.incr()
    finally:
        sys.settrace(None)
    return came
