"""What the machine refuses never reaches the application: it counts on in private memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

import programs

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another user, another mount")
AS_NOBODY = "mmstats.dropped, mmstats.RegionError\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"

GOES_ON = """
records = []
class Keep(logging.Handler):
    def emit(self, record):
        records.append(record.getMessage())
logging.getLogger('mmstats').addHandler(Keep())

stats = Model()
for _ in range(1000):
    stats.count.incr()
    stats.number += 1
assert stats.count.total == 1000
assert stats.filename is None
assert mmstats.dropped.by_reason == {'private': 1}, mmstats.dropped.by_reason
assert len(records) == 1 and 'private memory' in records[0], records
Model()
assert len(records) == 1, records
print(records[0])
"""
IS_STRICT = """
try:
    Model(strict=True)
except mmstats.RegionError as error:
    assert isinstance(error, OSError) and error.errno, error
    print(error)
else:
    raise AssertionError('no RegionError')
"""


@needs_root
def test_no_permission(twin, stats_dir):
    """A directory where we may not write: one log record, and the application goes on."""
    stats_dir.chmod(0o755)
    for script in (GOES_ON, IS_STRICT):
        done = programs.run(AS_NOBODY + script, twin, stats_dir / "deep")
        assert str(stats_dir) in done.stdout
    assert list(stats_dir.iterdir()) == []


def test_a_file_in_the_directorys_place(twin, stats_dir):
    """MMSTATS_PATH that is no directory: said with its name."""
    path = stats_dir / "file"
    path.write_text("precious")
    for script in (GOES_ON, IS_STRICT):
        assert str(path) in programs.run(script, twin, path).stdout
    assert path.read_text() == "precious"


def test_it_publishes_again_by_itself(twin, stats_dir):
    """Nothing but updates, by the true clock: about a second after the fault is over."""
    path = stats_dir / "file"
    path.write_text("in the way")
    done = programs.run(
        """
        import time
        stats = Model()
        stats.count.incr()
        os.unlink(os.environ['MMSTATS_PATH'])
        begin, counted = time.monotonic(), 1
        while not os.path.isdir(os.environ['MMSTATS_PATH']):
            assert time.monotonic() - begin < 60
            stats.count.incr()
            counted += 1
        print(counted)
        """,
        twin,
        path,
    )
    assert programs.totals(twin, path)["count"] == int(done.stdout)


def test_there_is_a_last_try_at_the_end(twin, stats_dir):
    """A program that is through before the next try is due leaves its counts all the same, and says so."""
    path = stats_dir / "file"
    path.write_text("in the way")
    done = programs.run(
        "Model().count.incr(3); os.unlink(os.environ['MMSTATS_PATH'])",
        twin,
        path,
    )
    assert programs.totals(twin, path)["count"] == 3
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["cannot", "publishing"]


def test_a_missing_directory_is_made(twin, stats_dir):
    """A directory that is not there yet is made, for us alone."""
    programs.run("Model().count.incr()", twin, stats_dir / "a" / "b")
    assert (stats_dir / "a" / "b").stat().st_mode & 0o777 == 0o700
    assert programs.totals(twin, stats_dir / "a" / "b")["count"] == 1


@needs_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_a_full_file_system(twin, stats_dir):
    """A file that cannot be had is private memory, and no signal; a thread's cells are so too."""
    script = """
    import subprocess
    directory = os.environ['MMSTATS_PATH']
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], check=True)
    full = open(directory + '/full', 'wb', buffering=0)
    stats = Model(filename='first.mmstats')
    stats.count.incr()
    try:
        while True:
            full.write(bytes(4096))
    except OSError:
        pass
    other = Model(filename='second.mmstats')
    assert other.filename is None
    other.count.incr()
    assert other.count.total == 1
    assert mmstats.dropped.by_reason == {'private': 1}

    stop = threading.Event()
    ready = threading.Semaphore(0)
    def work():
        stats.count.incr()
        stats.number += 1
        ready.release()
        stop.wait()
    threads = [threading.Thread(target=work) for _ in range(40)]
    [thread.start() for thread in threads]
    [ready.acquire() for _ in threads]
    assert stats.count.total == 41, stats.count.total
    dropped = mmstats.dropped.by_reason
    assert dropped['space'] > 0, dropped
    (snapshot,) = mmstats.snapshot()
    assert not snapshot.problems, snapshot.problems
    assert snapshot.value('count') + dropped['space'] == 41, (snapshot.value('count'), dropped)
    assert snapshot.value('mmstats.dropped', reason='space') == dropped['space']
    stop.set()
    [thread.join() for thread in threads]

    class More(mmstats.BaseMmStats):
        pass
    for number in range(60):
        setattr(More, f'counter{number}', mmstats.CounterField(help='x' * 100))
    more = More(filename='first.mmstats')
    more.counter7.incr()
    assert more.counter7.total == 1
    """
    stats_dir.mkdir(exist_ok=True)
    command = ["unshare", "-m", sys.executable, "-c", programs.MODEL + programs.textwrap.dedent(script)]
    done = subprocess.run(
        command,
        env=programs.environment(twin, stats_dir),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)


def test_a_fault_in_an_update_is_said_at_the_orderly_exit(twin, stats_dir):
    """An update says nothing itself; a child that does nothing but count says it when it ends."""
    done = programs.run(
        """
        import shutil
        directory = os.environ['MMSTATS_PATH']
        stats = Model()
        pid = os.fork()
        if not pid:
            shutil.rmtree(directory)
            open(directory, 'w').close()
            stats.count.incr()
            sys.exit()
        assert os.waitpid(pid, 0)[1] == 0
        os.unlink(directory)
        """,
        twin,
        stats_dir,
    )
    assert done.stderr.count("cannot publish") == 1


def test_the_directory_vanishes(twin, stats_dir):
    """A directory deleted under a living writer: it goes on, and a new region finds its way."""
    programs.run(
        """
        import shutil
        stats = Model()
        stats.count.incr()
        shutil.rmtree(os.environ['MMSTATS_PATH'])
        stats.count.incr()
        def work():
            stats.count.incr()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert stats.count.total == 3
        pid = os.fork()
        if not pid:
            stats.count.incr()
            assert os.path.exists(stats.filename)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        stats.remove()
        """,
        twin,
        stats_dir / "gone",
    )


def test_descriptors_are_closed_behind_our_back(twin, stats_dir):
    """A daemonizer closes all descriptors and uses their numbers: growth goes on, nothing else is closed."""
    programs.run(
        """
        class Large(mmstats.BaseMmStats):
            pass
        for number in range(100):
            setattr(Large, f'counter{number}', mmstats.CounterField(help='x' * 100))
        stats = Model()
        stats.count.incr()
        os.closerange(3, 100)
        mine = [os.open('/dev/null', os.O_RDONLY) for _ in range(20)]
        large = Large()
        large.counter99.incr()
        (snapshot,) = mmstats.snapshot()
        assert snapshot.value('counter99') == 1
        assert snapshot.origin.state == 'alive', snapshot.origin
        large.remove()
        stats.remove()
        import gc
        gc.collect()
        for fd in mine:
            os.fstat(fd)
        """,
        twin,
        stats_dir,
    )
