"""A context around a function: plain, a generator, a coroutine, or an asynchronous generator.

What a decorator gives is of the same sort as what it got. The context is entered at the first step and
left at the end, however that comes: a value, an exception, `close()`. Whatever is sent into a generator, or
thrown, reaches the one inside.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractContextManager
    from typing import Any, TypeVar

    Function = TypeVar("Function", bound=Callable[..., Any])
    Context = Callable[[], AbstractContextManager[Any]]

GENERATOR, COROUTINE, ASYNC_GENERATOR = 0x20, 0x80, 0x200  # of co_flags, as `inspect` names them


def around(function: Function, context: Context) -> Function:
    """The function, each of whose calls stands in a context of its own: what `context()` gives."""
    from functools import wraps  # dear, and only for who decorates

    flags = _flags(function)
    wrap = next((wrap for flag, wrap in _OF_SORT.items() if flags & flag), _plain)
    return wraps(function)(wrap(function, context))  # type: ignore[return-value]  # it is of the same sort


def _flags(function: Any) -> int:
    """What sort the function is; also of a method, a partial, an object that is called."""
    while hasattr(function, "func"):  # a functools.partial
        function = function.func
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return getattr(code, "co_flags", 0)


def _plain(function: Callable[..., Any], context: Context) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with context():
            return function(*args, **kwargs)

    return call


def _generator(function: Callable[..., Any], context: Context) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with context():
            return (yield from function(*args, **kwargs))

    return call


def _coroutine(function: Callable[..., Any], context: Context) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with context():
            return await function(*args, **kwargs)

    return call


def _async_generator(function: Callable[..., Any], context: Context) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with context():
            inner = function(*args, **kwargs)
            step = inner.__anext__()
            while True:
                try:
                    value = await step
                except StopAsyncIteration:
                    return
                try:
                    step = inner.asend((yield value))
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in from outside
                    step = inner.athrow(error)

    return call


_OF_SORT = {ASYNC_GENERATOR: _async_generator, COROUTINE: _coroutine, GENERATOR: _generator}
