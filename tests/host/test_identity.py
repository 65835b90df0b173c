"""What this machine and process are."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from mmstats.host import identity


def test_ids_of_this_machine():
    machine = identity.Machine()
    assert len(machine.boot_id) == len(machine.machine_id) == 16
    assert machine.hostname == os.uname().nodename
    assert machine.pid_ns == os.stat("/proc/self/ns/pid").st_ino


def test_this_process():
    found = identity.process(os.getpid())
    assert found.start_ticks == identity.start_ticks() > 0
    assert (found.state, found.threads >= 1) == ("R", True)
    assert identity.proc_is_ours()


def test_started_is_when_this_process_started():
    assert 0 <= time.time_ns() - identity.started() < 3600e9


def test_a_process_that_is_not_there():
    assert identity.process(2**22 + 5) is None
    assert identity.start_ticks(2**22 + 5) == 0


def test_a_name_may_hold_anything(tmp_path):
    """The second field of /proc/PID/stat is whatever the process calls itself."""
    code = "import sys; open('/proc/self/comm', 'w').write('a) Z 1 (b'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        assert identity.process(child.pid).state in "SR"
        child.stdin.close()


@pytest.mark.parametrize("text", [b"uninitialized\n", b"", b"1234\n", b"\xff\xfe"])
def test_an_id_that_is_none_is_zero(tmp_path, text):
    (tmp_path / "id").write_bytes(text)
    assert identity._id_from(str(tmp_path / "id")) == identity.NO_ID


@pytest.fixture
def proc(tmp_path, monkeypatch):
    """Another /proc."""
    monkeypatch.setattr(identity, "PROC", str(tmp_path))
    return tmp_path


def test_without_proc_nothing_is_known(proc):
    assert identity.boot_id() == identity.NO_ID
    assert (identity.pid_ns(), identity.time_ns(), identity.started()) == (0, 0, 0)
    assert not identity.proc_is_ours()


@pytest.mark.parametrize("text", ["", "5 (x", "5 (x) S 1", "5 (x) " + "z " * 30])
def test_a_stat_that_says_nothing(proc, text):
    (proc / "5").mkdir()
    (proc / "5/stat").write_text(text)
    assert identity.process(5) is None


def test_a_proc_of_others_is_not_ours(proc):
    (proc / "self").mkdir()
    (proc / "self/stat").write_text("1 (init) S 0")
    assert not identity.proc_is_ours()


def test_a_process_that_ends_while_it_is_read(monkeypatch):
    def ended(*_):
        raise ProcessLookupError

    monkeypatch.setattr(identity.os, "read", ended)
    assert identity.process("self") is None
