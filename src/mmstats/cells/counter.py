"""Counter and UpDown of the pure twin. The essay in `pure` says what each expression is made of."""

from __future__ import annotations

from _warnings import warn

from mmstats.cells.segment import DOUBLES, INTS, OWN, WENT_WRONG, refuse_if_removed
from mmstats.cells.wiped import word
from mmstats.cells.words import MASK, real_from, signed, whole_from
from mmstats.format.layout import CELL_TYPE_F64, CELL_TYPE_I64, CELL_TYPE_U64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmstats.cells.protocol import Amount
    from mmstats.cells.segment import Segment

warned_of_wrap = False


def warn_of_wrap(label: str) -> None:
    """Once per process: a negative amount for an unsigned cell."""
    global warned_of_wrap
    if not warned_of_wrap:
        warned_of_wrap = True
        what = f"{label!r}: a negative amount wraps modulo 2**64; what goes down is an UpDownField"
        warn(what, RuntimeWarning, stacklevel=5)


class Counter:
    """A bound counter."""

    __slots__ = ("__weakref__", "_cell_type", "_index", "_segment", "_total", "_unsigned", "_view", "label")

    def __init__(
        self, segment: Segment, index: int, cell_type: int, label: str, total: Callable[[int, int], Amount]
    ) -> None:
        if cell_type not in (CELL_TYPE_U64, CELL_TYPE_I64, CELL_TYPE_F64):
            raise ValueError(f"{label!r}: nothing counts in cells of type {cell_type}")
        self._segment = segment
        self._index = index
        self._cell_type = cell_type
        self._view = DOUBLES if cell_type == CELL_TYPE_F64 else INTS
        self._unsigned = cell_type == CELL_TYPE_U64
        self._total = total
        self.label = label

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label!r}>"

    def incr(self, amount: Amount = 1) -> None:
        """Add `amount`. A u64 cell wraps modulo 2**64."""
        try:
            if amount >= 0 or not self._unsigned:
                self._segment._local.views[word[0]][self._view][self._index] += amount
                return
        except WENT_WRONG:
            pass
        self._add_slowly(amount)

    def inc(self, n: Amount = 1) -> None:
        """The first name of `incr`."""
        Counter.incr(self, n)

    def _add_slowly(self, amount: Amount) -> None:
        word_added = self._checked(amount)
        views, later = self._segment._reach()
        if later is not None:
            later(Counter.incr.__get__(self), amount)  # not what a subclass made of it
            return
        cells = views[self._view]
        try:
            cells[self._index] += word_added  # nothing is called between load and store: see `pure`
        except (ValueError, OverflowError):
            cells[self._index] = signed(cells[self._index] + word_added)

    def _checked(self, amount: Amount) -> Any:
        """The amount as a number that the cell can take, or TypeError."""
        if self._view == DOUBLES:
            return real_from(self.label, amount)
        whole = whole_from(self.label, amount)
        if whole < 0 and self._unsigned:
            warn_of_wrap(self.label)
        return whole

    def count_exceptions(self, *types: type[BaseException]) -> Any:
        """A context, and a decorator: counts what is raised, and lets it pass."""
        from mmstats.cells.exceptions import Exceptions

        return Exceptions(self, types)

    @property
    def value(self) -> Amount:
        """What the calling thread has counted."""
        try:
            own: Any = self._segment._local.views[word[0]][OWN + self._view][self._index]
        except WENT_WRONG:
            views, later = self._segment._reach()
            if later is not None:
                refuse_if_removed(later, self.label)
                return 0.0 if self._view == DOUBLES else 0
            own = views[OWN + self._view][self._index]
        counted: Amount = own & MASK if self._unsigned else own
        return counted

    @value.setter
    def value(self, value: Amount) -> None:
        self._store(value)

    def _store(self, value: Amount) -> None:
        """The setter of `value`, for whom it is handed to."""
        own = self._checked(value)
        views, later = self._segment._reach()
        if later is not None:
            later(self._store, value)
        else:
            views[OWN + self._view][self._index] = own if self._view == DOUBLES else signed(own)

    @property
    def total(self) -> Amount:
        """What the whole process has counted."""
        return self._total(self._index, self._cell_type)


class UpDown(Counter):
    """A bound number that goes up and down."""

    __slots__ = ("_held",)

    def __init__(
        self,
        segment: Segment,
        index: int,
        cell_type: int,
        label: str,
        total: Callable[[int, int], Amount],
        held: Callable[[Any], Any],
    ) -> None:
        if cell_type == CELL_TYPE_U64:
            raise ValueError(f"{label!r}: nothing goes down in cells of type {cell_type}")
        super().__init__(segment, index, cell_type, label, total)
        self._held = held

    def decr(self, amount: Amount = 1) -> None:
        """Take `amount` away."""
        try:
            self._segment._local.views[word[0]][self._view][self._index] -= amount
        except WENT_WRONG:
            Counter._add_slowly(self, -self._checked(amount))

    def dec(self, n: Amount = 1) -> None:
        """The short name of `decr`."""
        UpDown.decr(self, n)

    def held(self) -> Any:
        """A context: one more inside of the `with`."""
        return self._held(self)
