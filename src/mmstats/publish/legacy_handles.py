"""What an instance has in place of a field of 0.8, where it writes version 1. All of it as 0.8 had it.

There is one number for each field: so averages of several threads or processes cannot be combined, and what
was added is kept here, not in the file. An update holds its file's lock: without it some would be lost.
"""

from __future__ import annotations

import time
from _thread import _local
from math import fsum

from mmstats.around import around
from mmstats.cells.exceptions import Exceptions
from mmstats.errors import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar

    from mmstats.publish.legacy_file import LegacyFile
    from mmstats.publish.legacy_model import LegacyModel

    Function = TypeVar("Function", bound=Callable[..., Any])
    Coerced = Callable[[Any], Any]

WRAP = 1 << 64


class Value:
    """The base: `.value`, of the calling thread's file."""

    def __init__(self, model: LegacyModel, number: int, label: str) -> None:
        self._model = model
        self._number = number
        self.label = label

    def _get(self) -> Any:
        file = self._model.here()
        if file is None:
            raise Removed(f"{self.label!r}: its model was removed")
        return file.get(file.slots[self._number])

    def _set(self, file: LegacyFile, value: object) -> None:
        file.set(file.slots[self._number], value)

    @property
    def value(self) -> Any:
        """What the file says."""
        return self._get()

    @value.setter
    def value(self, value: Any) -> None:
        self._model.update(self._set, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label!r}>"


class Counter(Value):
    """`.incr()`; 64 bits without sign, which wrap."""

    def incr(self, amount: int = 1) -> None:
        self._model.update(self._incr, amount)

    def inc(self, n: int = 1) -> None:
        """0.8's old name."""
        self.incr(n)

    @property
    def total(self) -> int:
        """The same: a file of version 1 knows no other threads."""
        return int(self.value)

    def count_exceptions(self, *types: type[BaseException]) -> Exceptions:
        """For `with`, or as a decorator."""
        return Exceptions(self, types)  # type: ignore[arg-type] # it is asked for no more than incr()

    def _incr(self, file: LegacyFile, amount: int) -> None:
        self._set(file, (file.get(file.slots[self._number]) + amount) % WRAP)  # type: ignore[operator]

    def _set(self, file: LegacyFile, value: object) -> None:
        super()._set(file, int(value) % WRAP)  # type: ignore[call-overload]


class Average(Value):
    """`.add(value)`; the file has the mean."""

    def add(self, value: float) -> None:
        self._model.update(self._add, value)

    def _add(self, file: LegacyFile, value: float) -> None:
        kept = self._model.kept(file, self._number, lambda: [0, 0.0])
        kept[0] += 1
        kept[1] += value
        self._set(file, kept[1] / kept[0])


class Moving(Value):
    """`.add(value)`; the file has the mean of the last ones."""

    def __init__(self, model: LegacyModel, number: int, label: str, size: int) -> None:
        super().__init__(model, number, label)
        self._size = size

    def add(self, value: float) -> None:
        self._model.update(self._add, value)

    def _add(self, file: LegacyFile, value: float) -> None:
        kept = self._model.kept(file, self._number, list)
        kept.append(float(value))
        del kept[: -self._size]
        self._set(file, fsum(kept) / len(kept))


class Elapsed:
    """What `with stats.latency as elapsed` gives."""

    __slots__ = ("_timer", "end", "start")

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self.start = timer()
        self.end: float | None = None

    @property
    def done(self) -> bool:
        return self.end is not None

    @property
    def elapsed(self) -> float:
        return (self._timer() if self.end is None else self.end) - self.start

    def stop(self) -> None:
        self.end = self._timer()


class Timer(Moving):
    """`with`, `.start()`, `.stop()`, `@….timed`, `.observe(seconds)`: the mean of the last durations."""

    def __init__(
        self, model: LegacyModel, number: int, label: str, size: int, timer: Callable[[], float] | None
    ) -> None:
        super().__init__(model, number, label, size)
        self.timer = timer or time.perf_counter
        self._of_thread = _local()

    @property
    def _running(self) -> list[Elapsed]:
        """Those that the calling thread began, the youngest last."""
        found: list[Elapsed] = self._of_thread.__dict__.setdefault("running", [])
        return found

    def observe(self, seconds: float) -> None:
        """One more duration."""
        self._of_thread.last = float(seconds)
        self.add(seconds)

    @property
    def last(self) -> float:
        """The duration that runs in this thread, else its last one."""
        running = self._running
        return running[-1].elapsed if running else getattr(self._of_thread, "last", 0.0)

    def start(self) -> Elapsed:
        made = Elapsed(self.timer)
        self._running.append(made)
        return made

    def stop(self) -> None:
        """End the youngest that runs."""
        running = self._running
        if running:
            self.end(running.pop())

    def timed(self, function: Function) -> Function:
        """The function, each of whose calls is a duration."""
        return around(function, lambda: Block(self))

    def end(self, one: Elapsed) -> None:
        """It is done, and is one duration more."""
        one.stop()
        self.observe(one.elapsed)

    def __enter__(self) -> Elapsed:
        return self.start()

    def __exit__(self, *error: object) -> Literal[False]:
        self.stop()
        return False


class Block:
    """One call of a function that is timed; nobody else ends it."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer

    def __enter__(self) -> Elapsed:
        self._elapsed = Elapsed(self._timer.timer)
        return self._elapsed

    def __exit__(self, *error: object) -> Literal[False]:
        self._timer.end(self._elapsed)
        return False


class Plain:
    """A field that is a plain attribute, in the class of an instance that writes version 1."""

    def __init__(self, number: int, label: str, coerced: Coerced | None, shown: Coerced) -> None:
        self._number = number
        self._label = label
        self._coerced = coerced
        self._shown = shown

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        return self._shown(self._of(instance).value)

    def __set__(self, instance: Any, value: Any) -> None:
        if self._coerced is None:
            raise AttributeError(f"{self._label!r} never changes")
        self._of(instance).value = self._coerced(value)

    def _of(self, instance: Any) -> Value:
        return Value(instance._mm_model, self._number, self._label)
