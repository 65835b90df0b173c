"""One sampler for all who look, in a thread of its own; what it saw last, and the history of that."""

from __future__ import annotations

import asyncio
import threading
import time

from mmstats.combining import Combiner
from mmstats.read.sampler import Sampler
from mmstats.read.snapshot import Reader
from mmstats.tools.mmash.history import History
from mmstats.tools.mmash.series import Between, whole
from mmstats.tools.mmash.splits import Splits
from mmstats.tools.moment import Sample
from mmstats.tools.recordings import RecordingError, replayed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmstats.stat import Snapshot
    from mmstats.tools.mmash.settings import Settings

LONG = 5.0  # seconds that the thread may take to end


class Ended(Exception):  # noqa: N818 - nothing is wrong
    """There will be no more samples."""


class Clock:
    """Time, with a sleep from which one is woken to end."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    monotonic = staticmethod(time.monotonic)
    time = staticmethod(time.time)

    def sleep(self, seconds: float) -> None:
        """Ended: it is over."""
        if self._ended.wait(seconds):
            raise Ended

    def end(self) -> None:
        self._ended.set()

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set()


class Watch:
    """Begins with the first who asks, and ends with `end`. `failed`: why there are no more samples.

    `history` is that of all processes together, `splits` those of what is told apart.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        # One more than is kept: what is written next is nobody's to read.
        room = int(settings.keep / settings.interval) + 2
        self.history = History(room)
        self.splits = Splits(room)
        self.failed = ""
        self._clock = Clock()
        self._combiner = Combiner()
        self._latest: Sample | None = None
        self._next: asyncio.Future[list[Snapshot]] | None = None
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._lock = threading.Lock()
        self._reader = Reader(keep=True)
        self._thread: threading.Thread | None = None
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def begin(self) -> None:
        """Begin to sample, if nobody did yet."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="mmash", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Let the thread end, and all who wait for a sample know."""
        self._clock.end()
        self._wake()

    def join(self) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join(LONG)

    @property
    def has_ended(self) -> bool:
        return self._clock.has_ended

    @property
    def latest(self) -> list[Snapshot]:
        """What the last sample found."""
        return [] if self._latest is None else self._latest.snapshots

    def read(self, paths: Sequence[str] | None = None) -> list[Snapshot]:
        """All there is now, or at those paths; of a recording what it shows now."""
        if self.settings.replay:
            return self.latest
        with self._lock:
            return self._reader.read(self.settings.files if paths is None else list(paths))

    def combined(self) -> Snapshot:
        """All there is now, as one."""
        if self.settings.replay:
            from mmstats.aggregate.combine import combine

            return combine(self.read())
        with self._lock:
            return self._combiner.combined(self.settings.files)

    async def now(self) -> list[Snapshot]:
        """What there is, read after this was asked for; who asks meanwhile shares the next reading.

        One thread reads at a time: several would wait for each other, and for the interpreter.
        """
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = (loop, asyncio.Lock())
            self._next = None
        if self._next is None:
            self._next = asyncio.ensure_future(self._read_next(self._turn[1]))
        return await asyncio.shield(self._next)

    async def _read_next(self, turn: asyncio.Lock) -> list[Snapshot]:
        async with turn:
            self._next = None  # who asks from here on wants what comes after
            return await asyncio.get_running_loop().run_in_executor(None, self.read)

    async def after(self, number: int) -> bool:
        """Wait until there is a sample after that one; False: there will be none."""
        self.begin()
        here = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.add(here)
        try:
            while self.history.last <= number and not (self.has_ended or self.failed):
                await here[1].wait()
                here[1].clear()
        finally:
            self._waiting.discard(here)
        return self.history.last > number and not self.has_ended

    def _run(self) -> None:
        before: Sample | None = None
        try:
            for sample in self._samples():
                self._latest = sample
                between = Between(before, sample)
                self.splits.add(between)
                self.history.add(sample.at, between.numbers(whole))
                before = sample
                self._wake()
        except Ended:
            pass
        except RecordingError as error:
            self.failed = str(error)
        except Exception as error:
            self.failed = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._wake()

    def _samples(self) -> Iterator[Sample]:
        if self.settings.replay:
            for sample in replayed(self.settings.replay):
                if self.history.last:
                    self._clock.sleep(min(sample.elapsed, 60.0) / self.settings.speed)
                yield sample
            self.failed = "the recording is over"
            return
        sampler = Sampler(self.settings.files, self.settings.interval, clock=self._clock)
        for snapshots in sampler:
            yield Sample(snapshots, sampler.at, sampler.elapsed, sampler.interval)

    def _wake(self) -> None:
        for loop, event in list(self._waiting):
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:  # the loop was closed
                self._waiting.discard((loop, event))
