"""Families in whole programs: never one member's value under another's name, and totals that are exact."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time

import pytest

import filebuilder as fb
import loading
import plainly
import programs
import stepping
from mmstats import combined, snapshot
from mmstats.format.cells import Cells
from mmstats.read.snapshot import Reader

PRIMES = [101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157]

HAMMER = f"""
import mmstats, os, random, sys, threading
sys.setswitchinterval(1e-5)

class Model(mmstats.BaseMmStats):
    x = mmstats.{{field}}

def end_with_the_test():
    sys.stdin.read()
    os._exit(0)

family, primes, handles = Model().x, {PRIMES}, {{{{}}}}

def make_and_forget():
    for prime in primes * 1_000_000:
        handles[prime] = family.tagged(prime)
        handles[prime].{{update}}(prime)
        family.forget(primes[primes.index(prime) - 4])

def count():
    while True:
        for prime, member in list(handles.items()):
            member.{{update}}(prime)

threading.Thread(target=end_with_the_test).start()
threading.Thread(target=count).start()
print("ready", flush=True)
make_and_forget()
"""
FIELDS = {
    "counter": ("CounterField(tags=('prime',))", "incr", lambda value, prime: value % prime == 0),
    "average": ("AverageField(tags=('prime',))", "add", lambda value, prime: value in (0, prime)),
    "gauge": ("GaugeField(tags=('prime',))", "set", lambda value, prime: value in (0, prime)),
    "histogram": (
        "HistogramField(tags=('prime',), low=1, high=256)",
        "observe",
        lambda value, prime: not value.count or value.min == value.max == value.sum / value.count == prime,
    ),
}


def hammered(twin, directory, field, seconds, enough):
    """How many values were read, and those that were none of their member's."""
    made, update, is_right = FIELDS[field]
    script = HAMMER.format(field=made, update=update)
    program = subprocess.Popen(
        [sys.executable, "-c", script],
        env=programs.environment(twin, directory),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert program.stdout.readline() == b"ready\n"
        read, wrong, deadline = 0, [], time.monotonic() + seconds
        readers = itertools.cycle((snapshot, Reader(keep=True).read))  # who reads once, and who reads on
        while (time.monotonic() < deadline and not wrong) or read < enough:
            (one,) = next(readers)(directory)
            assert [str(problem) for problem in one.problems] == []
            for stat in one.stats:
                if stat.label == "x":
                    read += 1
                    prime = int(stat.tags["prime"])
                    wrong += [] if is_right(stat.value, prime) else [(prime, stat.value)]
        assert program.poll() is None
        return read, wrong
    finally:
        program.stdin.close()
        program.wait(30)
        program.stdout.close()


@pytest.mark.main
@pytest.mark.slow
@pytest.mark.parametrize("field", FIELDS)
def test_two_threads_and_a_reader(twin, stats_dir, field):
    """One thread makes and forgets members, the other counts for them, also with handles that are stale."""
    read, wrong = hammered(twin, stats_dir, field, 2, 1_000)
    assert wrong == []
    assert read >= 1_000


@pytest.mark.main
def test_the_hammer_would_see_a_reader_without_generations(twin, stats_dir, monkeypatch):
    monkeypatch.setattr(Cells, "_whole_of_member", lambda self, *where: (self.data, where[2] + 8))
    _, wrong = hammered(twin, stats_dir, "counter", 60, 0)
    assert wrong != []


# --- prefix replay: a slot is taken, left, and taken again ------------------------------------------

KEPT = []  # of the child, which never leaves the context


states: dict[object, list[bytes]] = {}  # it takes seconds to see them


def states_of(twin, directory, before, step):
    if (twin, before, step) not in states:
        states[twin, before, step] = seen(twin, directory, before, step)
    return states[twin, before, step]


def seen(twin, directory, before, step):
    def prepare():
        os.environ["MMSTATS_PATH"] = str(directory)
        context = loading.loaded(twin)
        KEPT.append(context)
        package = context.__enter__()

        class Model(package.BaseMmStats):
            x = package.CounterField(tags=("name",))
            size = package.AverageField(tags=("name",))

        stats = Model()
        for family in (stats.x, stats.size):  # everybody's cells are there already
            family.tagged("old")
        stats.x.tagged("old").incr(7)
        stats.size.tagged("old").add(7)
        for one in before:
            one(stats)
        return lambda: step(stats)

    return stepping.states(prepare, lambda: programs.files(directory)[0])


def forget(stats):
    stats.x.forget("old")
    stats.size.forget("old")


def take(stats):
    stats.x.tagged("new").incr(5)
    stats.size.tagged("new").add(5)


def by_snapshot(path):
    (one,) = snapshot(path)
    assert one.problems == []
    return {(stat.label, stat.tags["name"], stat.value) for stat in one.stats}


def by_plain_reader(path):
    read = plainly.reader().read(path)
    assert read["problems"] == []
    return {(stat["label"], stat["tags"]["name"], float(stat["value"]["value"])) for stat in read["stats"]}


LAWFUL = {
    (label, name, value) for label in ("x", "size") for name, value in (("old", 7), ("new", 0), ("new", 5))
}


@pytest.mark.main
@pytest.mark.skipif(not stepping.POSSIBLE, reason=stepping.WHY_NOT)
@pytest.mark.parametrize("reader", [by_snapshot, by_plain_reader])
@pytest.mark.parametrize(("before", "step", "stores"), [((), forget, 2), ((forget,), take, 10)])
def test_at_every_store_each_value_is_under_its_own_name(
    twin, stats_dir, tmp_path, reader, before, step, stores
):
    found = states_of(twin, stats_dir, before, step)
    assert len(found) > stores, "the update was not seen store by store"
    for state in found:
        assert reader(fb.write(tmp_path / "state.mmstats", state)) <= LAWFUL


@pytest.mark.main
@pytest.mark.skipif(not stepping.POSSIBLE, reason=stepping.WHY_NOT)
def test_the_replay_would_see_another_s_value(stats_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(Cells, "_whole_of_member", lambda self, *where: (self.data, where[2] + 8))
    found = states_of("pure", stats_dir, (forget,), take)
    assert any(by_snapshot(fb.write(tmp_path / "s.mmstats", state)) - LAWFUL for state in found)


# --- processes --------------------------------------------------------------------------------------

MODEL = """
import mmstats, os, signal, sys, threading

class Model(mmstats.BaseMmStats):
    jobs = mmstats.CounterField(tags=('queue',){options})
    size = mmstats.AverageField(tags=('queue',))
    now = mmstats.GaugeField(tags=('queue',))

stats = Model()
def work(share):
    stats.jobs.tagged('mail').incr(share)
    stats.jobs.tagged(share).incr()
    stats.size.tagged('mail').add(share)
    stats.now.tagged('mail').set(share)
"""


def values(directory, label="jobs"):
    whole = combined(str(directory))
    assert [str(problem) for problem in whole.problems] == []
    return {tuple(stat.tags.values()): stat.value for stat in whole.stats if stat.label == label}


def run(script, twin, directory, options="", **how):
    return programs.run(script, twin, directory, start=MODEL.format(options=options), **how)


@pytest.mark.parametrize("how", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)", ""])
def test_totals_over_forks_and_deaths(twin, stats_dir, how):
    """Children end as they like; members' totals are exact before a fold and after it."""
    script = f"""
    work(1)
    for share in (10, 100, 1000):
        child = os.fork()
        if not child:
            work(share)
            {how}
            sys.exit()
        os.waitpid(child, 0)
    print(os.path.dirname(stats.filename))
    os.kill(os.getpid(), signal.SIGKILL)
    """
    run(script, twin, stats_dir, check=False)
    for _ in range(2):
        assert values(stats_dir) == {("mail",): 1111, **{(str(10**i),): 1 for i in range(4)}}
        assert values(stats_dir, "size") == {("mail",): 1111 / 4}
        assert values(stats_dir, "now") == {}
        clean(stats_dir)
    assert programs.files(stats_dir) == []


def clean(directory, *options):
    command = [sys.executable, "-m", "mmstats", "clean", *options, str(directory)]
    done = subprocess.run(
        command, env=programs.environment("", directory), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_folded_again_and_again(twin, stats_dir):
    for share in (1, 2, 3):
        run(f"work({share})", twin, stats_dir)
    assert values(stats_dir) == {("mail",): 6, ("1",): 1, ("2",): 1, ("3",): 1}
    assert programs.files(stats_dir) == []


def test_declared_otherwise(twin, stats_dir):
    """Members of floats and of integers are one total; of other units the youngest stands."""
    run("work(1)", twin, stats_dir)
    run("stats.jobs.tagged('mail').incr(0.5)", twin, stats_dir, ", float=True")
    assert values(stats_dir) == {("mail",): 1.5, ("1",): 1}
    run("work(4)", twin, stats_dir, ", unit='bytes'")
    assert values(stats_dir) == {("mail",): 4, ("4",): 1}
    run("work(8)", twin, stats_dir)
    assert values(stats_dir) == {("mail",): 9.5, ("1",): 1, ("8",): 1}


def test_cleanstats_forgets_a_member(twin, stats_dir):
    run("work(1)", twin, stats_dir)
    assert "Forgot 1 total" in clean(stats_dir, "--forget", "jobs{queue=mail}")
    assert values(stats_dir) == {("1",): 1}
    assert values(stats_dir, "size") == {("mail",): 1}


def test_retired_totals_drop_a_member_after_its_ttl(twin, stats_dir):
    ttl = ", ttl=0.5"
    run("stats.jobs.tagged('old').incr(1)", twin, stats_dir, ttl)
    assert values(stats_dir) == {("old",): 1}
    deadline = time.monotonic() + 60
    while ("old",) in values(stats_dir):
        assert time.monotonic() < deadline
        time.sleep(0.1)
        run("stats.jobs.tagged('new').incr(1)", twin, stats_dir, ttl)
    assert values(stats_dir).keys() == {("new",)}


def test_a_member_for_too_many_is_folded_too(twin, stats_dir):
    for _ in range(2):
        run("work(1)\nwork(2)", twin, stats_dir, ", max_series=1")
    assert values(stats_dir) == {("mail",): 6, ("true",): 4}


# --- a million --------------------------------------------------------------------------------------

MANY = """
import resource
for number in range({count}):
    if number == {count} // 10:
        before = os.stat(stats.filename).st_size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    name = f'{{number}}'
    stats.jobs.tagged(name).incr(number)
    stats.jobs.forget(name)
after = os.stat(stats.filename).st_size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(after[0] - before[0], after[1] - before[1])
os._exit(0)
"""


@pytest.mark.main
@pytest.mark.slow
def test_thirty_thousand_members(twin, stats_dir):
    many_members(twin, stats_dir, 30_000)


@pytest.mark.soak
def test_a_million_members(twin, stats_dir):
    many_members(twin, stats_dir, 1_000_000)


def many_members(twin, directory, count):
    """Made and forgotten: the file does not grow, nor does the process."""
    done = run(MANY.format(count=count), twin, directory, timeout=3_600)
    grown, kilobytes = map(int, done.stdout.split())
    assert (grown, kilobytes < 1_024) == (0, True), done.stdout
