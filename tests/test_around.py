"""A context around functions of every sort: entered once, left once, and nothing else is seen of it."""

from __future__ import annotations

import asyncio
import functools
import inspect
from contextlib import contextmanager

import pytest

from mmstats.around import around


@pytest.fixture
def steps():
    """What happened: to the contexts, and in the functions."""
    return []


@pytest.fixture
def wrapped(steps):
    """A function: the decorator."""

    @contextmanager
    def context():
        steps.append("enter")
        try:
            yield
        except BaseException as error:
            steps.append(type(error).__name__)
            raise
        finally:
            steps.append("exit")

    return lambda function: around(function, context)


def counted(steps):
    def generator(first):
        """Says what it was sent."""
        try:
            sent = yield first
            steps.append(sent)
            try:
                yield sent
            except KeyError:
                yield "caught"
        finally:
            steps.append("finally")
        return "returned"

    return generator


def counted_async(steps):
    async def generator(first):
        try:
            sent = yield first
            steps.append(sent)
            try:
                yield sent
            except KeyError:
                yield "caught"
        finally:
            await asyncio.sleep(0)
            steps.append("finally")

    return generator


def test_a_function_gives_what_it_gives(wrapped, steps):
    def add(one, *, other=2):
        """One and the other."""
        return one + other

    def fail():
        raise LookupError("no")

    assert wrapped(add)(1, other=5) == 6
    with pytest.raises(LookupError, match="no"):
        wrapped(fail)()
    assert steps == ["enter", "exit", "enter", "LookupError", "exit"]
    assert wrapped(add).__doc__ == "One and the other."
    assert inspect.signature(wrapped(add)) == inspect.signature(add)
    assert wrapped(add).__wrapped__ is add


def test_a_generator_is_entered_at_its_first_step(wrapped, steps):
    generator = wrapped(counted(steps))("first")
    assert steps == []
    assert (next(generator), steps) == ("first", ["enter"])
    assert generator.send("sent") == "sent"
    assert generator.throw(KeyError()) == "caught"
    with pytest.raises(StopIteration) as ended:
        next(generator)
    assert (ended.value.value, steps) == ("returned", ["enter", "sent", "finally", "exit"])
    assert inspect.isgeneratorfunction(wrapped(counted(steps)))


def test_a_generator_that_is_closed_is_left(wrapped, steps):
    generator = wrapped(counted(steps))("first")
    next(generator)
    generator.close()
    assert steps == ["enter", "finally", "GeneratorExit", "exit"]
    wrapped(counted(steps))("never begun").close()
    assert len(steps) == 4


def test_a_coroutine_is_entered_when_it_is_awaited(wrapped, steps):
    @wrapped
    async def double(number):
        await asyncio.sleep(0)
        return number * 2

    coroutine = double(4)
    assert (steps, inspect.iscoroutinefunction(double)) == ([], True)
    assert asyncio.run(coroutine) == 8
    assert steps == ["enter", "exit"]


def test_a_cancelled_coroutine_is_left(wrapped, steps):
    @wrapped
    async def forever():
        await asyncio.Event().wait()

    async def main():
        task = asyncio.ensure_future(forever())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert steps == ["enter", "CancelledError", "exit"]


def test_an_asynchronous_generator_goes_on_as_it_would(wrapped, steps):
    async def main():
        generator = wrapped(counted_async(steps))("first")
        assert steps == []
        assert await generator.__anext__() == "first"
        assert await generator.asend("sent") == "sent"
        assert await generator.athrow(KeyError()) == "caught"
        with pytest.raises(StopAsyncIteration):
            await generator.__anext__()
        assert steps == ["enter", "sent", "finally", "exit"]
        assert [one async for one in wrapped(counted_async(steps))("again")] == ["again", None]

    assert inspect.isasyncgenfunction(wrapped(counted_async(steps)))
    asyncio.run(main())


def test_an_asynchronous_generator_that_is_closed_is_left(wrapped, steps):
    async def main():
        generator = wrapped(counted_async(steps))("first")
        await generator.__anext__()
        await generator.aclose()
        assert steps == ["enter", "finally", "GeneratorExit", "exit"]

    asyncio.run(main())


def test_what_an_asynchronous_generator_raises_comes_out(wrapped, steps):
    @wrapped
    async def failing():
        yield 1
        raise LookupError("no")

    async def main():
        with pytest.raises(LookupError, match="no"):
            [one async for one in failing()]

    asyncio.run(main())
    assert steps == ["enter", "LookupError", "exit"]


def test_methods_partials_and_objects_are_functions_too(wrapped, steps):
    class Web:
        @wrapped
        async def method(self, number):
            return number

        async def __call__(self, number):
            return -number

    async def plain(number, other):
        return number + other

    assert asyncio.run(Web().method(3)) == 3
    assert asyncio.run(wrapped(functools.partial(plain, 1))(2)) == 3
    assert asyncio.run(wrapped(Web())(2)) == -2
    assert asyncio.run(wrapped(Web().__call__)(2)) == -2
    assert wrapped(len)("four") == 4
    assert steps == ["enter", "exit"] * 5


def test_a_function_may_call_itself(wrapped, steps):
    @wrapped
    def deep(number):
        return deep(number - 1) + 1 if number else 0

    assert deep(10) == 10
    assert steps == ["enter"] * 11 + ["exit"] * 11
