"""After a fault of the machine is over, the process publishes again, and nothing was lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

import programs

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root, and unshare"
)
IS_PYPY = sys.implementation.name == "pypy"

PROGRAM = """
import contextlib, ctypes, resource, shutil, subprocess, time
from mmstats.publish import healing

healing.PERIOD = 0.02
directory = os.environ['MMSTATS_PATH']
parent = os.path.dirname(directory)

records = []
class Keep(logging.Handler):
    def emit(self, record):
        records.append(record.getMessage())
logging.getLogger('mmstats').addHandler(Keep())

class Large(Model):  # each thread's cells need another step of the file
    times = mmstats.TimerField(size=1000)

class Late(mmstats.BaseMmStats):
    late = mmstats.CounterField(help='x' * 5000)

counted = 0
def count(stats):
    global counted
    stats.count.incr()
    stats.number += 1
    stats.times.observe(0.5)
    counted += 1

READER = '''
import mmstats
whole = mmstats.combined()
assert not whole.problems, [str(problem) for problem in whole.problems]
times = whole.value("times", None)
print(whole.value("count", 0), whole.value("number", 0), times.count if times else 0, whole.value("late", 0))
'''

def read():
    \"\"\"What another process sees: counts, and whether the late model is there.\"\"\"
    me = os.geteuid()
    os.seteuid(0)
    done = subprocess.run([sys.executable, '-c', READER], capture_output=True, text=True)
    os.seteuid(me)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]

def until(condition, stats):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, (records, mmstats.dropped.by_reason)
        count(stats)
        time.sleep(0.001)

def published(stats):
    return lambda: stats.filename is not None and os.path.exists(stats.filename) and not healing._ill
"""

FAULTS = {
    "full": """
subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', directory], check=True)
def begin():
    with open(directory + '/full', 'wb', buffering=0) as full, contextlib.suppress(OSError):
        while True:
            full.write(bytes(4096))
def end():
    with contextlib.suppress(FileNotFoundError):
        os.unlink(directory + '/full')
""",
    "read-only": """
subprocess.run(['mount', '-t', 'tmpfs', 'tmpfs', directory], check=True)
def remount(how):
    subprocess.run(['mount', '-o', 'remount,' + how, directory], check=True)
def begin():
    remount('ro')
def end():
    remount('rw')
""",
    "deleted": """
def begin():
    while True:  # others may make it again in between
        shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(IsADirectoryError):
            return open(directory, 'w').close()
def end():
    with contextlib.suppress(FileNotFoundError, IsADirectoryError):
        os.unlink(directory)
""",
    "no permission": """
os.chown(directory, 65534, 65534)
os.chmod(parent, 0o755)
os.seteuid(65534)
def begin():
    os.chmod(directory, 0o500)
def end():
    os.chmod(directory, 0o700)
""",
    "no descriptors": """
def begin():
    limit(max(map(int, os.listdir('/proc/self/fd'))))
def end():
    limit(1024)
def limit(number):
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
""",
    "missing": """
os.rmdir(directory)
def begin():
    if os.path.isdir(directory):
        shutil.rmtree(directory)
    os.chown(parent, 65534, 65534)
    os.seteuid(65534)
    os.chmod(parent, 0o500)
def end():
    os.chmod(parent, 0o700)
