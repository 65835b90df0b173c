"""Readers that cannot be hurt: whatever lies or happens in a directory, the good file in it is read.

`test_hostile_directory.py` shows what slurpstats says of one bad file; here are all of them together, on
every public surface, and files that change, come and go while somebody reads.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

import filebuilder as fb
import programs
from mmstats import combined, snapshot
from mmstats.format import layout

pytestmark = pytest.mark.main

SLURPSTATS = str(programs.ROOT / "bin/slurpstats")
DEADLINE = 60  # seconds, of what takes one
MIB = 1 << 20
TEBIBYTE = 1 << 40
ROOM = 768 * MIB  # of addresses; what is read of one file and found in it is at most 512
F_SETLEASE: int = getattr(fcntl, "F_SETLEASE", 1024)
HIT = fb.fields(("hits", "counter", fb.U64, 42))
GOOD = fb.whole(*fb.total("hits", 42), state=layout.STATE_RETIRED)


@pytest.fixture
def good(stats_dir):
    return fb.write(stats_dir / "good.mmstats", GOOD)


def within(limit):
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def slurp(directory, *words):
    """What slurpstats printed and said, as another process that may not have more memory than that."""
    return subprocess.run(
        [sys.executable, SLURPSTATS, *words, str(directory)],
        env={**programs.environment("pure", directory), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        preexec_fn=within(ROOM),
    )


ASK = """
import json, sys
import mmstats
{before}
each, whole = mmstats.snapshot(sys.argv[1]), mmstats.combined(sys.argv[1])
print(json.dumps({{
    "each": {{one.origin.file: [problem.reason for problem in one.problems] for one in each}},
    "whole": {{problem.file: problem.reason for problem in whole.problems}},
    "hits": whole.value("hits", default=None),
}}))
"""


def ask(directory, before=""):
    """What snapshot and combined say, in another process."""
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(before=before), str(directory)],
        env=programs.environment("pure", directory),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        preexec_fn=within(ROOM),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- everything at once -----------------------------------------------------------------------------


def a_tebibyte(path, header):
    path.write_bytes(header)
    os.truncate(path, TEBIBYTE)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


EVERYTHING = {
    "fifo": (os.mkfifo, "not a regular file"),
    "socket": (a_socket, "No such device"),
    "zeros": (lambda path: path.symlink_to("/dev/zero"), "a link"),
    "itself": (lambda path: path.symlink_to(path), "a link"),
    "elsewhere": (lambda path: path.symlink_to(path.with_name("deeper") / "a.mmstats"), "a link"),
    "directory": (lambda path: path.mkdir(), "not a regular file"),
    "empty": (lambda path: path.touch(), "an empty file"),
    "zero": (lambda path: path.write_bytes(bytes(4096)), "not an mmstats file"),
    "holes": (lambda path: a_tebibyte(path, b""), f"{TEBIBYTE} bytes, at most"),
    "tebibyte": (lambda path: a_tebibyte(path, GOOD), f"{TEBIBYTE} bytes, at most"),
    "copy": (lambda path: shutil.copy(path.with_name("good.mmstats"), path), "a copy"),
    "inode": (lambda path: path.write_bytes(fb.whole(*HIT, ino=1)), "a copy: inode"),
    "short": (lambda path: path.write_bytes(GOOD[:511]), "damaged"),
}


@pytest.fixture
def everything(good, stats_dir):
    """A directory of all that; name → what is said of it."""
    (stats_dir / "deeper").mkdir()
    fb.write(stats_dir / "deeper/a.mmstats", GOOD)
    for name, (make, _) in EVERYTHING.items():
        make(stats_dir / f"{name}.mmstats")
    return {str(stats_dir / f"{name}.mmstats"): said for name, (_, said) in EVERYTHING.items()}


def test_everything_is_one_problem_each_and_the_good_file_counts_once(good, everything, stats_dir):
    found = ask(stats_dir)
    assert found["hits"] == 42
    assert found["each"].pop(good) == []
    assert set(found["each"]) == set(everything)
    for path, expected in everything.items():
        (reason,) = found["each"][path]
        assert expected in reason
    assert found["whole"] == {path: reasons[0] for path, reasons in found["each"].items()}


@pytest.mark.parametrize("view", ["", "--by all", "--files", "--list", "--jsonl", "-o plain", "-v"])
def test_every_view_of_slurpstats_says_all_of_it_and_shows_the_good_file(everything, stats_dir, view):
    done = slurp(stats_dir, *view.split())
    assert done.returncode == 3, done.stderr
    assert "good.mmstats" in done.stdout or "hits" in done.stdout
    for path, expected in everything.items():
        assert any(path in line and expected in line for line in done.stderr.splitlines()), path


NOBODY = "os.setgroups([]); os.setgid(65534); os.setuid(65534)"


def test_a_file_without_permission(good, stats_dir):
    """Root may read everything, and is nobody here."""
    closed = stats_dir / "closed.mmstats"
    fb.write(closed, GOOD)
    closed.chmod(0)
    os.chmod(good, 0o644)
    stats_dir.chmod(0o755)
    become = f"import os; mmstats.combined, mmstats.snapshot; {NOBODY}" if os.geteuid() == 0 else ""
    found = ask(stats_dir, become)
    assert (found["hits"], found["whole"]) == (42, {str(closed): "Permission denied; skipped"})


def test_a_lease_does_not_make_the_reader_wait(good, stats_dir):
    """Who holds one may let others wait for 45 seconds at each open, unless they say that they will not."""
    path = fb.write(stats_dir / "leased.mmstats", GOOD)
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(fd, F_SETLEASE, fcntl.F_WRLCK)
        found = ask(stats_dir)
    finally:
        os.close(fd)
        signal.signal(signal.SIGIO, before)
    assert (found["hits"], found["whole"]) == (42, {path: "Resource temporarily unavailable; skipped"})


def test_a_copy_of_a_living_file_does_not_count_twice(stats_dir):
    script = """
    import shutil
    stats = Model()
    stats.count.incr(5)
    shutil.copy2(stats.filename, stats.filename[:-8] + '-copy.mmstats')
    whole = mmstats.combined()
    assert (whole.value('count'), whole.processes) == (5, 1)
    (problem,) = whole.problems
    assert 'a copy' in problem.reason and problem.file.endswith('-copy.mmstats')
    """
    programs.run(script, programs.twins()[-1], stats_dir)


def test_ten_thousand_files_of_junk(good, stats_dir):
    for at in range(10_000):
        (stats_dir / f"junk-{at}.mmstats").write_bytes(b"junk %d\n" % at)
    found = ask(stats_dir)
    assert (found["hits"], len(found["whole"])) == (42, 10_000)
    done = slurp(stats_dir)
    assert (done.returncode, done.stderr.count("\n")) == (3, 10_000)


# --- files that change, come and go -----------------------------------------------------------------

TIMED = fb.whole(
    fb.metric("a", "timer", fb.F64, cells=400), fb.metric("b", segment=2), fb.cells(1, [5, 0, *[9] * 398])
)
LENGTHS = """
path = directory + '/moving.mmstats'
while True:
    for length in (0, 100, 520, 700, 1000, 4096, 4097, 9000, 1 << 20, len(data)):
        os.truncate(path, length)
    with open(path, 'r+b') as file:
        file.write(data)
