"""The verdict, case by case: what became of a real writer, what readers say of it, and who else errs.

A row of CASES: what happens, what is true, which simpler schemes say something else (`judging.py` has
them), and what the verdict is where that cannot be the truth. No row has the verdict call a living
process gone; each simpler scheme errs in some row.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import programs
from mmstats.format import layout
from mmstats.host import identity

pytestmark = pytest.mark.main  # it is the kernel that is asked, not Python

TESTS = Path(__file__).resolve().parent.parent
SIMPLER = {"pid", "start", "flock", "one", "record"}
IS_PYPY = sys.implementation.name == "pypy"
HAS_AN_ID = identity.machine_id() != identity.NO_ID
MAY_UNSHARE = os.geteuid() == 0 and shutil.which("unshare") is not None

# --- writers ---------------------------------------------------------------------------------------

BEGIN = """
import ctypes, fcntl, gc, json, time
libc = ctypes.CDLL(None)
stats = Model()
stats.count.incr(5)
path, child = stats.filename, 0
record = open(path, 'r+b')
fcntl.lockf(record, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1 << 20)

def tell():
    print(json.dumps({'file': path, 'pid': os.getpid(), 'child': child}), flush=True)

def settle():
    for _ in range(2):  # PyPy unmaps what was let go of when it collects
        gc.collect()

def hold_the_fold():  # for ever: what ends is not folded, and its file stays
    from mmstats.fold import lock
    from mmstats.host.directory import Directory
    assert lock.take(Directory(os.path.dirname(path)))

def sleep():
    while True:
        libc.pause()

def wait():
    settle()
    tell()
    sleep()

def forked(fork):
    it_runs, say_so = os.pipe()
    child = fork()
    if not child:
        settle()
        os.write(say_so, b'.')
        sleep()
    os.read(it_runs, 1)
    return child
"""
FATES = {
    "waits": "wait()",
    "ends in order": "hold_the_fold()\ntell()",
    "ends at once": "tell()\nos._exit(0)",
    "closes every descriptor": """
os.closerange(3, 4096)
stats.count.incr()
wait()
""",
    "has it read in the same process": """
open(path, 'rb').read()
assert mmstats.snapshot(path)[0].value('count') == 5
wait()
""",
    "becomes another program": "tell()\nos.execv('/bin/sleep', ['sleep', '600'])",
    "ends its main thread": """
def count():
    task = f'/proc/{os.getpid()}/stat'
    while open(task).read().rpartition(')')[2].split()[0] != 'Z':
        time.sleep(0.001)
    stats.count.incr()
    wait()
threading.Thread(target=count).start()
libc.pthread_exit(None)
""",
    "forks": "child = forked(os.fork)\nwait()",
    "forks in C": "child = forked(ctypes.PyDLL(None).fork)\nwait()",
    "has a thread that ended": """
hold_the_fold()
stats = Model(filename='{CMD}-{TID}.mmstats')
ended = []
def count():
    stats.count.incr(5)
    ended.append(stats.filename)
for _ in range(2):  # the native twin keeps what it used last
    thread = threading.Thread(target=count)
    thread.start()
    thread.join()
