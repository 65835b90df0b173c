"""A piece of work that is ended, or refused something, at each of its system calls, one after the other.

The work runs in a forked child under ptrace and stops before each call that it makes, and so do its threads
and its own children; whoever looks on says what becomes of the call. See docs/crash-testing.md.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
import traceback
from ctypes import addressof, sizeof
from errno import EACCES, EIO, EMFILE, ENOLCK, ENOMEM, ENOSPC

from traced import KILL_WITH_US, NAMES, SETOPTIONS, SYSCALL, SYSCALL_INFO, SYSGOOD, TRACEME, Info, ptrace

POSSIBLE = sys.platform == "linux" and bool(NAMES)
WHY_NOT = f"not on {sys.platform} {platform.machine()}: the numbers of its system calls are not here"
CAN_REFUSE = POSSIBLE and platform.machine() == "x86_64"
WHY_NO_REFUSAL = f"not on {platform.machine()}: nothing here puts another answer into its registers"

KILL = "kill"
CONTINUE = 7
CHILDREN = 1 << 1 | 1 << 2 | 1 << 3  # of fork, vfork and clone
ALL = 0x40000000  # __WALL: threads as well
POKEUSER, RAX, ORIG_RAX = 6, 10 * 8, 15 * 8
F_DUPFD_CLOEXEC, F_LOCKS = 1030, (6, 37)  # F_SETLK and F_OFD_SETLK
NO_FILE = 0xFFFFFFFF  # the descriptor of anonymous memory

# What a machine may answer, by call; numbers of x86-64.
REFUSALS = {
    0: ("read", (EIO,)),
    1: ("write", (ENOSPC, EIO)),
    3: ("close", (EIO,)),
    4: ("stat", (EIO, EACCES)),
    5: ("fstat", (EIO,)),
    6: ("lstat", (EIO, EACCES)),
    9: ("mmap", (ENOMEM, EACCES)),
    17: ("pread64", (EIO,)),
    26: ("msync", (EIO,)),
    72: ("fcntl", (ENOLCK, EMFILE)),
    73: ("flock", (ENOLCK,)),
    74: ("fsync", (EIO, ENOSPC)),
    77: ("ftruncate", (ENOSPC, EIO)),
    82: ("rename", (ENOSPC, EACCES, EIO)),
    83: ("mkdir", (ENOSPC, EACCES, EIO)),
    87: ("unlink", (EACCES, EIO)),
    91: ("fchmod", (EACCES, EIO)),
    93: ("fchown", (EACCES, EIO)),
    217: ("getdents64", (EIO,)),
    257: ("openat", (EMFILE, ENOSPC, EACCES, EIO)),
    262: ("newfstatat", (EIO, EACCES)),
    263: ("unlinkat", (EACCES, EIO)),
    264: ("renameat", (ENOSPC, EACCES, EIO)),
    265: ("linkat", (ENOSPC, EACCES, EIO)),
    285: ("fallocate", (ENOSPC, EIO)),
    316: ("renameat2", (ENOSPC, EACCES, EIO)),
    332: ("statx", (EIO, EACCES)),
}


LOOKING = {
    8: "lseek",
    10: "mprotect",
    12: "brk",
    13: "rt_sigaction",
    14: "rt_sigprocmask",
    16: "ioctl",
    28: "madvise",
}
LOOKS = frozenset(
    ("read", "stat", "fstat", "lstat", "pread64", "getdents64", "newfstatat", "statx", *LOOKING.values())
)


class Call:
    """A system call that is about to be made.

    `answers`: what the machine may refuse it with. `only_looks`: it changes nothing that others see.
    """

    def __init__(self, number, arguments):
        looks = LOOKING.get(number) if CAN_REFUSE else None
        known = REFUSALS.get(number) if CAN_REFUSE else None
        named, answers = known or (looks or NAMES.get(number, f"call {number}"), ())
        self.name = named
        self.answers = tuple(answer for answer in answers if _fits(named, arguments, answer))
        self.only_looks = named in LOOKS

    def __repr__(self):
        return self.name


def _fits(name, arguments, answer):
    """Whether this very use of a call may get the answer."""
    if name == "mmap":
        return arguments[4] & NO_FILE != NO_FILE
    if name == "fcntl":
        return arguments[1] in (F_LOCKS if answer == ENOLCK else (F_DUPFD_CLOEXEC,))
    return True


def begin():
    """From here on the calls of the work count; it says so twice, at its begin and its end.

    By a signal of the very thread, which stops it where its calls do not.
    """
    signal.raise_signal(signal.SIGSTOP)


end = begin


def run(work, visit, last=1 << 62):
    """How the work ended, as `os.waitstatus_to_exitcode` has it: 1 where it raised.

    `visit(number, call)` is asked before each call from 1 to `last`: KILL ends the process that is about to
    make it, the number of an error is its answer, None lets it go on. Behind the last it runs at full speed.
    """
    return _Run(work, visit, last).followed()


class _Run:
    def __init__(self, work, visit, last):
        self.visit = visit
        self.last = last
        self.number = 0
        self.marks = 0
        self.answers = {}  # by process, what its call will seem to have returned
        self.code = None
        self.root = _started(work)
        self.alive = {self.root}

    @property
    def counts(self):
        return self.marks == 1 and self.number < self.last

    def followed(self):
        try:
            os.waitpid(self.root, os.WUNTRACED)
            ptrace(SETOPTIONS, self.root, 0, SYSGOOD | KILL_WITH_US | CHILDREN)
            self._go_on(self.root, 0)
            while self.alive:
                self._next()
        finally:
            for pid in self.alive:
                _end(pid)
        return self.code

    def _next(self):
        pid, status = os.waitpid(-1, ALL)
        if not os.WIFSTOPPED(status):
            self.alive.discard(pid)
            if pid == self.root:
                self.code = os.waitstatus_to_exitcode(status)
            return
        is_new, event, number = pid not in self.alive, status >> 16, os.WSTOPSIG(status)
        self.alive.add(pid)
        if number == signal.SIGTRAP | 0x80:
            self._at_call(pid)
        is_mark = number == signal.SIGSTOP and pid == self.root
        self.marks += is_mark
        ours = is_new or event or is_mark or number in (signal.SIGTRAP, signal.SIGTRAP | 0x80)
        self._go_on(pid, 0 if ours else number)

    def _go_on(self, pid, deliver):
        """Up to its next call, if that is asked for."""
        stops = self.counts or pid in self.answers
        try:
            ptrace(SYSCALL if stops else CONTINUE, pid, 0, deliver)
        except ProcessLookupError:
            pass  # killed meanwhile

    def _at_call(self, pid):
        info = Info()
        try:
            ptrace(SYSCALL_INFO, pid, sizeof(info), addressof(info))
        except ProcessLookupError:
            return
        if info.op != 1:
            answer = self.answers.pop(pid, None)
            if answer is not None:
                ptrace(POKEUSER, pid, RAX, -answer & (1 << 64) - 1)
        elif self.counts:
            self.number += 1
            self._obey(pid, self.visit(self.number, Call(info.nr, info.args)))

    def _obey(self, pid, what):
        if what == KILL:
            os.kill(pid, signal.SIGKILL)
        elif what is not None:
            ptrace(POKEUSER, pid, ORIG_RAX, (1 << 64) - 1)  # no call at all
            self.answers[pid] = what


def _started(work):
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            ptrace(TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, it is told and the child ends
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def _end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, ALL)
    except OSError:
        pass  # a thread that went with its process
