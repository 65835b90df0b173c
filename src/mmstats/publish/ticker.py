"""Gauges whose value a callable says: who asks it, when, and what may go wrong.

One daemon thread of the process asks all of them about once a second; `tick()` asks them at once. The
thread is started by the first `track`, and in a forked child anew: by the fork's hook, or, where the fork
was made in C and runs none, and on PyPy, by the child's first update. A child never has its parent's
thread, and its parent's locks say nothing of it.

A callable that does not return holds up nobody but itself. While there are others, a second thread looks
at each round, and goes away when the round is over; where it is not over in time, it goes on in the stuck
one's place. A callable that is under way is not asked again. No thread of these is waited for when the
program ends.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock, start_new_thread
from time import sleep

from mmstats.errors import UsageError
from mmstats.publish import process, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable

    from mmstats.cells.protocol import Amount, Gauge, Reckoned
    from mmstats.publish.families import Expiry
    from mmstats.publish.model import Model
    from mmstats.publish.schema import Metric

BEAT = 1.0  # seconds from the end of a round to the next one
PATIENCE = 5.0  # seconds that a round may take before others go on without it


class Tracked:
    """A gauge, and the callable that says its value."""

    __slots__ = ("_ask", "_gauge", "_has_failed", "_model", "_under_way")

    def __init__(self, gauge: Gauge, ask: Callable[[], Amount], model: Model) -> None:
        self._gauge = gauge
        self._ask = ask
        self._model = model
        self._has_failed = False
        self.begin_anew()

    @property
    def is_over(self) -> bool:
        """Whether nobody needs it any more."""
        return self._model.removed

    def begin_anew(self) -> None:
        """In a forked child nobody is asking."""
        self._under_way = allocate_lock()

    def speak(self, forgiven: type[BaseException]) -> None:
        """Ask, and set what it says; a mistake is noted once, and the last value stays."""
        under_way = self._under_way
        if under_way.acquire(False):
            try:
                self._gauge.set(self._ask())
            except forgiven as error:
                self._note(error)
            finally:
                under_way.release()

    def _note(self, error: BaseException) -> None:
        if not self._has_failed:
            self._has_failed = True
            report.note(f"{self._gauge.label!r}: its callable raised, the last value stays: {error!r}")


tracked: dict[Gauge | Expiry, Tracked | Expiry] = {}


def track(gauge: Gauge, ask: Reckoned, model: Model) -> Reckoned:
    """The callable, which is asked from now on; a second one takes the first one's place."""
    if not callable(ask):
        raise UsageError(f"{gauge.label!r}: track() wants a callable that gives a number: {ask!r}")
    tracked[gauge] = Tracked(gauge, ask, model)
    _start()
    return ask


def expire(model: Model, metric: Metric) -> None:
    """Let members of a family be forgotten that nobody wrote for its ttl."""
    from mmstats.publish.families import Expiry

    expiry = Expiry(model, metric)
    tracked[expiry] = expiry
    _start()


def tick() -> None:
    """Ask every tracked callable now, in this very thread."""
    _ask_all(Exception)


def _ask_all(forgiven: type[BaseException]) -> None:
    process.alone(_nothing)  # but for what a forked child begins with
    for key, one in list(tracked.items()):
        if one.is_over:
            tracked.pop(key, None)
        else:
            one.speak(forgiven)
    report.say()


def _nothing() -> None:
    """There is nothing to do."""


class ByHand:
    """Nobody but `tick` asks, inside of the `with`; in a child that is forked in it somebody does."""

    def __enter__(self) -> None:
        self._pid = pid = os.getpid()
        self._before = before = _beats.get(pid)
        _beats[pid] = Beat()  # one that never begins
        if before is not None and before.is_asking.acquire(timeout=PATIENCE):  # the round that it is at
            before.is_asking.release()  # who waits for it finds that another one has its place

    def __exit__(self, *_raised: object) -> None:
        before = self._before
        _beats.pop(self._pid, None)
        if before is not None and not before.has_begun:
            _beats[self._pid] = before
        else:
            _start()


class Beat:
    """What the thread does, until another one has taken its place."""

    def __init__(self) -> None:
        self.is_asking = allocate_lock()
        self.has_begun = False

    def run(self) -> None:
        """Round after round."""
        sleep(BEAT)
        while self._is_the_one:
            with self.is_asking:
                if self._is_the_one:
                    self._round()
            sleep(BEAT)

    @property
    def _is_the_one(self) -> bool:
        return _beats.get(os.getpid()) is self

    def _round(self) -> None:
        over = allocate_lock()
        with over:
            if len(tracked) > 1:
                start_new_thread(self._watch, (over,))
            _ask_all(BaseException)

    def _watch(self, over: LockType) -> None:
        """Go on in the place of the thread whose round does not come to its end."""
        if over.acquire(timeout=PATIENCE) or not self._is_the_one:
            return
        report.note(f"a tracked callable has not returned for {PATIENCE:g} s; the others go on without it")
        _beats[os.getpid()] = successor = Beat()
        successor.has_begun = True
        successor.run()


_beats: dict[int, Beat] = {}


def _start() -> None:
    """See to it that this process has a thread that asks."""
    if not tracked:
        return
    beat = Beat()
    if _beats.setdefault(os.getpid(), beat) is beat:
        beat.has_begun = True
        try:
            start_new_thread(beat.run, ())
        except RuntimeError as error:
            _beats.pop(os.getpid(), None)
            report.note(f"no thread asks what gauges track, until the next one is tracked: {error}")


def _begin_anew() -> None:
    for one in list(tracked.values()):
        one.begin_anew()
    _start()


process.begins.append(_begin_anew)
if sys.platform != "win32" and sys.implementation.name != "pypy":  # PyPy starts no thread within the hook
    os.register_at_fork(after_in_child=_start)
