"""Forks of every make: each child counts in a file of its own, the parent's bytes stay untouched."""

from __future__ import annotations

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


def test_os_fork_under_busy_threads(twin, stats_dir):
    """Children forked while eight threads count: none hangs, none is lost, totals are exact."""
    programs.run(
        CHILDREN
        + """
stop = threading.Event()
done = []
def busy():
    mine = 0
    while not stop.is_set():
        for _ in range(100):
            stats.count.incr()
        mine += 100
    done.append(mine)
threads = [threading.Thread(target=busy) for _ in range(8)]
[thread.start() for thread in threads]
children = 30
for _ in range(children):
    pid = os.fork()
    if not pid:
        stats.count.incr(3)
        stats.number += 3
        assert stats.count.total == stats.count.value == 3, stats.count.total
        assert stats.filename != path
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
[thread.join() for thread in threads]
expected = 1000 + sum(done) + 3 * children
combined = mmstats.combined()
assert not combined.problems, combined.problems
assert combined.value('count') == expected, (combined.value('count'), expected)
assert stats.count.total == 1000 + sum(done)
assert len(os.listdir(os.path.dirname(path))) == children + 1
""",
        twin,
        stats_dir,
    )


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
    assert len(programs.files(stats_dir)) == 4


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
    assert len(programs.files(stats_dir)) == 6


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
    assert len(programs.files(stats_dir)) == 1


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
    assert (stats_dir / "job.mmstats").exists()
    assert len(programs.files(stats_dir)) == 3


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


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(twin, stats_dir, tmp_path, method):
    """Each way in which multiprocessing starts its workers gives the same totals."""
    script = tmp_path / "program.py"
    script.write_text(
        programs.MODEL
        + """
import multiprocessing

stats = Model(group='program')

def work(number):
    stats.count.incr()
    stats.number += number
    return os.getpid()

if __name__ == '__main__':
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(3) as pool:
        pids = pool.map(work, range(100), chunksize=1)
    work(0)
    print(len(set(pids)))
"""
    )
    import subprocess

    done = subprocess.run(
        [sys.executable, str(script), method],
        env=programs.environment(twin, stats_dir),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = programs.totals(twin, stats_dir)
    assert (found["count"], found["number"]) == (101, sum(range(100)))
