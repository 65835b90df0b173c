"""Timing and Duration of the pure twin: a histogram of durations, and what `with stats.latency:` makes.

A `with` looks `__enter__` and `__exit__` up on the type, one right after the other, and calls the first. Here
the first lookup makes a Duration, and the second gives the same one: so a block has a Duration of its
own, however blocks nest, tasks interleave, threads share the timer. Nobody need look for it when the
block ends. Another thread may come in between the lookups, so what is coming is kept by thread; so may a
signal handler with a block of its own, and what it interrupted is as one that was asked for alone.

One of the two that is asked for alone, as `contextlib.ExitStack` or a framework does, is no such block: it
is the timer's own `_enter()` or `_leave()` then, which find out what belongs together.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from time import monotonic_ns

from mmstats.cells.compound import Ring
from mmstats.cells.distribution import Spread, take
from mmstats.cells.words import real_from
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from typing_extensions import Self

    from mmstats.cells.distribution import Octave
    from mmstats.cells.protocol import Amount
    from mmstats.cells.segment import Segment

# Which of the two a `with` looks up first.
FIRST = "__exit__" if sys.implementation.name == "pypy" or sys.version_info >= (3, 14) else "__enter__"
NANOSECONDS = 1e9


class Duration:
    """One duration: running, then done. `with` yields one, and records it at its end."""

    __slots__ = ("__weakref__", "_begin", "_clock", "_end", "_timing", "is_paired")

    is_paired: bool

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._start()

    def _start(self) -> None:
        self._end: float | None = None
        self._clock = clock = self._timing._clock
        self._begin = real_from(self._timing.label, clock()) if clock else monotonic_ns()

    def _now(self) -> float:
        return real_from(self._timing.label, self._clock()) if self._clock else monotonic_ns()

    def _seconds(self, end: float) -> float:
        return end - self._begin if self._clock else (end - self._begin) / NANOSECONDS

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._end is not None

    @property
    def elapsed(self) -> float:
        """Seconds from its beginning to its end, or to now."""
        return self._seconds(self._now() if self._end is None else self._end)

    def stop(self) -> None:
        """End it, and record it; a second time changes nothing."""
        if self._end is None:
            end = self._now()
            if self._end is None:  # the clock may be somebody's program
                self._end = end
                Timing.observe(self._timing, self._seconds(end))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> Literal[False]:
        self.stop()
        return False

    def enter(self) -> Any:
        """What a `with` calls first."""
        if not self.is_paired:
            return self._alone()._enter()
        self._start()
        return self

    def leave(self, *_raised: object) -> Literal[False]:
        """What a `with` calls at its end."""
        if self.is_paired:
            Duration.stop(self)
        else:
            self._alone()._leave()
        return False

    def _alone(self) -> Timing:
        """Its timer, where it was looked up without its other half."""
        coming, thread = self._timing._coming, get_ident()
        if coming.get(thread) is self:
            del coming[thread]
        return self._timing


class Way(property):
    """`__enter__` or `__exit__`; of the class, with the timer as the first argument, what ExitStack calls."""

    def __call__(self, timing: Timing, *raised: object) -> Any:
        """The timer's own way."""
        return timing._leave() if raised else timing._enter()


def coming(timing: Timing) -> Duration:
    """One that did not begin yet: what a `with` is about to call."""
    duration = new(Duration)
    duration._timing = timing
    duration.is_paired = False
    return duration


def first_enter(timing: Timing) -> Callable[[], Any]:
    """What a `with` calls first."""
    timing._coming[get_ident()] = duration = coming(timing)
    return duration.enter


def first_leave(timing: Timing) -> Callable[..., Literal[False]]:
    """What it calls at its end."""
    timing._coming[get_ident()] = duration = coming(timing)
    return duration.leave


def second_enter(timing: Timing) -> Callable[[], Any]:
    """Likewise, of the one that the thread was given just now."""
    duration = timing._coming.pop(get_ident(), None)
    if duration is None:
        return coming(timing).enter
    duration.is_paired = True
    return duration.enter


def second_leave(timing: Timing) -> Callable[..., Literal[False]]:
    """Likewise."""
    duration = timing._coming.pop(get_ident(), None)
    if duration is None:
        return coming(timing).leave
    duration.is_paired = True
    return duration.leave


new = object.__new__


class Timing(Ring):
    """A bound timer: `with` records a duration."""

    __slots__ = ("_clock", "_coming", "_spread")

    __enter__ = Way(first_enter if FIRST == "__enter__" else second_enter)
    __exit__ = Way(second_leave if FIRST == "__enter__" else first_leave)

    def __init__(
        self,
        segment: Segment,
        index: int,
        size: int,
        scale: int,
        low: int,
        high: int,
        bounds: Sequence[float],
        octave: Octave,
        label: str,
        refuse: Callable[[], object],
        clock: Callable[[], float] | None = None,
    ) -> None:
        spread = Spread(layout.TIMER_DISTRIBUTION, scale, low, high, bounds, octave)
        super().__init__(segment, index, size, label, refuse, layout.TIMER_DISTRIBUTION + spread.cells)
        spread.ring, spread.room = self._ring, self._room
        self._spread = spread
        self._coming: dict[int, Duration] = {}  # by thread: looked up once, not yet a second time
        self.clock = clock

    def observe(self, seconds: Amount) -> None:
        """One more duration."""
        take(self, self._spread, Timing.observe, seconds)

    @property
    def clock(self) -> Callable[[], float] | None:
        """Gives seconds; None: CLOCK_MONOTONIC."""
        return self._clock

    @clock.setter
    def clock(self, clock: Callable[[], float] | None) -> None:
        if clock is not None and not callable(clock):
            raise TypeError(f"{self.label!r}: a clock is called, and gives seconds: {clock!r}")
        self._clock = clock

    def _enter(self) -> Any:
        """Begin what is no `with` of this very timer."""
        raise NotImplementedError

    def _leave(self) -> Literal[False]:
        """End it."""
        raise NotImplementedError

    @property
    def last(self) -> float:
        """The last duration that the calling thread recorded."""
        window = self._window()
        return window[-1] if window else 0.0
