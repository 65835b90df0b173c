"""`mmstats.Sampler`: everything that is published, again and again, on a steady beat."""

from __future__ import annotations

import os
import time

from mmstats.errors import UsageError
from mmstats.read.snapshot import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self

    from mmstats.read.files import Paths
    from mmstats.stat import Snapshot

LONGEST = 1e9  # seconds


class Sampler:
    """An iterator of lists of Snapshots, as `mmstats.snapshot` gives them; the first at once, and no last.

    Beats are `interval` seconds apart, from the first one on: one that comes late does not delay the next.
    Beats that pass while somebody is at work are left out. Files are looked for anew each time; what of them
    has not changed is kept. `clock`: what has `monotonic()`, `time()` and `sleep()`, for tests.

    `at`: when the latest sample was taken, in seconds since 1970. `elapsed`: seconds since the one before it,
    0.0 for the first. `late`: by how many of them it missed its beat.
    """

    def __init__(self, paths: Paths = None, interval: float = 1.0, *, clock: Any = time) -> None:
        if type(interval) not in (int, float) or not 0 < interval < LONGEST:
            raise UsageError(f"interval must be seconds above 0: {interval!r}")
        self.interval = float(interval)
        self.at = self.elapsed = self.late = 0.0
        self._paths = paths if paths is None or isinstance(paths, (str, os.PathLike)) else [*paths]
        self._clock = clock
        self._reader = Reader(keep=True)
        self._beat = 0.0
        self._taken: float | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Snapshot]:
        self._wait()
        now = self._clock.monotonic()
        self.elapsed = 0.0 if self._taken is None else now - self._taken
        self.late = now - self._beat
        self._taken = now
        self.at = self._clock.time()
        return self._reader.read(self._paths)

    def _wait(self) -> None:
        """Until the next beat."""
        now = self._clock.monotonic()
        if self._taken is None:
            self._beat = now
            return
        passed = max(0.0, now - self._beat)
        self._beat += self.interval * (int(passed / self.interval) + 1)
        while now < self._beat:
            self._clock.sleep(self._beat - now)
            now = self._clock.monotonic()
