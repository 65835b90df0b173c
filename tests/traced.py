"""A program stopped after each of its system calls, while the test looks at what it has done so far.

By ptrace, through ctypes: the stop is before the program goes on, so what is seen is what a machine would
have if the program went no further.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal

TRACEME, DETACH, SYSCALL, SETOPTIONS, SYSCALL_INFO = 0, 17, 24, 0x4200, 0x420E
SYSGOOD, KILL_WITH_US = 1, 1 << 20
LONGEST = 200_000  # system calls
NUMBERS = {
    "x86_64": {
        "msync": 26,
        "fsync": 74,
        "fdatasync": 75,
        "rename": 82,
        "unlink": 87,
        "getpgid": 121,
        "linkat": 265,
    },
    "aarch64": {
        "unlink": 35,
        "linkat": 37,
        "rename": 38,
        "fsync": 82,
        "fdatasync": 83,
        "getpgid": 155,
        "msync": 227,
    },
}
NAMES = {number: name for name, number in NUMBERS.get(platform.machine(), {}).items()}

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Info(ctypes.Structure):
    """struct ptrace_syscall_info: at the entry number and arguments, at the exit the result."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction_pointer", ctypes.c_uint64),
        ("stack_pointer", ctypes.c_uint64),
        ("nr", ctypes.c_uint64),
        ("args", ctypes.c_uint64 * 6),
    )


def ptrace(request, pid, address=0, data=0):
    if libc.ptrace(request, pid, address, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}: {os.strerror(ctypes.get_errno())}")


class Traced:
    """A program under trace. Iterating gives (name, first argument) after each call that succeeded.

    The program marks where it begins and ends by `os.getpgid(0)`; nothing outside is given. Calls that
    NUMBERS does not name are called `call 257` and so on.
    """

    def __init__(self, arguments, environment):
        self.pid = os.fork()
        if not self.pid:
            try:
                ptrace(TRACEME, 0)
                os.kill(os.getpid(), signal.SIGSTOP)
                os.execve(arguments[0], arguments, environment)
            finally:
                os._exit(127)
        os.waitpid(self.pid, os.WUNTRACED)
        ptrace(SETOPTIONS, self.pid, 0, SYSGOOD | KILL_WITH_US)
        self.code = None

    def __iter__(self):
        inside, info = False, Info()
        deliver = name = first = 0
        for _ in range(LONGEST):
            ptrace(SYSCALL, self.pid, 0, deliver)
            _, status = os.waitpid(self.pid, 0)
            deliver = 0
            if not os.WIFSTOPPED(status):
                self.code = os.waitstatus_to_exitcode(status)
                return
            if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
                deliver = 0 if os.WSTOPSIG(status) == signal.SIGTRAP else os.WSTOPSIG(status)
                continue
            ptrace(SYSCALL_INFO, self.pid, ctypes.sizeof(info), ctypes.addressof(info))
            if info.op == 1:
                name, first = NAMES.get(info.nr, f"call {info.nr}"), info.args[0]
            elif name == "getpgid":
                inside = not inside
            elif inside and ctypes.c_int64(info.nr).value >= 0:  # where the exit has its result
                yield name, first
        raise AssertionError(f"more than {LONGEST} system calls")

    def close(self):
        """End the program if it runs."""
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
