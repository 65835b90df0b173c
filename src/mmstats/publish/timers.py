"""A bound timer, and the durations that `.start()` begins.

A block, `with stats.latency:`, has a duration of its own: see `cells.timing`. Which one a `.stop()` ends is
found in the caller's context (contextvars): nested and recursive ones end in the opposite order, tasks of
asyncio and greenlets have contexts of their own and may interleave at will. Where one is begun in one
context and ended in another (a web framework that runs both halves in threads), the youngest one that is
still running is ended.
"""

from __future__ import annotations

from contextvars import ContextVar

from mmstats import cells
from mmstats.around import around
from mmstats.errors import UsageError
from mmstats.publish.measured import Measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar

    from mmstats.cells._native import Duration, Timing
    from mmstats.format.spread import Range
    from mmstats.publish.place import Place

    Function = TypeVar("Function", bound=Callable[..., Any])
else:
    Duration, Timing = cells.Duration, cells.Timing

DEEPEST = 1_000  # durations that are started and never stopped are forgotten beyond so many

TimerContext = Duration


class Started(Duration):
    """One that its timer is to find again. `entered`: by a `with` of some sort, whose end looks for it."""

    __slots__ = ("depth", "entered", "outer", "timer")

    depth: int
    entered: bool
    outer: Started | None
    timer: Timer

    def stop(self) -> None:
        """End it, and record it; a second time changes nothing."""
        self.timer.forget(self)
        super().stop()


class Timer(Measured, Timing):
    """A bound timer. What it records is in `cells.compound_protocol`."""

    __slots__ = ("_current", "_measure", "_open")

    def __init__(
        self,
        place: Place,
        size: int,
        spread: Range,
        refuse: Callable[[], object],
        timer: Callable[[], float] | None = None,
    ) -> None:
        where = (spread.scale, spread.low, spread.high, spread.bounds)
        super().__init__(place.segment, place.index, size, *where, place.octave, place.label, refuse, timer)
        self._measure = place.measured
        self._current: ContextVar[Started | None] = ContextVar(place.label, default=None)
        self._open: dict[Started, None] = {}

    def add(self, seconds: float) -> None:
        """What 0.8 called `observe`."""
        self.observe(seconds)

    def start(self) -> TimerContext:
        """Begin a duration; `.stop()` ends the youngest of those that the caller started."""
        return self._begin(entered=False)

    def stop(self) -> None:
        """End and record the youngest duration that the caller started. UsageError where there is none."""
        context = self._current.get()
        while context is not None and context.done:
            context = context.outer
        context = context or self._youngest()
        if context is None:
            raise UsageError(f"{self.label!r}: stop() without start()")
        if not context.entered:
            self._current.set(context.outer)
        context.stop()

    def timed(self, function: Function) -> Function:
        """The function, each of whose calls is a duration: plain, a generator, or one of asyncio's.

        It begins at the first step and ends with the last one, of a generator with its `close()`. No other
        `with` and no `.stop()` ends it.
        """
        if not callable(function):
            raise UsageError(f"{self.label!r}: timed decorates functions: {function!r}")
        return around(function, self._apart)

    def _apart(self) -> TimerContext:
        """A duration that nobody finds: in a generator the caller's context is not its own."""
        return Duration(self)

    def forget(self, context: Started) -> None:
        """The context is done."""
        self._open.pop(context, None)

    def _enter(self) -> TimerContext:
        """Begin a block that is not a `with` of this very timer."""
        return self._begin(entered=True)

    def _leave(self) -> Literal[False]:
        """End it."""
        context = self._current.get()
        while context is not None and not context.entered:
            context = context.outer
        if context is not None:
            self._current.set(context.outer)
        else:
            context = self._youngest()
        if context is not None:
            context.stop()  # changes nothing where it was stopped by hand
        return False

    def _begin(self, *, entered: bool) -> TimerContext:
        around = self._current.get()
        while around is not None and around.done and not around.entered:
            around = around.outer
        context = Started(self)
        context.timer, context.entered, context.depth, context.outer = self, entered, 0, None
        if around is not None and around.depth < DEEPEST:
            context.depth, context.outer = around.depth + 1, around
        self._current.set(context)
        self._open[context] = None
        if len(self._open) > DEEPEST:
            self._open.pop(next(iter(list(self._open))), None)
        return context

    def _youngest(self) -> Started | None:
        """Of those that run, whoever began them."""
        return next(reversed(list(self._open)), None)
