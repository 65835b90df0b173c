"""`count_exceptions` and `timed`: around blocks and functions of every sort."""

from __future__ import annotations

import asyncio
import threading

import pytest


@pytest.fixture
def clock():
    """A clock in seconds that the test turns by hand."""

    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def stats(mmstats, clock):
    class Web(mmstats.BaseMmStats):
        errors = mmstats.CounterField()
        failed = mmstats.CounterField(float=True)
        latency = mmstats.TimerField(timer=clock, size=5)

    return Web()


# --- count_exceptions --------------------------------------------------------------------------------


def test_a_block_counts_what_is_raised_and_lets_it_pass(stats):
    with stats.errors.count_exceptions() as nothing:
        assert nothing is None
    for _ in range(3):
        with pytest.raises(LookupError), stats.errors.count_exceptions():
            raise LookupError
    assert (stats.errors.value, stats.errors.total) == (3, 3)


def test_only_what_is_named_counts(stats):
    counting = stats.failed.count_exceptions(KeyError, OSError)
    for raised in (KeyError, FileNotFoundError, LookupError, ValueError, KeyboardInterrupt):
        with pytest.raises(raised), counting:
            raise raised
    assert stats.failed.value == 2.0


@pytest.mark.parametrize(("raised", "counted"), [(SystemExit, 0), (GeneratorExit, 0), (Exception, 1)])
def test_without_types_what_ends_a_program_does_not_count(stats, raised, counted):
    with pytest.raises(raised), stats.errors.count_exceptions():
        raise raised
    assert stats.errors.value == counted


def test_one_context_may_be_entered_within_itself(stats):
    counting = stats.errors.count_exceptions()
    with pytest.raises(LookupError), counting, counting:
        raise LookupError
    assert stats.errors.value == 2


def test_functions_of_every_sort_count(stats):
    counting = stats.errors.count_exceptions(LookupError)

    @counting
    def plain():
        raise LookupError

    @counting
    def generator():
        yield 1
        raise LookupError

    @counting
    async def coroutine():
        raise LookupError

    @counting
    async def asynchronous():
        yield 1
        raise LookupError

    async def drawn():
        return [one async for one in asynchronous()]

    def closed():
        steps = generator()
        next(steps)
        steps.close()

    for work in (
        plain,
        lambda: list(generator()),
        lambda: asyncio.run(coroutine()),
        lambda: asyncio.run(drawn()),
    ):
        with pytest.raises(LookupError):
            work()
    closed()
    assert stats.errors.value == 4


@pytest.mark.parametrize("wrong", ["KeyError", 5, KeyError(), int, None])
def test_what_is_no_exception_is_named(mmstats, stats, wrong):
    with pytest.raises(mmstats.UsageError) as caught:
        stats.errors.count_exceptions(KeyError, wrong)
    assert str(caught.value) == f"'errors': count_exceptions() takes classes of exceptions, not {wrong!r}"
    with pytest.raises(mmstats.UsageError, match="decorates functions: 5"):
        stats.errors.count_exceptions()(5)


# --- timed -------------------------------------------------------------------------------------------


def test_a_function_is_timed(mmstats, stats, clock):
    @stats.latency.timed
    def work(number, *, more=0):
        """Works."""
        clock.now += number
        return number + more

    assert work(2, more=1) == 3
    assert (work.__name__, work.__doc__, stats.latency.last) == ("work", "Works.", 2.0)
    with pytest.raises(TypeError):
        work("x")
    assert mmstats.combined().value("latency").count == 2, "what raises took its time, too"


def test_one_that_calls_itself_is_timed_at_each_depth(mmstats, stats, clock):
    @stats.latency.timed
    def deep(number):
        clock.now += 1
        if number:
            deep(number - 1)

    deep(3)
    found = mmstats.combined().value("latency")
    assert (found.count, found.min, found.max, found.sum) == (4, 1.0, 4.0, 10.0)


def test_a_generator_is_timed_from_its_first_step_to_its_end(mmstats, stats, clock):
    @stats.latency.timed
    def steps():
        clock.now += 1
        yield 1
        clock.now += 1
        yield 2

    first = steps()
    clock.now += 100  # not begun yet
    second = steps()
    assert (next(first), next(second)) == (1, 1)
    with stats.latency as mine:  # neither of the two
        clock.now += 10
    assert mine.elapsed == stats.latency.last == 10.0
    first.close()
    assert stats.latency.last == 12.0
    clock.now += 5
    assert list(second) == [2]
    assert stats.latency.last == 17.0
    steps().close()  # never begun: no duration
    assert mmstats.combined().value("latency").count == 3


def test_a_stop_by_hand_does_not_end_what_is_timed(mmstats, stats, clock):
    @stats.latency.timed
    def work():
        clock.now += 1
        stats.latency.stop()

    with pytest.raises(mmstats.UsageError, match=r"'latency': stop\(\) without start\(\)"):
        work()
    assert stats.latency.last == 1.0


def test_a_thousand_tasks_are_each_timed(mmstats, stats, clock):
    @stats.latency.timed
    async def work(number):
        await asyncio.sleep(0)
        clock.now += 1
        for _ in range(1 + number % 7):
            await asyncio.sleep(0)
        return number

    @stats.latency.timed
    async def drawn():
        yield await work(0)

    async def main():
        assert await asyncio.gather(*[work(number) for number in range(1000)]) == [*range(1000)]
        before = mmstats.combined().value("latency")
        assert (before.count, before.min) == (1000, 1000.0), "each ran while all the others did"
        assert [one async for one in drawn()] == [0]
        generator = drawn()
        await generator.__anext__()
        await generator.aclose()

    asyncio.run(main())
    assert mmstats.combined().value("latency").count == 1004


def test_threads_are_each_timed(mmstats, stats):
    @stats.latency.timed
    def work():
        pass

    threads = [threading.Thread(target=lambda: [work() for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mmstats.combined().value("latency").count == 4000


def test_a_method_is_timed(mmstats, stats, clock):
    class Worker:
        @stats.latency.timed
        def work(self, number):
            clock.now += number
            return self

    worker = Worker()
    assert worker.work(3) is worker
    assert stats.latency.last == 3.0


def test_what_is_no_function_is_named(mmstats, stats):
    with pytest.raises(mmstats.UsageError, match="'latency': timed decorates functions: 5"):
        stats.latency.timed(5)
