"""What the kernel gives, and what is lost without it."""

from __future__ import annotations

import os

import pytest

from mmstats.doctor import kernel


def said(directory):
    return {finding.name: (finding.mark, finding.text) for finding in kernel.kernel(str(directory))}


@pytest.fixture(autouse=True)
def whole(monkeypatch):
    monkeypatch.delenv("MMSTATS_CELLS", raising=False)


def test_all_of_it(tmp_path):
    assert {mark for mark, _ in said(tmp_path).values()} == {"ok"}
    assert os.listdir(tmp_path) == []


def refuse(*_, **__):
    raise OSError(22, "Invalid argument")


LOCKS = "not here: it is judged by its pid, or not at all"
NAMELESS = "not here: files are made under hidden names; a process killed in that moment leaves one"
PROC = "not here: it shows other processes than ours, or none: a held lock always means alive"
MEMORY = "is not in memory: writers take the next place"
WIPED = "not here: each update asks for the pid, which is a system call"


@pytest.mark.parametrize(
    ("name", "without", "value", "mark", "text"),
    [
        ("F_OFD_SETLK", "mmstats.host.locks.SUPPORTED", False, "wrong", LOCKS),
        ("O_TMPFILE", "mmstats.doctor.kernel.O_TMPFILE", os.O_DIRECTORY, "note", NAMELESS),
        ("/proc", "mmstats.host.identity.PROC", "/does/not/exist", "note", PROC),
        ("/dev/shm", "mmstats.host.mounts.is_in_memory", lambda _: False, "note", MEMORY),
        ("MADV_WIPEONFORK", "mmstats.cells.wiped.mmap.mmap", refuse, "note", WIPED),
    ],
)
def test_what_is_lost_without(tmp_path, monkeypatch, name, without, value, mark, text):
    monkeypatch.setattr(without, value)
    assert said(tmp_path)[name] == (mark, text)


def test_a_directory_in_which_nothing_can_be_made(tmp_path):
    found = said(tmp_path / "missing")
    assert (found["F_OFD_SETLK"][0], found["O_TMPFILE"][0]) == ("wrong", "note")
