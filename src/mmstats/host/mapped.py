"""Which files are mapped by a process that we may look at: whoever has one mapped may still count in it.

What this file needs of Linux: `/proc/PID/maps`. Where it is missing, nothing is known to be mapped.
"""

from __future__ import annotations

import os

from mmstats.host import identity


class Maps:
    """What is mapped at one moment; looked up when it is first asked for."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: set[tuple[bytes, bytes]] | None = None

    def have(self, path: str, found: os.stat_result) -> bool:
        """Whether some process has the file mapped, `found` being what `fstat` says of it.

        By device and inode, or by inode and name: some file systems show another device there.
        """
        if self._known is None:
            self._known = _all()
        device = b"%02x:%02x" % (os.major(found.st_dev), os.minor(found.st_dev))
        inode = b"%d" % found.st_ino
        return bool({(inode, device), (inode, os.path.basename(os.fsencode(path)))} & self._known)


def _all() -> set[tuple[bytes, bytes]]:
    known: set[tuple[bytes, bytes]] = set()
    for pid in _listed():
        known.update(_of(pid))
    return known


def _listed() -> list[str]:
    try:
        return [name for name in os.listdir(identity.PROC) if name.isdecimal()]
    except OSError:
        return []


def _of(pid: str) -> set[tuple[bytes, bytes]]:
    """Inode and device, and inode and name, of each file that one process has mapped."""
    known = set()
    for line in _read(f"{identity.PROC}/{pid}/maps").splitlines():
        _, _, _, device, inode, *path = line.split(None, 5)
        if inode != b"0":
            known.add((inode, device))
            known.add((inode, os.path.basename(b"".join(path))))
    return known


def _read(path: str) -> bytes:
    """Nothing of a process that ended meanwhile, or that we may not look at."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