""",
}


@pytest.fixture
def run(twin, stats_dir):
    """A function: a script below such a fault, in a namespace of mounts of its own."""

    def run(fault: str, script: str) -> list[str]:
        (stats_dir / "stats").mkdir()
        text = programs.MODEL + PROGRAM + FAULTS[fault] + textwrap.dedent(script)
        done = subprocess.run(
            ["unshare", "-m", sys.executable, "-c", text],
            env=programs.environment(twin, stats_dir / "stats"),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return done.stdout.splitlines()

    return run


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_could_not_be_made(run, fault):
    """What was counted in private memory comes along; two records, and no more."""
    run(
        fault,
        """
        begin()
        stats = Large(group='all')
        count(stats)
        assert stats.filename is None
        assert mmstats.dropped.by_reason == {'private': 1}, mmstats.dropped.by_reason
        end_of_tries = healing.clock() + 3 * healing.PERIOD
        until(lambda: healing.clock() > end_of_tries, stats)
        assert len(records) == 1 and 'cannot publish' in records[0], records
        end()
        until(published(stats), stats)
        count(stats)
        assert read() == [counted, counted, counted, 0], (read(), counted)
        assert stats.count.total == stats.count.value == stats.number == counted
        int(mmstats.dropped)
        assert len(records) == 2 and records[1] == 'publishing again as ' + stats.filename, records
        assert mmstats.dropped.by_reason == {'private': 1}, mmstats.dropped.by_reason
        stats.remove()
        """,
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "read-only"])
def test_growth_and_a_new_thread(run, fault):
    """A metric and the cells of a thread that find no room, or that a deleted file has no use for."""
    run(
        fault,
        """
        stats = Large(group='all')
        count(stats)
        assert read()[0] == 1
        begin()
        late = Late(group='all')
        late.late.incr(5)
        over = threading.Event()
        def work():
            count(stats)
            over.wait()
            count(stats)
        threads = [threading.Thread(target=work) for _ in range(4)]
        [thread.start() for thread in threads]
        until(lambda: counted > 20, stats)
        assert stats.count.total == counted and late.late.total == 5
        end()
        over.set()
        [thread.join() for thread in threads]
        until(published(stats), stats)
        count(stats)
        assert read() == [counted, counted, counted, 5], (read(), counted)
        assert stats.count.total == counted
        dropped, said = mmstats.dropped.by_reason, len(records)
        assert len(dropped) == (1 if records else 0), (dropped, records)
        assert sum('publishing again' in record for record in records) == (1 if records else 0), records
        stats.remove()
        late.remove()
        """,
    )


FORKS = {"os.fork": "os.fork()", "libc.fork": "ctypes.PyDLL(None).fork()"}


@pytest.mark.slow
@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_forked_child(run, fault, fork):
    """Parent and child each count in a file of their own when there may be one."""
    if IS_PYPY and "ctypes" in fork:
        pytest.skip("PyPy's threads need its own fork")
    before = "" if fault == "read-only" else "count(stats)"  # nobody may have a file open there
    begin = "begin(); stats = Large(group='all')" if fault == "read-only" else "stats = Large(group='all')"
    run(
        fault,
        f"""
        reader, writer = os.pipe()
        counting, child = os.pipe()
        {begin}
        {before}
        {"" if fault == "read-only" else "begin()"}
        pid = {fork}
        if not pid:
            counted = 0
            count(stats)
            assert stats.filename is None
            assert 'private' in mmstats.dropped.by_reason, mmstats.dropped.by_reason
            assert stats.count.total == 1
            os.write(child, b'x')
            os.read(reader, 1)
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
            until(published(stats), stats)
            assert stats.count.total == counted
            until(lambda: counted == 200, stats)
            os._exit(0)
        os.read(counting, 1)
        count(stats)
        end()
        stats.flush()  # a file that was deleted is missed when something is to be registered, or here
        os.write(writer, b'x')
        until(published(stats), stats)
        assert os.waitpid(pid, 0)[1] == 0
        assert read() == [counted + 200] * 3 + [0], (read(), counted)
        """,
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["full", "deleted"])
def test_threads_at_full_speed(run, fault):
    """Eight threads count all the while, and come over with all that they have."""
    run(
        fault,
        """
        sys.setswitchinterval(1e-5)
        stats = Large(group='all')
        begin()
        Late(group='all')
        done, over = [], threading.Event()
        def work():
            mine = 0
            while not over.is_set():
                for _ in range(50):
                    stats.count.incr()
                    stats.number += 1
                    stats.times.observe(0.5)
                    mine += 1
            done.append(mine)
        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        [thread.start() for thread in threads]
        until(lambda: stats.count.total > 1000, stats)
        for _ in range(5):
            end()
            until(published(stats), stats)
            begin()
            Late(group='all').late.incr()
        end()
        until(published(stats), stats)
        over.set()
        [thread.join() for thread in threads]
        until(published(stats), stats)
        count(stats)
        expected = sum(done) + counted
        assert stats.count.total == expected, (stats.count.total, expected)
        assert read()[:3] == [expected] * 3, (read(), expected)
        """,
    )
