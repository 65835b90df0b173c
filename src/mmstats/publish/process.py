"""What there is once in a process: the slow path's lock, what a fork changes, what was put off.

The fast path of an update is in `cells` and takes nothing. Everything else (making a region, giving
a thread its cells, removing) is the *slow path* and runs under one lock of the process, with three
rules that keep it from ever hanging:

* Whoever meets the slow path on a thread that is already in it (a signal handler, a finalizer, a
  garbage collection, another greenlet) never waits: its update is put off, and done when the interrupted
  one is through.
* A forked child has a lock of its own, found by its pid: the parent's may have been copied locked.
* A fork is noticed by whose the token is, in a page that the kernel wipes, not by a hook: servers that
  fork in C run no hook. The hooks only let go of the parent's file early. The pid would not do: the
  first child in a new PID namespace has its parent's where that is 1.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock, get_native_id

from mmstats.cells import token
from mmstats.publish import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from mmstats.publish.publication import Publication

    Answer = TypeVar("Answer")

publications: dict[tuple[str | None, ...], Publication] = {}
begins: list[Callable[[], None]] = []  # what else starts afresh in a new process
generation = 0  # another number in each process of a line of forks
pid = 0  # of the process that has regions of its own here; a forked child's from its first slow path on

_locks = {os.getpid(): RLock()}
_inside: int | None = None  # the thread in the slow path; the machine's own, as gevent has others
_at_work: set[object] = set()  # who is in it, on that thread; of greenlets the first may leave first
_put_off: list[Callable[[], None]] = []


def inside() -> bool:
    """Whether this very thread is in the slow path already, further down its stack."""
    return _inside == get_native_id() and token.is_ours


def is_nested() -> bool:
    """Whether the slow path that is under way, on this thread, interrupted another one."""
    return len(_at_work) > 1


def put_off(function: Callable[..., None], *arguments: object) -> None:
    """Do this when the slow path that is under way on this thread is through."""
    _put_off.append(lambda: function(*arguments))


def alone(work: Callable[..., Answer], *arguments: object) -> Answer:
    """What `work` returns, run under the lock, in a process whose regions are its own."""
    global _inside
    lock = _locks.setdefault(os.getpid(), RLock())
    with lock:
        if not token.is_ours:
            _begin_anew()
        mine = object()
        _at_work.add(mine)
        _inside = get_native_id()
        try:
            return work(*arguments)
        finally:
            _at_work.discard(mine)
            if not _at_work:
                _inside = None
                _catch_up()


def _catch_up() -> None:
    """Do what was put off; a handler that comes in between may do some of it, or all."""
    while True:
        try:
            update = _put_off.pop(0)
        except IndexError:
            return
        update()


def _begin_anew() -> None:
    """This is a forked child, or the first use: nothing of the parent's is ours."""
    global _locks, _inside, generation, pid
    let_go()
    _inside = None
    _at_work.clear()
    del _put_off[:]
    _locks = {pid: lock for pid, lock in _locks.items() if pid == os.getpid()}
    generation += 1
    pid = os.getpid()
    for begin in begins:
        begin()
    token.renew()


def current_pid() -> int:
    """The pid, as a rule without a system call."""
    return pid if token.stands else os.getpid()


def let_go() -> None:
    """Drop what was inherited from the parent, so that its file is kept by nobody but itself."""
    for publication in list(publications.values()):
        publication.abandon()


def finish() -> None:
    """The interpreter ends in order: say so in each file that is ours."""
    if token.is_ours:
        for publication in list(publications.values()):
            publication.finish()
        report.say()


def _after_fork_in_child() -> None:
    if not token.is_ours:
        let_go()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork_in_child)


_expects_end: set[int] = set()


def expect_end() -> None:
    """Let `finish` run when the interpreter ends; once in a line of forks is enough."""
    if not _expects_end:
        import atexit

        _expects_end.add(generation)
        atexit.register(finish)
