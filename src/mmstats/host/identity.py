"""What this machine and this process are, as the header of a file tells it and as readers compare it.

Nothing is kept: a process may fork, change its namespaces, or be moved, and each question is a few
microseconds. What this file needs of Linux: `/proc`. Where it is missing, the answers are zero or
None, which never count as evidence of anything.
"""

from __future__ import annotations

import os
import time

from mmstats.host.descriptors import close

NO_ID = bytes(16)
CLOCK_BOOTTIME: int = getattr(time, "CLOCK_BOOTTIME", 7)
PROC = "/proc"


class Process:
    """What /proc says of one process: `state` (a letter), `threads`, `start_ticks`."""

    __slots__ = ("start_ticks", "state", "threads")

    def __init__(self, state: str, threads: int, start_ticks: int) -> None:
        self.state = state
        self.threads = threads
        self.start_ticks = start_ticks


class Machine:
    """What tells this machine, boot and pair of namespaces from others."""

    __slots__ = ("boot_id", "hostname", "machine_id", "pid_ns", "time_ns")

    def __init__(self) -> None:
        self.boot_id = boot_id()
        self.machine_id = machine_id()
        self.hostname = hostname()
        self.pid_ns = pid_ns()
        self.time_ns = time_ns()


def boot_id() -> bytes:
    """16 bytes that are new at every boot; zero where there is no /proc."""
    return _id_from(PROC + "/sys/kernel/random/boot_id")


def machine_id() -> bytes:
    """16 bytes that this installation keeps; zero where there are none, as in small containers."""
    return _id_from("/etc/machine-id")


def hostname() -> str:
    """The name of the machine, as uname gives it."""
    return os.uname().nodename


def pid_ns() -> int:
    """The inode of our PID namespace; 0 where there is none."""
    return _inode(PROC + "/self/ns/pid")


def time_ns() -> int:
    """The inode of our time namespace; 0 where there is none."""
    return _inode(PROC + "/self/ns/time")


def process(pid: int | str, proc: str | None = None) -> Process | None:
    """What /proc says of `pid` (or of "self"); None if it shows no such process. `proc`: where that is."""
    fields = _stat_fields(pid, proc or PROC)
    if fields is None:
        return None
    try:
        return Process(fields[0].decode(), int(fields[17]), int(fields[19]))
    except (IndexError, ValueError):
        return None


def start_ticks(pid: int | str = "self") -> int:
    """When `pid` started, in clock ticks since boot; 0 if /proc does not show it."""
    found = process(pid)
    return found.start_ticks if found else 0


def proc_is_ours() -> bool:
    """Whether /proc shows the PID namespace we live in: it knows us by our own pid."""
    raw = _read(PROC + "/self/stat")
    return raw is not None and raw.partition(b" ")[0] == b"%d" % os.getpid()


def started() -> int:
    """When this process started, CLOCK_REALTIME in ns; 0 where that cannot be known."""
    ticks = start_ticks()
    return _since_1970(ticks) if ticks else 0


def seconds_since_1970(ticks: int) -> float:
    """What a number of clock ticks since boot is on the clock on the wall."""
    return _since_1970(ticks) / 1e9


def _since_1970(ticks: int) -> int:
    since_boot = ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return time.time_ns() - time.clock_gettime_ns(CLOCK_BOOTTIME) + since_boot


def _stat_fields(pid: int | str, proc: str) -> list[bytes] | None:
    """The fields of /proc/PID/stat from the third on: the second, a name, may hold anything."""
    raw = _read(f"{proc}/{pid}/stat")
    return raw[raw.rfind(b")") + 1 :].split() if raw else None


def _id_from(path: str) -> bytes:
    raw = (_read(path) or b"").strip().replace(b"-", b"")
    try:
        found = bytes.fromhex(raw.decode("ascii"))
    except ValueError:  # "uninitialized" is a lawful content of /etc/machine-id
        return NO_ID
    return found if len(found) == 16 else NO_ID


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _read(path: str) -> bytes | None:
    """The first 4 KiB; None if there is no such file (any more)."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, 4096)
    except OSError:  # ESRCH: the process ended between the two calls
        return None
    finally:
        close(fd)
