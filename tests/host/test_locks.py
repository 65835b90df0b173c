"""Locks on one byte, asked for and not taken."""

from __future__ import annotations

import errno
import os

import pytest

from mmstats.host import locks


@pytest.fixture
def opened(tmp_path):
    """Opens descriptions of one file, and closes them."""
    path, fds = tmp_path / "f", []

    def open_one():
        fds.append(os.open(path, os.O_RDWR | os.O_CREAT))
        return fds[-1]

    yield open_one
    for fd in fds:
        os.close(fd)


def test_held_by_one_description_and_seen_by_another(opened):
    one, other = opened(), opened()
    assert locks.hold(one, 0)
    assert (locks.held(other, 0), locks.held(other, 1), locks.held(one, 0)) == (True, False, False)
    assert not locks.hold(other, 0)
    assert locks.hold(other, 1)
    locks.release(one, 0)
    assert locks.held(other, 0) is False


def test_release_without_a_lock_is_fine(opened):
    locks.release(opened(), 0)


def test_where_there_are_no_such_locks(opened, monkeypatch):
    monkeypatch.setattr(locks, "SUPPORTED", False)
    assert locks.hold(opened(), 0) is False
    assert locks.held(opened(), 0) is None


@pytest.mark.parametrize(
    ("code", "answer"), [(errno.EINVAL, None), (errno.ENOLCK, None), (errno.EACCES, None)]
)
def test_where_the_file_system_refuses(opened, monkeypatch, code, answer):
    def refuse(*_):
        raise OSError(code, "no")

    fd = opened()
    monkeypatch.setattr(locks.fcntl, "fcntl", refuse)
    assert locks.hold(fd, 0) is False
    assert locks.held(fd, 0) is answer


def test_a_mistake_of_ours_is_not_hidden():
    with pytest.raises(OSError, match="Bad file descriptor"):
        locks.held(987, 0)
    with pytest.raises(OSError, match="Bad file descriptor"):
        locks.hold(987, 0)
