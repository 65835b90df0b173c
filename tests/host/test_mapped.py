"""Which files somebody has mapped: by device and inode, or by inode and name."""

from __future__ import annotations

import mmap
import os

import pytest

from mmstats.host import identity
from mmstats.host.mapped import Maps


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a b.mmstats"
    path.write_bytes(bytes(4096))
    with open(path, "r+b") as opened:
        yield opened


def has(file):
    return Maps().have(file.name, os.fstat(file.fileno()))


def test_a_file_is_mapped_as_long_as_it_is(file):
    assert not has(file)
    with mmap.mmap(file.fileno(), 0):
        assert has(file)
    assert not has(file)


def test_maps_are_those_of_one_moment(file):
    """Asked for once, however many files there are."""
    maps = Maps()
    assert not maps.have(file.name, os.fstat(file.fileno()))
    with mmap.mmap(file.fileno(), 0):
        assert not maps.have(file.name, os.fstat(file.fileno()))


@pytest.mark.parametrize(
    ("device", "name", "mapped"),
    [("00:00", "a b.mmstats", True), ("00:00", "other", False), ("", "other", True)],
)
def test_some_file_systems_show_another_device(file, tmp_path, monkeypatch, device, name, mapped):
    """Then the name must be the same; inodes of two devices may be."""
    found = os.fstat(file.fileno())
    own = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    (tmp_path / "7").mkdir()
    line = f"7f00-7f01 rw-s 00000000 {device or own} {found.st_ino}    /any where/{name}\n"
    (tmp_path / "7/maps").write_text(f"7e00-7e01 rw-p 00000000 00:00 0 \n{line}")
    monkeypatch.setattr(identity, "PROC", str(tmp_path))
    assert has(file) is mapped


def test_without_proc_nothing_is_known_to_be_mapped(file, tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "PROC", str(tmp_path / "none"))
    with mmap.mmap(file.fileno(), 0):
        assert not has(file)
