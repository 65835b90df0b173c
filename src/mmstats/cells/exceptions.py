"""`with stats.errors.count_exceptions(OSError):` one more for each of these that is raised, and let pass."""

from __future__ import annotations

from mmstats.around import around
from mmstats.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar

    from mmstats.cells.protocol import Counter

    Function = TypeVar("Function", bound=Callable[..., Any])


class Exceptions:
    """The context, which keeps nothing: enter it as often as you like, or decorate with it.

    Without types it counts every Exception; what ends a program or a generator, as SystemExit, is none.
    """

    __slots__ = ("_counter", "_types")

    def __init__(self, counter: Counter, types: tuple[Any, ...]) -> None:
        for one in types:
            if not (isinstance(one, type) and issubclass(one, BaseException)):
                raise UsageError(
                    f"{counter.label!r}: count_exceptions() takes classes of exceptions, not {one!r}"
                )
        self._counter = counter
        self._types = types or (Exception,)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> Literal[False]:
        if kind is not None and issubclass(kind, self._types):
            self._counter.incr()
        return False

    def __call__(self, function: Function) -> Function:
        """The function, whose calls count: plain, a generator, or one of asyncio's."""
        if not callable(function):
            raise UsageError(f"{self._counter.label!r}: count_exceptions() decorates functions: {function!r}")
        return around(function, lambda: self)
