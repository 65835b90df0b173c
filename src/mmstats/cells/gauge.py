"""Gauge of the pure twin: one value of the whole process.

Its threads share the cell, so nothing is ever added to it; the last store wins.
"""

from __future__ import annotations

import time
from math import isnan

from mmstats.cells.segment import DOUBLES, INTS, WENT_WRONG, refuse_if_removed
from mmstats.cells.wiped import word
from mmstats.cells.words import INFINITY, real_from
from mmstats.format.layout import NEVER_F64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmstats.cells.protocol import Amount
    from mmstats.cells.segment import Segment


class Gauge:
    """A bound gauge."""

    __slots__ = ("__weakref__", "_index", "_refuse", "_segment", "_track", "label")

    def __init__(
        self,
        segment: Segment,
        index: int,
        label: str,
        refuse: Callable[[], object],
        track: Callable[[Any, Any], Any],
    ) -> None:
        self._segment = segment
        self._index = index
        self._refuse = refuse
        self._track = track
        self.label = label

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.label!r}>"

    def set(self, value: Amount) -> None:
        """The value from now on."""
        try:
            if -INFINITY <= value <= INFINITY:  # a NaN is not
                self._segment._local.views[word[0]][DOUBLES][self._index] = value
                return
        except WENT_WRONG:
            pass
        self._set_slowly(value)

    def _set_slowly(self, value: Amount) -> None:
        real = real_from(self.label, value)
        if isnan(real):  # which is also what "never" looks like
            self._refuse()
            return
        views, later = self._segment._reach()
        if later is not None:
            later(Gauge.set.__get__(self), value)  # not what a subclass made of it
        else:
            views[DOUBLES][self._index] = real

    def set_to_current_time(self) -> None:
        """Seconds since 1970, as time.time() gives them."""
        Gauge.set(self, time.time())

    def track(self, callable: Callable[[], Amount]) -> Any:  # noqa: A002 - the public name
        """Let the callable say the value, about once a second."""
        return self._track(self, callable)

    @property
    def value(self) -> float:
        """What the process set last."""
        views, later = self._segment._reach()
        if later is not None:
            refuse_if_removed(later, self.label)
        elif views[INTS][self._index] != NEVER_F64:
            set_last: float = views[DOUBLES][self._index]
            return set_last
        return 0.0