path = ended[0]
wait()
""",
}


class Writer:
    """A real writer and what became of it; `with` ends whatever still lives."""

    def __init__(self, twin, directory, fate, *, under=()):
        self.process = subprocess.Popen(
            [*under, sys.executable, "-c", programs.MODEL + BEGIN + FATES[fate]],
            env=programs.environment(twin, directory, MMSTATS_MODE="0644"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        told = json.loads(self.process.stdout.readline() or "{}")
        self.file, self.pid, self.child = told["file"], told["pid"], told["child"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child:  # first: it keeps our end of the pipe open
            os.kill(self.child, signal.SIGKILL)
        self.process.kill()
        self.process.communicate()


def killed(writer):
    writer.process.kill()
    writer.process.wait()


def killed_and_not_waited_for(writer):
    writer.process.kill()
    until(lambda: state_of(writer.pid) == "Z")


def stopped(writer):
    os.kill(writer.pid, signal.SIGSTOP)
    until(lambda: state_of(writer.pid) == "T")


def ended(writer):
    writer.process.wait()


def became_sleep(writer):
    until(lambda: Path(f"/proc/{writer.pid}/comm").read_text() == "sleep\n")


def killed_before_the_reboot(writer):
    """The file was on a disk; after the reboot another process has the pid."""
    killed(writer)
    rewrite(writer.file, layout.HEADER_BOOT_ID, os.urandom(16))
    rewrite(writer.file, layout.HEADER_PID, os.getpid().to_bytes(4, "little"))


def killed_on_another_machine(writer):
    """As a file that was moved here by whole disks: machine and host are others."""
    killed(writer)
    rewrite(writer.file, layout.HEADER_MACHINE_ID, os.urandom(16))
    rewrite(writer.file, layout.HEADER_HOSTNAME, b"elsewhere".ljust(64, b"\0"))


def copied(writer):
    """The copy is what is judged; the file itself is counted as if there were none."""
    copy = writer.file.replace(".mmstats", "-copy.mmstats")
    shutil.copy(writer.file, copy)
    assert judge(writer.file)["verdict"] == "alive"
    writer.file = copy


def rewrite(path, offset, data):
    fd = os.open(path, os.O_WRONLY)
    assert os.pwrite(fd, data, offset) == len(data)
    os.close(fd)


def state_of(pid):
    found = identity.process(pid)
    return found.state if found else ""


def until(holds, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.002)


# --- readers ---------------------------------------------------------------------------------------

NOBODY = "65534"
HIDDEN = ("unshare", "-m", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh")
OTHER_PIDS = ("unshare", "-p", "-f", "--mount-proc")
OTHER_TIME = ("unshare", "-T", "-f", "--boottime", "100000")
OTHER_MACHINE = ("unshare", "-u", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh")


def seen_from_there(path):
    """Readers of another machine: other processes, another name, and a disk that both share."""
    return ("unshare", "-m", *OTHER_PIDS, sys.executable, str(TESTS / "elsewhere.py"), path)


def judge(path, under=(), *words):
    """What each scheme says of a file, asked in a process of its own below `under`."""
    search = os.pathsep.join((str(programs.ROOT / "src"), str(TESTS)))
    done = subprocess.run(
        [*under, sys.executable, str(TESTS / "judging.py"), path, *words],
        env={**os.environ, "PYTHONPATH": search},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- the matrix ------------------------------------------------------------------------------------


class Case:
    """One row. `wrong`: the simpler schemes that miss the `truth`."""

    def __init__(self, name, fate, truth, wrong="", *, then=None, verdict="", born=(), asked=(), words=()):
        self.name = name
        self.fate = fate
        self.truth = truth
        self.wrong = set(wrong.split())
        self.then = then
        self.verdict = verdict or truth
        self.born = born
        self.asked = asked
        self.words = words

    def __repr__(self):
        return self.name


CASES = [
    Case("it runs", "waits", "alive"),
    Case("it was stopped", "waits", "alive", then=stopped),
    Case("it ended", "ends in order", "gone", then=ended),
    Case("it ended at once", "ends at once", "gone", then=ended),
    Case("it was killed", "waits", "gone", then=killed),
    Case("a zombie", "waits", "gone", "pid", then=killed_and_not_waited_for),
    Case("exec", "becomes another program", "gone", "pid start", then=became_sleep),
    Case("its thread ended", "has a thread that ended", "gone", "pid start"),
    Case("a daemonizer's closerange", "closes every descriptor", "alive", "one record"),
    Case("its main thread ended", "ends its main thread", "alive", "start"),
    Case("read in its process", "has it read in the same process", "alive", "record"),
    # forks
    Case("forked", "forks", "alive"),
    Case("forked, killed", "forks", "gone", "", then=killed),
    Case("forked in C", "forks in C", "alive"),
    Case("forked in C, killed", "forks in C", "gone", "flock one", then=killed),
    Case("forked in C, zombie", "forks in C", "gone", "pid flock one", then=killed_and_not_waited_for),
    # another container reads
    Case("from other pids", "waits", "alive", "pid start", asked=OTHER_PIDS),
    Case("from other pids, killed", "waits", "gone", then=killed, asked=OTHER_PIDS),
    Case("from other pids, forked, killed", "forks", "gone", then=killed, asked=OTHER_PIDS),
    Case("from other pids, forked in C, killed", "forks in C", "gone", "flock one",
         then=killed, asked=OTHER_PIDS, verdict="alive"),  # the one miss, on the safe side
    Case("from another time", "waits", "alive", "start", asked=OTHER_TIME),
    Case("from another time, killed", "waits", "gone", then=killed, asked=OTHER_TIME),
    # another user reads
    Case("hidden", "waits", "alive", "start", asked=HIDDEN, words=(NOBODY,)),
    Case("hidden, killed", "waits", "gone", then=killed, asked=HIDDEN, words=(NOBODY,)),
    Case("hidden, a zombie", "waits", "gone", "pid",
         then=killed_and_not_waited_for, asked=HIDDEN, words=(NOBODY,)),
    # another kernel wrote
    Case("from before a reboot", "waits", "gone", "pid", then=killed_before_the_reboot),
    Case("from a disk of another machine", "waits", "gone", then=killed_on_another_machine),
    Case("a copy", "waits", "a copy", " ".join(SIMPLER), then=copied),
    Case("on a disk that two share", "waits", "alive", "pid start flock one record",
         born=OTHER_MACHINE, asked=seen_from_there, verdict="unknown"),  # its locks are not seen
    Case("on such a disk, killed here", "waits", "gone",
         then=killed, asked=seen_from_there, verdict="gone" if HAS_AN_ID else "unknown"),
]  # fmt: skip


def check_that_it_can_be(fate, world):
    """Skip what this Python, or who we are, does not allow."""
    if IS_PYPY and "in C" in fate:
        pytest.skip("PyPy's threads need its own fork")
    if world and not MAY_UNSHARE:
        pytest.skip("needs root and unshare: namespaces, another user")
    if world is seen_from_there and not os.path.exists("/dev/fuse"):
        pytest.skip("needs /dev/fuse: a disk that two machines share")


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_the_verdict_is_right_and_simpler_ones_err_as_said(twin, stats_dir, case):
    check_that_it_can_be(case.fate, case.asked or case.words)
    stats_dir.chmod(0o755)
    with Writer(twin, stats_dir, case.fate, under=case.born) as writer:
        if case.then:
            case.then(writer)
        under = case.asked(writer.file) if callable(case.asked) else case.asked
        said = judge(writer.file, under, *case.words)
        assert said.pop("verdict") == case.verdict
        assert {name for name, answer in said.items() if answer != case.truth} == case.wrong


def test_each_simpler_scheme_errs_somewhere_and_the_verdict_never_where_it_matters():
    """Else the matrix would prove nothing: a living process taken for gone loses its counts."""
    assert set().union(*(case.wrong for case in CASES if case.truth != "a copy")) == SIMPLER
    assert [case for case in CASES if case.truth == "alive" and case.verdict == "gone"] == []
    missed = [case.name for case in CASES if case.verdict not in (case.truth, "unknown")]
    assert missed == ["from other pids, forked in C, killed"]


REUSE = """
import json, os, signal, subprocess, sys, time
sys.path[:0] = [{tests!r}, {whole!r}]
from pathlib import Path
from mmstats.host import identity
import test_verdicts as scene

