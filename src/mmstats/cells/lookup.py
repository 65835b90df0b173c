"""Lookup of the pure twin: which object stands for some values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SIMPLE = frozenset((str, int, float, bool))  # types whose `str` nobody changed


class Lookup:
    """The base of families."""

    __slots__ = ("__weakref__", "_handles", "_names")

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._handles: dict[Any, Any] = {}  # by texts

    def tagged(self, /, *values: object, **named: object) -> Any:
        """What stands for these values, by position or by name."""
        try:
            if not named:
                return self._handles[values]
            if not values and len(named) == len(self._names):
                return self._handles[tuple([named[name] for name in self._names])]
        except (KeyError, TypeError):
            pass
        return self._found(values, named)

    def _found(self, values: tuple[object, ...], named: dict[str, object]) -> Any:
        given = tuple([named.get(name) for name in self._names]) if named and not values else values
        if len(values) + len(named) == len(given) and SIMPLE.issuperset(map(type, given)):
            found = self._handles.get(tuple(map(str, given)))
            if found is not None:
                return found
        return self._find(values, named)

    def _find(self, values: tuple[object, ...], named: dict[str, object]) -> Any:
        """What there is for values that are not known, or that take a closer look."""
        raise NotImplementedError
