"""A bound timer, and the contexts that it hands out while it runs.

Which duration an `__exit__` or a `.stop()` ends is found in the caller's context (contextvars): nested
and recursive blocks end in the opposite order, tasks of asyncio and greenlets have contexts of their own
and may interleave at will. Where a block is entered in one context and left in another (a web framework
that runs both halves in threads), the youngest one that is still running is ended.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import monotonic_ns

from mmstats import cells
from mmstats.around import around
from mmstats.errors import UsageError
from mmstats.publish.measured import Measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar

    from typing_extensions import Self

    from mmstats.cells._native import Timing
    from mmstats.format.spread import Range
    from mmstats.publish.place import Place

    Function = TypeVar("Function", bound=Callable[..., Any])
else:
    Timing = cells.Timing

DEEPEST = 1_000  # contexts that are started and never stopped are forgotten beyond so many
NANOSECONDS = 1e9


class TimerContext:
    """One duration: running, then done.

    `with` yields one, `.start()` returns one. Leaving its `with`, or calling its `.stop()`, records it once.
    """

    __slots__ = ("_begin", "_end", "_timer", "depth", "entered", "outer")

    def __init__(self, timer: Timer, outer: TimerContext | None, *, entered: bool) -> None:
        self.depth: int = outer.depth + 1 if outer is not None and outer.depth < DEEPEST else 0
        self.outer = outer if self.depth else None
        self.entered = entered  # by a `with` of the timer, whose end is to find it
        self._timer = timer
        self._end: float | None = None
        self._begin = timer.get_time()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._end is not None

    @property
    def elapsed(self) -> float:
        """Seconds from its beginning to its end, or to now."""
        end = self._timer.get_time() if self._end is None else self._end
        return (end - self._begin) / self._timer.ticks

    def stop(self) -> None:
        """End it, and record it; a second time changes nothing."""
        if self._end is None:
            self._end = self._timer.get_time()
            self._timer.forget(self)
            self._timer.observe(self.elapsed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> Literal[False]:
        self.stop()
        return False


class Timer(Measured, Timing):
    """A bound timer. What it records is in `cells.compound_protocol`."""

    def __init__(
        self,
        place: Place,
        size: int,
        spread: Range,
        refuse: Callable[[], object],
        timer: Callable[[], float] | None = None,
    ) -> None:
        where = (spread.scale, spread.low, spread.high, spread.bounds)
        super().__init__(place.segment, place.index, size, *where, place.octave, place.label, refuse)
        self._measure = place.measured
        label = place.label
        self.get_time: Callable[[], float] = timer or monotonic_ns
        self.ticks = 1.0 if timer else NANOSECONDS  # in a second
        self._current: ContextVar[TimerContext | None] = ContextVar(label, default=None)
        self._open: dict[TimerContext, None] = {}

    def add(self, seconds: float) -> None:
        """What 0.8 called `observe`."""
        self.observe(seconds)

    def start(self) -> TimerContext:
        """Begin a duration; `.stop()` ends the youngest of the caller's own."""
        return self._begin(entered=False)

    def stop(self) -> None:
        """End the caller's youngest duration, and record it. UsageError where none is running."""
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
        return TimerContext(self, None, entered=False)

    def forget(self, context: TimerContext) -> None:
        """The context is done."""
        self._open.pop(context, None)

    def __enter__(self) -> TimerContext:
        return self._begin(entered=True)

    def __exit__(self, *exc: object) -> Literal[False]:
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
        context = TimerContext(self, around, entered=entered)
        self._current.set(context)
        self._open[context] = None
        if len(self._open) > DEEPEST:
            self._open.pop(next(iter(list(self._open))), None)
        return context

    def _youngest(self) -> TimerContext | None:
        """Of those that run, whoever began them."""
        return next(reversed(list(self._open)), None)
