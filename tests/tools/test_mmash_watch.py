"""Who asks at the same time shares a reading, and gets nothing older than the question."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest

from mmstats.tools.mmash.main import _listening
from mmstats.tools.mmash.settings import Settings
from mmstats.tools.mmash.watch import Watch

pytestmark = pytest.mark.main


class Reading:
    """Readings that take until they are let go; each gives its number."""

    def __init__(self):
        self.count = 0
        self.goes_on = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self):
        self.count += 1
        number = self.count
        self.begun.release()
        assert self.goes_on.wait(20)
        return number


def test_one_reading_at_a_time_and_the_next_one_for_all_who_came_meanwhile(monkeypatch):
    watch, reading = Watch(Settings(["/nowhere"])), Reading()
    monkeypatch.setattr(watch, "read", reading)

    async def ask():
        first = asyncio.ensure_future(watch.now())
        await asyncio.get_running_loop().run_in_executor(None, reading.begun.acquire)
        # These come while the first is under way: what it read may be older than their question.
        others = [asyncio.ensure_future(watch.now()) for _ in range(5)]
        await asyncio.sleep(0)
        assert reading.count == 1
        reading.goes_on.set()
        assert await first == 1
        assert await asyncio.gather(*others) == [2] * 5
        assert await watch.now() == 3

    asyncio.run(ask())
    assert reading.count == 3


def test_who_goes_away_takes_nobody_s_answer_along(monkeypatch):
    watch, reading = Watch(Settings(["/nowhere"])), Reading()
    monkeypatch.setattr(watch, "read", reading)

    async def ask():
        asked = [asyncio.ensure_future(watch.now()) for _ in range(3)]
        await asyncio.get_running_loop().run_in_executor(None, reading.begun.acquire)
        asked[0].cancel()
        reading.goes_on.set()
        assert await asyncio.gather(*asked[1:]) == [1, 1]

    asyncio.run(ask())


def test_in_another_loop(monkeypatch):
    watch = Watch(Settings(["/nowhere"]))
    monkeypatch.setattr(watch, "read", lambda: 7)
    assert [asyncio.run(watch.now()) for _ in range(3)] == [7, 7, 7]


def test_an_answer_is_not_held_back():
    """A socket that does not say that it is TCP is not told to send at once: answers come 40 ms late."""
    with _listening(Settings(port=0)) as listening:
        assert listening.proto == socket.IPPROTO_TCP