def next_process_is(pid):
    with open('/proc/sys/kernel/ns_last_pid', 'w') as file:
        file.write(str(pid - 1))

with scene.Writer(sys.argv[1], Path(sys.argv[2]), sys.argv[3]) as writer:
    began = identity.start_ticks(writer.pid)
    scene.killed(writer)
    while True:
        next_process_is(writer.pid)
        other = os.fork()
        if not other:
            signal.pause()
        if identity.start_ticks(other) != began:
            break
        os.kill(other, signal.SIGKILL)  # in the same tick of the clock: once more
        os.waitpid(other, 0)
    assert other == writer.pid, (other, writer.pid)
    print(json.dumps(scene.judge(writer.file)))
"""


@pytest.mark.parametrize(("fate", "wrong"), [("waits", {"pid"}), ("forks in C", {"pid", "flock", "one"})])
def test_a_pid_that_was_given_to_another_process(twin, stats_dir, fate, wrong):
    """For real: a PID namespace in which we say which number comes next."""
    check_that_it_can_be(fate, OTHER_PIDS)
    script = REUSE.format(tests=str(TESTS), whole=str(TESTS / "whole"))
    done = subprocess.run(
        [*OTHER_PIDS, sys.executable, "-c", script, twin, stats_dir, fate],
        env={**os.environ, "PYTHONPATH": str(programs.ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("verdict") == "gone"
    assert {name for name, answer in said.items() if answer != "gone"} == wrong
