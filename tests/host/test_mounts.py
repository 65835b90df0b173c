"""Which file system something is on."""

from __future__ import annotations

import os

import pytest

from mmstats.host import mounts


def test_a_tmpfs_is_in_memory_and_local():
    assert mounts.file_system("/dev/shm") == "tmpfs"
    assert mounts.is_in_memory("/dev/shm")
    assert mounts.is_local("/dev/shm")


def test_a_descriptor_says_the_same(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert mounts.file_system(fd) == mounts.file_system(str(tmp_path)) != ""
    finally:
        os.close(fd)
    assert mounts.file_system(fd) == ""


def test_what_is_not_there_is_not_known_to_be_local():
    assert not mounts.is_local("/does/not/exist")


INFO = """\
22 1 {dev} / / rw,relatime shared:1 - nfs4 server:/x rw
23 1 0:99 / /other rw - ext4 /dev/x rw
broken
"""


@pytest.fixture
def described(tmp_path, monkeypatch):
    """A mount table that says that this directory is on the network."""
    device = tmp_path.stat().st_dev
    table = tmp_path / "mountinfo"
    table.write_text(INFO.format(dev=f"{os.major(device)}:{os.minor(device)}"))
    monkeypatch.setattr(mounts, "MOUNTINFO", str(table))
    return str(tmp_path)


def test_by_device_where_the_kernel_tells_no_mount(described, monkeypatch):
    monkeypatch.setattr(mounts, "_mount_of", lambda _: "")
    assert mounts.file_system(described) == "nfs4"
    assert not mounts.is_local(described)


def test_by_mount(described, monkeypatch):
    monkeypatch.setattr(mounts, "_mount_of", lambda _: "23")
    assert mounts.is_local(described)


def test_without_a_mount_table_nothing_is_known(monkeypatch):
    monkeypatch.setattr(mounts, "MOUNTINFO", "/does/not/exist")
    assert mounts.file_system("/") == ""


def test_a_descriptor_that_is_told_nothing_about():
    assert mounts._mount_of(98765) == ""


def test_a_path_that_is_lost_while_it_is_asked_for(monkeypatch):
    def lost(_):
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(mounts, "_of_descriptor", lost)
    assert mounts.file_system("/") == ""
