"""Which file system something is on: is it in memory, and is it this kernel's alone.

What this file needs of Linux: `/proc/self/mountinfo` and `/proc/self/fdinfo`. Where they are
missing, nothing is known to be local.
"""

from __future__ import annotations

import os

from mmstats.host.descriptors import close

# A list of what is known to be local, not of what is not: "gone" needs evidence. A file system that
# two kernels may share (nfs, cifs, 9p, virtiofs, most of fuse) is deliberately missing.
LOCAL = frozenset(
    "tmpfs ramfs rootfs devtmpfs hugetlbfs overlay aufs ext2 ext3 ext4 xfs btrfs bcachefs zfs f2fs jfs "
    "nilfs2 reiserfs reiser4 vfat msdos exfat ntfs ntfs3 fuseblk hfs hfsplus ufs udf minix".split()
)
IN_MEMORY = frozenset(("tmpfs", "ramfs", "rootfs", "devtmpfs", "hugetlbfs"))

O_PATH: int = getattr(os, "O_PATH", 0o10000000)
MOUNTINFO = "/proc/self/mountinfo"


def is_local(where: str | int) -> bool:
    """Whether a path or descriptor is on a file system that is known to be this kernel's alone."""
    return file_system(where) in LOCAL


def is_in_memory(where: str | int) -> bool:
    """Whether a path or descriptor is on a tmpfs, so that no store waits for a disk."""
    return file_system(where) in IN_MEMORY


def file_system(where: str | int) -> str:
    """The type of the file system, as `tmpfs`; empty where that cannot be known."""
    try:
        if isinstance(where, int):
            return _of_descriptor(where)
        fd = os.open(where, O_PATH | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return _of_descriptor(fd)
    except OSError:
        return ""
    finally:
        close(fd)


def _of_descriptor(fd: int) -> str:
    """By the mount's number; by the device's where the kernel tells no such number."""
    device = os.fstat(fd).st_dev
    mount, number = _mount_of(fd), f"{os.major(device)}:{os.minor(device)}"
    answer = ""
    for line in _slurp(MOUNTINFO).splitlines():
        left, dash, right = line.partition(" - ")
        fields = left.split(" ", 3)
        if dash and (fields[0] == mount if mount else fields[2] == number):
            answer = right.split(" ", 1)[0]
    return answer


def _mount_of(fd: int) -> str:
    for line in _slurp(f"/proc/self/fdinfo/{fd}").splitlines():
        key, _, value = line.partition(":")
        if key == "mnt_id":
            return value.strip()
    return ""


def _slurp(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""
