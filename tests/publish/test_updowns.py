"""UpDownField as a program uses it, and as readers see it."""

from __future__ import annotations

import asyncio
import threading

import pytest


@pytest.fixture
def model(mmstats):
    class Web(mmstats.BaseMmStats):
        inflight = mmstats.UpDownField(unit="requests", help="being answered")
        share = mmstats.UpDownField(float=True)

    return Web


def value(mmstats, label="inflight"):
    whole = mmstats.combined()
    assert [str(problem) for problem in whole.problems] == []
    return whole.value(label)


def test_what_one_thread_adds_another_one_takes_away(mmstats, model):
    stats = model()
    stats.inflight.incr(5)
    stats.share.incr(0.5)
    over, down = threading.Event(), threading.Event()

    def work():
        stats.inflight.decr(2)
        down.set()
        over.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    down.wait(60)
    assert (stats.inflight.value, stats.inflight.total, value(mmstats)) == (5, 3, 3)
    over.set()
    thread.join()
    assert (stats.inflight.total, value(mmstats), value(mmstats, "share")) == (3, 3, 0.5), "it stays"


def test_a_reader_is_told_what_it_is(mmstats, model):
    model().inflight.decr()
    (snapshot,) = mmstats.snapshot()
    stat = snapshot.stats[0]
    assert (stat.kind, stat.unit, stat.help, stat.value) == ("updown", "requests", "being answered", -1)


def test_held_is_one_more_while_it_is_held(mmstats, model):
    stats = model()
    with stats.inflight.held() as nothing:
        assert (nothing, stats.inflight.total) == (None, 1)
        with stats.inflight.held(), stats.inflight.held():
            assert value(mmstats) == 3
    assert (stats.inflight.total, value(mmstats)) == (0, 0)


def test_held_is_left_by_an_exception_too(model):
    stats = model()

    def dive(depth):
        with stats.inflight.held():
            if depth == 0:
                raise LookupError("the bottom")
            dive(depth - 1)

    with pytest.raises(LookupError, match="the bottom"):
        dive(50)
    assert stats.inflight.total == 0


def test_a_thousand_tasks_hold_as_many_as_they_are(model):
    stats = model()

    async def hold(number, over):
        with stats.inflight.held():
            await over.wait()
            for _ in range(number % 5):
                await asyncio.sleep(0)

    async def main():
        over = asyncio.Event()
        tasks = [asyncio.ensure_future(hold(number, over)) for number in range(1000)]
        await asyncio.sleep(0)
        assert stats.inflight.total == 1000
        over.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert stats.inflight.total == 0


def test_eight_threads_come_out_even(mmstats, model):
    stats = model()

    def work():
        for _ in range(2000):
            with stats.inflight.held():
                stats.inflight.incr(3)
                stats.inflight.decr(3)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (stats.inflight.total, value(mmstats)) == (0, 0)


def test_a_total_is_of_64_bits_as_readers_say_it(mmstats, model):
    stats = model()
    stats.inflight.incr(2**63 - 1)
    thread = threading.Thread(target=stats.inflight.incr)
    thread.start()
    thread.join()
    assert stats.inflight.total == value(mmstats) == -(2**63)


def test_it_cannot_be_assigned(mmstats, model):
    stats = model()
    with pytest.raises(TypeError, match="'inflight' is declared as UpDownField of Web"):
        stats.inflight = 5
    with pytest.raises(mmstats.UsageError, match="aggregate='max'"):
        mmstats.UpDownField(aggregate="max")


def test_one_label_of_integers_and_of_floats_is_two_things(mmstats, model):
    model()

    class Other(mmstats.BaseMmStats):
        inflight = mmstats.UpDownField(float=True)

    with pytest.raises(mmstats.DuplicateFieldName, match="'inflight' is declared as updown of floats"):
        Other()


def test_a_removed_one_is_left_all_the_same(mmstats, model):
    stats = model()
    with stats.inflight.held():
        stats.remove()
    assert mmstats.dropped.by_reason == {"removed": 1}
    with pytest.raises(mmstats.Removed, match="'inflight' was removed"):
        stats.inflight.total  # noqa: B018 - reading it is the point


def test_files_of_threads_have_one_total(mmstats, model):
    stats = model(filename="{CMD}-{PID}-{TID}.mmstats")
    stats.inflight.incr(5)
    thread = threading.Thread(target=lambda: stats.inflight.decr(2))
    thread.start()
    thread.join()
    assert stats.inflight.total == 3
