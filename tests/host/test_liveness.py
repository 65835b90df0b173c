"""The verdict on a writer, on a machine made up by hand. Gone needs evidence, all of it.

What becomes of real writers is judged in tests/whole/test_verdicts.py, row by row.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import filebuilder as fb
from mmstats.combining import Combiner
from mmstats.format import layout
from mmstats.format.header import decode_header
from mmstats.host import identity, liveness, locks, mounts

TESTS = Path(__file__).resolve().parent.parent


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "a.mmstats")


@pytest.fixture
def writer(path):
    """Starts the writer made by hand; ends all that it started."""
    started = []

    def start(what=""):
        command = [sys.executable, str(TESTS / "holder.py"), path, what]
        search = os.pathsep.join((str(TESTS.parent / "src"), str(TESTS)))
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": search}
        )
        started.append(child)
        pids = [int(word) for word in child.stdout.readline().split()]
        started.append(pids[1:])
        return child, pids

    yield start
    for one in reversed(started):  # forked children first: they keep our end of the pipe open
        if isinstance(one, list):
            for pid in one:
                os.kill(pid, signal.SIGKILL)
        else:
            one.kill()
            one.communicate()


def verdict(path, **patched):
    fd = os.open(path, os.O_RDONLY)
    try:
        header = decode_header(os.pread(fd, 4096, 0))
        for name, value in patched.items():
            setattr(header, name, value)
        return liveness.Judge().verdict(header, fd, os.fstat(fd).st_dev)
    finally:
        os.close(fd)


def test_a_writer_that_lives(writer, path):
    writer()
    assert verdict(path) == "alive"


def test_a_writer_that_was_stopped_lives(writer, path):
    child, _ = writer()
    child.send_signal(signal.SIGSTOP)
    assert verdict(path) == "alive"


def test_a_writer_that_was_killed(writer, path):
    child, _ = writer()
    child.kill()
    child.wait()
    assert verdict(path) == "gone"


def test_a_writer_that_closed_its_file(writer, path):
    writer("close")
    assert verdict(path) == "gone"


def test_a_writer_that_became_another_program(writer, path):
    child, _ = writer("exec")
    until = time.monotonic() + 10
    while verdict(path) == "alive" and time.monotonic() < until:  # exec takes a moment
        time.sleep(0.01)
    assert verdict(path) == "gone"
    assert child.poll() is None


def test_a_killed_writer_whose_forked_child_keeps_the_mapping(writer, path):
    child, _ = writer("fork")
    assert verdict(path) == "alive"
    child.kill()
    child.wait()
    assert verdict(path) == "gone"


def test_a_zombie_whose_forked_child_keeps_the_mapping(writer, path):
    child, _ = writer("fork")
    child.kill()
    until = time.monotonic() + 10
    while identity.process(child.pid).state != "Z" and time.monotonic() < until:
        time.sleep(0.01)
    assert verdict(path) == "gone"


@pytest.mark.parametrize(
    "other", [{"boot_id": b"x" * 16}, {"pid_ns": 1}, {"time_ns": 1}, {"pid": 0}, {"pid": 1 << 31}]
)
def test_a_held_lock_of_another_world_is_alive(writer, path, other):
    """Another machine, container or time: its pids say nothing here."""
    child, _ = writer("fork")
    child.kill()
    child.wait()
    assert verdict(path, **other) == "alive"


def test_a_pid_that_was_used_again(writer, path):
    writer()
    assert verdict(path, start_ticks=1) == "gone"
    assert verdict(path, start_ticks=0) == "alive"


def test_proc_of_others_is_no_evidence(writer, path, monkeypatch):
    child, _ = writer("fork")
    child.kill()
    child.wait()
    monkeypatch.setattr(identity, "proc_is_ours", lambda: False)
    assert verdict(path) == "alive"


def test_a_process_that_proc_hides_is_there(writer, path, monkeypatch):
    writer()
    monkeypatch.setattr(identity, "process", lambda _: None)
    assert verdict(path) == "alive"

    def denied(*_):
        raise PermissionError

    monkeypatch.setattr(os, "kill", denied)
    assert verdict(path) == "alive"


def test_a_main_thread_that_ended_before_the_others_lives(writer, path, monkeypatch):
    child, _ = writer()
    ticks = identity.start_ticks(child.pid)
    monkeypatch.setattr(identity, "process", lambda _: identity.Process("Z", 2, ticks))
    assert verdict(path) == "alive"


def test_free_locks_on_another_machines_file_system_are_no_evidence(path, monkeypatch):
    fb.write(path, fb.whole())
    monkeypatch.setattr(mounts, "is_local", lambda _: False)
    ours = {"machine_id": b"m" * 16, "hostname": "here"}
    monkeypatch.setattr(identity, "machine_id", lambda: b"m" * 16)
    monkeypatch.setattr(identity, "hostname", lambda: "here")
    assert verdict(path, **ours) == "gone"
    assert verdict(path, **{**ours, "hostname": "there"}) == "unknown"
    monkeypatch.setattr(identity, "machine_id", lambda: identity.NO_ID)
    assert verdict(path, **{**ours, "machine_id": identity.NO_ID}) == "unknown"


def test_locks_that_cannot_be_asked_for(path, monkeypatch):
    fb.write(path, fb.whole())
    monkeypatch.setattr(locks, "held", lambda *_: None)
    assert verdict(path) == "unknown"


def test_retired_totals_are_nobodys(path):
    fb.write(path, fb.whole(state=layout.STATE_RETIRED))
    assert verdict(path) == "retired"


# --- a lock that its writer may have lost ------------------------------------------------------------

POSIX = 7 | layout.WRITER_FLAG_POSIX_LOCK


def test_a_posix_lock_that_was_lost_says_nothing_of_a_process_that_lives(path):
    """Anything in a JVM that closes a descriptor of the file takes its writer's locks away."""
    fb.write(path, fb.whole(writer_flags=POSIX))
    assert verdict(path) == "alive"
    assert verdict(path, writer_flags=7) == "gone"
    assert verdict(path, start_ticks=identity.start_ticks() + 1) == "gone"
    assert verdict(path, start_ticks=0) == "gone"
    assert verdict(path, pid_ns=1) == "gone"
    assert verdict(path, pid=missing_pid()) == "gone"


def missing_pid():
    """One that nobody has."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


@pytest.mark.parametrize("pure", [True, False], ids=["pure", "native"])
def test_many_such_files_are_added_up_as_those_of_the_living(tmp_path, pure):
    """By the short way as well, which has learned by then what the dead of that program look like."""
    if not pure:
        pytest.importorskip("mmstats.read._native", reason="not on a machine without the native twin")
    rows = fb.fields(("hits", "counter", fb.U64, 2), ("free", "gauge", fb.F64, 5.0))
    for number in range(6):
        fb.write(tmp_path / f"{number}.mmstats", fb.whole(*rows, writer_flags=POSIX))
        dead = fb.whole(*rows, writer_flags=POSIX, start_ticks=identity.start_ticks() + 1)
        fb.write(tmp_path / f"dead-{number}.mmstats", dead)
    combiner = Combiner(pure=pure)
    for _ in range(2):
        whole = combiner.combined(tmp_path)
        assert (whole.value("hits"), whole.value("free")) == (24, 30.0)
