"""Every state that the memory of a writer goes through, store by store, in the code that really runs.

A forked child makes one update while it is stepped, one machine instruction at a time, through ptrace;
after each the shared memory is looked at, and what differs from the state before is the next one.
"""

from __future__ import annotations

import mmap
import os
import platform
import signal
import sys

import traced

SINGLESTEP = 9
MOST = 3_000_000  # instructions of one update
POSSIBLE = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
WHY_NOT = f"not on {sys.platform} {platform.machine()}: nothing here steps a process"


def states(prepare, find):
    """The distinct states, the first before the update, the last after it.

    `prepare()` runs in the child and returns the update that is stepped; then `find()` gives the path of
    the file that is looked at.
    """
    child = os.fork()
    if not child:
        try:
            traced.ptrace(traced.TRACEME, 0)
            update = prepare()
            os.kill(os.getpid(), signal.SIGSTOP)
            update()
            os.kill(os.getpid(), signal.SIGSTOP)
        finally:
            os._exit(0)
    try:
        return _follow(child, find)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _follow(child, find):
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "the child ended before its update"
    assert os.WSTOPSIG(status) == signal.SIGSTOP
    with open(find(), "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
        return _step(child, memory)


def _step(child, memory):
    found = [memory[:]]
    for _ in range(MOST):
        traced.ptrace(SINGLESTEP, child)
        _, status = os.waitpid(child, 0)
        assert os.WIFSTOPPED(status), "the child ended in its update"
        now = memory[:]
        if now != found[-1]:
            found.append(now)
        if os.WSTOPSIG(status) == signal.SIGSTOP:
            return found
        assert os.WSTOPSIG(status) == signal.SIGTRAP, f"signal {os.WSTOPSIG(status)} in the update"
    raise AssertionError(f"more than {MOST} instructions")
