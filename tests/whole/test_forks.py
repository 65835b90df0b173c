"""Forks of every make: each child counts in a file of its own, the parent's bytes stay untouched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

import programs

CHILDREN = """
import hashlib

def digest():
    return hashlib.sha256(open(path, 'rb').read()).hexdigest()

stats = Model()
stats.count.incr(1000)
stats.number = 1000
path = stats.filename
"""


STORM = """
import signal, time
sys.setswitchinterval(1e-4)
stop = threading.Event()
done = []
def busy():
    mine = 0
    while not stop.is_set():
        for _ in range(100):
            stats.count.incr()
        mine += 100
    done.append(mine)
def restless():  # in the slow path as often as can be, when the fork comes
    while not stop.is_set():
        assert stats.count.total >= 1000 and stats.filename == path
def be_a_child(number):
    stats.count.incr(3)
    stats.number += 3
    assert stats.count.total == stats.count.value == 3, stats.count.total
    assert stats.filename != path
    if number % 3 == 0:
        os._exit(0)
    if number % 3 == 1:
        sys.exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
def wait_for_one():
    pid, status = os.waitpid(-1, 0)
    assert status == (signal.SIGKILL if living.pop(pid) % 3 == 2 else 0), status
threads = [threading.Thread(target=work) for work in 8 * [busy] + [restless]]
[thread.start() for thread in threads]
living = {}
began = time.monotonic()
for number in range(CHILDREN):
    pid = os.fork()
    if not pid:
        be_a_child(number)
    living[pid] = number
    if len(living) > 8:
        wait_for_one()
while living:
    wait_for_one()
took = time.monotonic() - began
stop.set()
[thread.join() for thread in threads]
expected = 1000 + sum(done) + 3 * CHILDREN
combined = mmstats.combined()
assert not combined.problems, combined.problems
assert combined.value('count') == expected, (combined.value('count'), expected)
assert combined.value('number') == 1000 + 3 * CHILDREN
assert stats.count.total == 1000 + sum(done)
print(took, sum(done))
"""


def storm(children, twin, directory, timeout):
    """Seconds that so many forks took, and what the parent's threads counted meanwhile."""
    said = programs.run(CHILDREN + f"CHILDREN = {children}" + STORM, twin, directory, timeout=timeout).stdout
    took, counted = said.split()
    return float(took), int(counted)


def test_os_fork_under_busy_threads(twin, stats_dir):
    """Children forked while nine threads work, ended in three ways: none hangs, totals are exact."""
    storm(30, twin, stats_dir, timeout=60)


@pytest.mark.slow
def test_many_forks_under_busy_threads(twin, stats_dir):
    """So many that the slow path's lock was taken in many of them."""
    storm(300, twin, stats_dir, timeout=120)


@pytest.mark.soak
def test_ten_thousand_forks_under_busy_threads(twin, stats_dir):
    """Its result goes into docs/soak.md, by hand."""
    took, counted = storm(10_000, twin, stats_dir, timeout=1200)
    print(f"\n| {programs.when_and_where()} | {twin} | 10,000 | {counted:,} | {took:.0f} s |")


@pytest.mark.main
def test_the_ten_thousand_are_recorded(twin):
    page = (programs.ROOT / "docs/soak.md").read_text()
    assert re.search(rf"^\| 20.*\| {twin} \| 10,000 \|.*s \|$", page, re.MULTILINE)


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy's threads need its own fork")
def test_a_fork_in_c_runs_no_hook(twin, stats_dir):
    """As uWSGI forks: the token alone tells the child that the parent's cells are not its own."""
    programs.run(
        CHILDREN
        + """
import ctypes
before = digest()
for _ in range(3):
    pid = ctypes.PyDLL(None).fork()
    if not pid:
        for _ in range(1000):
            stats.count.incr()
        stats.number += 1
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
assert digest() == before
stats.count.incr()
assert stats.count.total == 1001
""",
        twin,
        stats_dir,
    )
    assert programs.totals(twin, stats_dir)["count"] == 4001
    assert len(programs.files(stats_dir)) == 3  # the parent ended in order


