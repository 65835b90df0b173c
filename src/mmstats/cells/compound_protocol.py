"""What a twin is, of values of several cells; `protocol` says the rest.

* A *compound* value has its cells from `index` on, laid out as FORMAT.md 5.1 says and begun as zeros. An
  update computes everything first, stores into what the witness does not point at, and stores the witness
  last, with release order. So a handler that updates the same value in the middle, or an exception that
  it raises there, leaves a whole value behind.
* A number that is not finite cannot be averaged: nothing is stored then, and `refuse()` is called.
* A *distribution* counts besides where the values lie (FORMAT.md 5.2), in cells of their own for each
  octave. `octave(k)` gives the segment of the k-th octave from `low` on, of which the value has the first
  2**scale cells. It is asked when a value falls there first, and what it gives is kept. An update needs both
  segments: if one of their openers answers with a *later*, nothing was stored, and the update is handed to
  it as a whole.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal, Protocol

    from typing_extensions import Self

    from mmstats.cells.protocol import Amount, Segment

    Octave = Callable[[int], Segment]

    class Average(Protocol):
        """A bound average: three cells."""

        def __init__(
            self, segment: Segment, index: int, label: str, refuse: Callable[[], object]
        ) -> None: ...

        label: str

        def add(self, value: Amount) -> None:
            """One more value. TypeError, with label and value, for what is no number."""

        @property
        def value(self) -> float:
            """The mean of the calling thread's values (less its base); 0.0 before the first."""

    class Moving(Protocol):
        """A bound moving average of the last `size` values: MOVING_SIZE + size + 1 cells."""

        def __init__(
            self, segment: Segment, index: int, size: int, label: str, refuse: Callable[[], object]
        ) -> None: ...

        label: str

        def add(self, value: Amount) -> None:
            """One more value. TypeError, with label and value, for what is no number."""

        @property
        def value(self) -> float:
            """The mean of the calling thread's last values, exactly rounded; 0.0 before the first."""

    class Window(Protocol):
        """A bound moving average of a window of time: WINDOW_SIZE + 3 * slices cells.

        A slice has `width` ns of CLOCK_MONOTONIC.
        """

        def __init__(
            self,
            segment: Segment,
            index: int,
            slices: int,
            width: int,
            label: str,
            refuse: Callable[[], object],
        ) -> None: ...

        label: str

        def add(self, value: Amount) -> None:
            """One more value, now. TypeError, with label and value, for what is no number."""

        @property
        def value(self) -> float:
            """The mean of what the calling thread added in the window; 0.0 where that is nothing."""

    class Histogram(Protocol):
        """A bound histogram: HISTOGRAM_DISTRIBUTION + DISTRIBUTION_SIZE cells, one more than it has `bounds`.

        Bounds are finite and ascend.
        """

        def __init__(
            self,
            segment: Segment,
            index: int,
            scale: int,
            low: int,
            high: int,
            bounds: Sequence[float],
            octave: Octave,
            label: str,
            refuse: Callable[[], object],
        ) -> None: ...

        label: str

        def observe(self, value: Amount) -> None:
            """One more value. TypeError, with label and value, for what is no number."""

    class Duration(Protocol):
        """One duration, which begins as it is made: running, then done. Recorded once, by whoever ends it."""

        def __init__(self, timing: Timing) -> None: ...

        @property
        def done(self) -> bool:
            """Whether it has ended."""

        @property
        def elapsed(self) -> float:
            """Seconds from its beginning to its end, or to now."""

        def stop(self) -> None:
            """End it, and record it; a second time changes nothing."""

        def __enter__(self) -> Self: ...

        def __exit__(self, *raised: object) -> Literal[False]: ...

    class Timing(Protocol):
        """A bound timer: TIMER_DISTRIBUTION cells, the distribution's, a ring of size + 1.

        `clock()` gives seconds; without one it is CLOCK_MONOTONIC. A `with` begins a Duration, and
        records it at its end. Whoever looks up only one of `__enter__` and `__exit__`, or both by the
        class, calls `_enter()` and `_leave()` of a subclass instead.
        """

        clock: Callable[[], float] | None

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
        ) -> None: ...

        label: str

        def __enter__(self) -> Duration: ...

        def __exit__(self, *raised: object) -> Literal[False]: ...

        def observe(self, seconds: Amount) -> None:
            """One more duration. TypeError, with label and value, for what is no number."""

        @property
        def value(self) -> float:
            """The mean of the calling thread's last durations, exactly rounded; 0.0 before the first."""

        @property
        def last(self) -> float:
            """The last duration that the calling thread recorded; 0.0 before the first."""
