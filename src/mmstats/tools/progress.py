"""How far something has come that takes longer than a second: a line on a terminal's stderr, then none."""

from __future__ import annotations

import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, TextIO

    from typing_extensions import Self

PATIENCE = 1.0  # seconds until anything is shown
BETWEEN = 0.1  # and from then on between two changes
ERASE = "\r\x1b[K"


class Progress:
    """`with Progress("cleanstats: folded", 10_000) as progress: progress.at(200)`.

    In a pipe, and where `quiet` is said, it shows nothing. `out`, `clock`: for tests.
    """

    def __init__(
        self,
        what: str,
        total: int,
        *,
        quiet: bool = False,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._total = total
        self._out = sys.stderr if out is None else out
        self._clock = clock
        self._next = clock() + PATIENCE if not quiet and self._out and self._out.isatty() else None
        self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def at(self, done: int) -> None:
        """So many are done."""
        if self._next is None or (now := self._clock()) < self._next:
            return
        self._next = now + BETWEEN
        self._is_shown = True
        self._out.write(f"{ERASE}{self._what} {done:,} of {self._total:,}")
        self._out.flush()

    def __exit__(self, *_: object) -> Literal[False]:
        if self._is_shown:
            self._out.write(ERASE)
            self._out.flush()
        return False