def test_children_of_children(twin, stats_dir):
    """A line of forks, each counting before and after: every process has its own file."""
    programs.run(
        CHILDREN
        + """
def descend(depth):
    stats.count.incr()
    if depth:
        pid = os.fork()
        if not pid:
            descend(depth - 1)
            stats.count.incr()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
descend(5)
""",
        twin,
        stats_dir,
    )
    assert programs.totals(twin, stats_dir)["count"] == 1000 + 6 + 5
    assert len(programs.files(stats_dir)) == 5  # the first one ended in order


def test_a_child_that_counts_nothing_makes_no_file(twin, stats_dir):
    """A fork costs nothing until the child publishes something."""
    programs.run(
        CHILDREN
        + """
before = digest()
pid = os.fork()
if not pid:
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert digest() == before
""",
        twin,
        stats_dir,
    )
    assert programs.files(stats_dir) == []  # the parent ended in order


def test_statics_speak_for_the_child(twin, stats_dir):
    """In a forked child the callables of static fields are asked again."""
    programs.run(
        """
        class Who(mmstats.MmStats):
            count = mmstats.CounterField()
        stats = Who()
        assert stats.pid == os.getpid()
        pid = os.fork()
        if not pid:
            stats.count.incr()
            assert stats.pid == os.getpid()
            (mine,) = [s for s in mmstats.snapshot() if s.origin.pid == os.getpid()]
            assert mine.value('sys.pid') == os.getpid()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert stats.pid == os.getpid()
        """,
        twin,
        stats_dir,
    )


def test_a_fixed_name_stays_the_parents(twin, stats_dir):
    """A child of a model with a fixed filename publishes beside it, as NAME-PID-ID."""
    programs.run(
        """
        stats = Model(filename='app.mmstats')
        stats.count.incr()
        pid = os.fork()
        if not pid:
            stats.count.incr()
            name = os.path.basename(stats.filename)
            assert name.startswith(f'app-{os.getpid()}-') and name.endswith('.mmstats'), name
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert os.path.basename(stats.filename) == 'app.mmstats'
        """,
        twin,
        stats_dir,
    )
    assert programs.totals(twin, stats_dir)["count"] == 2


def test_a_dead_writers_name_is_taken_over(twin, stats_dir):
    """A fixed name whose writer died is free again; what it counted goes on counting."""
    for number in (1, 2, 3):
        programs.run("Model(filename='job.mmstats').count.incr(); os._exit(9)", twin, stats_dir, check=False)
        assert programs.totals(twin, stats_dir)["count"] == number
    assert [path.name for path in programs.files(stats_dir)] == ["job.mmstats"]


def test_a_program_that_becomes_another_one_is_gone(twin, stats_dir):
    """Exec ends the writer, though the process lives on: what it counted stays, and nobody waits for it."""
    programs.run(
        """
        stats = Model()
        stats.count.incr()
        script = "import mmstats; (s,) = mmstats.snapshot(); assert s.origin.state == 'gone', s.origin"
        os.execv(sys.executable, [sys.executable, '-c', script])
        """,
        twin,
        stats_dir,
    )
    assert programs.totals(twin, stats_dir)["count"] == 1


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root, and unshare")
@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy's threads need its own fork")
def test_a_child_that_has_its_parents_pid(twin, stats_dir):
    """Both are 1, each in a PID namespace of its own: whose the token is tells them apart."""
    script = (
        CHILDREN
        + """
import ctypes
assert os.getpid() == 1
before = digest()
assert ctypes.CDLL(None).unshare(0x20000000) == 0  # CLONE_NEWPID: the next child is in a new one
pid = ctypes.PyDLL(None).fork()
if not pid:
    assert os.getpid() == 1
    stats.count.incr(5)
    os._exit(0 if stats.count.total == 5 and stats.filename != path else 1)
assert os.waitpid(pid, 0)[1] == 0
assert digest() == before
assert stats.count.total == 1000
"""
    )
    command = ["unshare", "-pf", sys.executable, "-c", programs.MODEL + script]
    environ = programs.environment(twin, stats_dir)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
