"""For tests of programs that publish: stats of their own, a clock turned by hand, what came of it.

    with mmstats.testing.isolated():
        handle(request)
        assert mmstats.testing.value_of("web.requests", method="GET") == 1

As a fixture of pytest: `stats_dir = pytest.fixture(mmstats.testing.fixture)`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager

from mmstats.combining import combined
from mmstats.publish import process
from mmstats.publish.on_the_fly import made
from mmstats.publish.ticker import ByHand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from mmstats.publish.timers import Timer

SAYS_WHERE = (
    "MMSTATS_PATH",
    "MMSTATS_FILES",
    "MMSTATS_GLOB",
    "MMSTATS_GROUP",
    "MMSTATS_MODE",
    "MMSTATS_DISABLE",
)
IN_MEMORY = "/dev/shm"  # noqa: S108 - a directory of our own is made in it


@contextmanager
def isolated() -> Iterator[str]:
    """A directory for what is published inside of the `with`, and gone with it afterwards.

    Models that are made inside go there, unless they name a place of their own, and are removed at its end;
    `mmstats.counter()` and its like begin afresh, and are what they were afterwards. The variables of the
    environment that say where and how to publish are set aside. Nobody but `mmstats.tick()` asks what gauges
    track. It may be nested.
    """
    directory = tempfile.mkdtemp(prefix="mmstats-test-", dir=IN_MEMORY if _is_ours(IN_MEMORY) else None)
    before, of_before = list(process.publications.values()), made.set_aside()
    environment = {name: os.environ.pop(name) for name in SAYS_WHERE if name in os.environ}
    os.environ["MMSTATS_PATH"] = directory
    try:
        with ByHand():
            yield directory
    finally:
        del os.environ["MMSTATS_PATH"]
        os.environ.update(environment)
        _remove_all_but(before)
        made.put_back(of_before)
        shutil.rmtree(directory, ignore_errors=True)


def fixture() -> Iterator[str]:
    """The body of a fixture: what `isolated` gives, for one test."""
    with isolated() as directory:
        yield directory


def value_of(label: str, /, *default: Any, **tags: str) -> Any:
    """The value of a stat over all that is published: in `isolated`, by the test and its child processes.

    KeyError where there is none, and no default.
    """
    whole = combined()
    return whole.value(label, default=default[0], **tags) if default else whole.value(label, **tags)


class Clock:
    """A clock in seconds that stands until it is turned: `clock.turn(2.5)`.

    It is a `timer=` of a TimerField, and drives a timer that was declared without.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        """Let so much time pass."""
        self.now += seconds

    @contextmanager
    def drives(self, timer: Timer) -> Iterator[None]:
        """Durations of this timer go by this clock, inside of the `with`."""
        before, timer.clock = timer.clock, self
        try:
            yield
        finally:
            timer.clock = before


def _is_ours(directory: str) -> bool:
    return os.access(directory, os.W_OK | os.X_OK)


def _remove_all_but(before: list[Any]) -> None:
    """Remove the models of publications that came to be since."""
    for publication in list(process.publications.values()):
        if publication not in before:
            for model in list(publication.models):
                model.remove(discard=True)