"""
NAMES = """
while True:
    for name in ('coming', 'going'):
        with open(directory + '/.new', 'wb') as file:
            inode = os.fstat(file.fileno()).st_ino
            file.write(data[:128] + inode.to_bytes(8, 'little') + data[136:])
        os.rename(directory + '/.new', directory + f'/{name}.mmstats')
    for name in ('coming', 'going'):
        os.unlink(directory + f'/{name}.mmstats')
"""
HAMMER = "import os, sys\ndirectory, data = sys.argv[1], sys.stdin.buffer.read()\nprint(flush=True)\n"


class Hammering:
    """A program that does something to a directory, on and on, until the test is done with it."""

    def __init__(self, script, directory, data):
        self.child = subprocess.Popen(
            [sys.executable, "-c", HAMMER + script, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.child.stdin.write(data)
        self.child.stdin.close()
        assert self.child.stdout.readline() == b"\n"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        was_running = self.child.poll() is None
        self.child.kill()
        said = self.child.stderr.read()
        for stream in (self.child.stdout, self.child.stderr):
            stream.close()
        self.child.wait(DEADLINE)
        assert was_running, said


@pytest.mark.parametrize("read", [snapshot, combined], ids=["snapshot", "combined"])
def test_the_good_file_beside_one_that_shrinks_and_grows(good, stats_dir, read):
    """Each time: the good one is whole, and problems are told of the other one alone."""
    moving = stats_dir / "moving.mmstats"
    moving.write_bytes(TIMED)
    problems = 0
    with Hammering(LENGTHS, stats_dir, TIMED):
        for _ in range(400):
            found = read(stats_dir)
            snapshots = found if isinstance(found, list) else [found]
            hits = [one.value("hits", default=0) for one in snapshots]
            told = {problem.file for one in snapshots for problem in one.problems}
            assert sum(hits) == 42
            assert told <= {str(moving)}
            problems += len(told)
    assert problems


def test_the_good_file_beside_those_that_come_and_go(good, stats_dir):
    """A file that is replaced, and one that is gone between two steps, are ordinary life and no problem."""
    seen, reads, until = set(), 0, time.monotonic() + DEADLINE
    with Hammering(NAMES, stats_dir, GOOD):
        while (reads < 400 or len(seen) < 2) and time.monotonic() < until:
            whole = combined(stats_dir)
            assert [str(problem) for problem in whole.problems] == []
            seen.add(whole.value("hits"))
            reads += 1
    assert seen <= {42, 84, 126}
    assert len(seen) > 1, "they neither came nor went"


@pytest.mark.parametrize("script", [LENGTHS, NAMES], ids=["lengths", "names"])
def test_slurpstats_ends_while_files_change(good, stats_dir, script):
    fb.write(stats_dir / "moving.mmstats", TIMED)
    with Hammering(script, stats_dir, TIMED):
        for _ in range(10):
            done = slurp(stats_dir)
            assert done.returncode in (0, 3), done.stderr
            assert f"==> {good}\n  hits 42\n" in done.stdout
