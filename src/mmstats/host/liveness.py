"""Alive, gone or unknown: the verdict of spec/FORMAT.md section 8. Gone needs evidence, all of it."""

from __future__ import annotations

import os
from struct import Struct

from mmstats.format import layout
from mmstats.host import identity, locks, mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from mmstats.format.header import Header

    class Beginning(Protocol):
        """What tells one process from all others."""

        boot_id: bytes
        pid: int
        pid_ns: int
        start_ticks: int
        time_ns: int


ALIVE, GONE, UNKNOWN, RETIRED = "alive", "gone", "unknown", "retired"
DEAD_STATES = ("Z", "X")
SLACK = 2.0  # seconds that a clock may have been set by between the start and the first file


_runs_in = Struct("<16sQQ").pack


class Judge:
    """Judges many files; what it asks of the machine it asks once, and only if it must."""

    __slots__ = ("_local", "_machine", "_proc_is_ours")

    def __init__(self) -> None:
        self._machine: identity.Machine | None = None
        self._proc_is_ours: bool | None = None
        self._local: dict[int, bool] = {}

    def verdict(self, header: Header, fd: int, device: int) -> str:
        """What the writer of the open file is; `device`: where the file is."""
        if header.state == layout.STATE_RETIRED:
            return RETIRED
        if header.state == layout.STATE_CLOSED:
            return GONE
        held = _held(fd)
        if held is None:
            return UNKNOWN
        if held:
            dead = self._processis_dead(header) and self._may_be_judged(header, fd, device)
            return GONE if dead else ALIVE
        if header.writer_flags & layout.WRITER_FLAG_POSIX_LOCK and self._goes_on(header):
            return ALIVE
        return GONE if self._may_be_judged(header, fd, device) else UNKNOWN

    def verdict_by_pid(self, pid: int, created: float) -> str:
        """What the writer of a file of version 1 is, which tells its pid and when it was made, and no more.

        Nothing tells whether that pid was one of this machine; in 0.8 it was.
        """
        if not 0 < pid < 1 << 31 or not self._knows_proc():
            return UNKNOWN
        process = identity.process(pid)
        if process is None:
            return GONE if _is_missing(pid) else ALIVE
        if process.state in DEAD_STATES and process.threads <= 1:
            return GONE
        began = identity.seconds_since_1970(process.start_ticks)
        return GONE if created and began > created + SLACK else ALIVE

    def near(self) -> bytes:
        """What `runs_in` says of those whose pids we can ask for; empty where there are none."""
        is_known = self.machine.boot_id != identity.NO_ID and self._knows_proc()
        return runs_in(self.machine) if is_known else b""

    def is_left(self, device: int) -> bool:
        """Whether the writer of a file is gone, none of whose locks is held; `device`: where the file is.

        False: it takes a closer look to tell.
        """
        return self._local.get(device, False)

    @property
    def machine(self) -> identity.Machine:
        if self._machine is None:
            self._machine = identity.Machine()
        return self._machine

    def _may_be_judged(self, header: Header, fd: int, device: int) -> bool:
        """Evidence 1: locks on this file are seen by us, whoever took them."""
        local = self._local.get(device)
        if local is None:
            local = self._local[device] = mounts.is_local(fd)
        return local or self._is_this_machine(header)

    def _is_this_machine(self, header: Header) -> bool:
        ours = self.machine
        known = ours.machine_id != identity.NO_ID
        return known and (header.machine_id, header.hostname) == (ours.machine_id, ours.hostname)

    def _processis_dead(self, header: Header) -> bool:
        """Evidence 2, for locks that outlive the writer in a forked child."""
        return self._is_near(header) and is_dead(header, identity.process(header.pid))

    def _goes_on(self, header: Header) -> bool:
        """Whether a process lives that can only be the writer, though its POSIX record lock is not held.

        It loses that where it closes any descriptor of its own file, as a library in it might.
        """
        if not (header.start_ticks and self._is_near(header)):
            return False
        process = identity.process(header.pid)
        return process is not None and not is_dead(header, process)

    def _is_near(self, header: Beginning) -> bool:
        """Whether its pid is one that we can ask for."""
        return 0 < header.pid < 1 << 31 and self._sees(header)

    def _sees(self, header: Beginning) -> bool:
        """Whether pids and times mean to us what they meant to the writer."""
        return runs_in(header) == self.near()

    def _knows_proc(self) -> bool:
        if self._proc_is_ours is None:
            self._proc_is_ours = identity.proc_is_ours()
        return self._proc_is_ours


def runs_in(one: Beginning | identity.Machine) -> bytes:
    """Boot and namespaces in which the pids and times of a process mean something."""
    return _runs_in(one.boot_id, one.pid_ns, one.time_ns)


def _held(fd: int) -> bool | None:
    """Whether one of the writer's two locks is held; None if that cannot be asked."""
    for byte in (layout.LOCK_WRITER, layout.LOCK_WITNESS):
        held = locks.held(fd, byte)
        if held is not False:
            return held
    return False


def is_dead(header: Beginning, process: identity.Process | None) -> bool:
    """Whether a process is no more, by what /proc says of its pid."""
    if process is None:
        return _is_missing(header.pid)
    if process.start_ticks != header.start_ticks:
        return header.start_ticks != 0
    return process.state in DEAD_STATES and process.threads <= 1


def _is_missing(pid: int) -> bool:
    """Whether there is no such process; one that /proc hides from us (hidepid) is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
