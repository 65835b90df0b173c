"""What is read and assigned as an attribute of a model, held in the hand: `.value` and `.set(value)`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, TypeVar

    from mmstats.publish.place import Place

    Value = TypeVar("Value")

    class Attribute(Generic[Value]):
        """A number, a bool or a text."""

        def __init__(self, stats: object, name: str) -> None: ...

        @property
        def value(self) -> Value:
            """What reading the attribute gives."""

        @value.setter
        def value(self, value: Value) -> None: ...

        def set(self, value: Value) -> None:
            """Assign it."""

else:

    class Attribute:
        """A number, a bool or a text."""

        __slots__ = ("_name", "_stats")

        def __init__(self, stats: object, name: str) -> None:
            self._stats = stats
            self._name = name

        def __repr__(self) -> str:
            return f"<Attribute {self._name!r}>"

        @property
        def value(self) -> object:
            """What reading the attribute gives."""
            return getattr(self._stats, self._name)

        @value.setter
        def value(self, value: object) -> None:
            self.set(value)

        def set(self, value: object) -> None:
            """Assign it."""
            setattr(self._stats, self._name, value)


def member_of(descriptor: Any, place: Place, initial: object) -> Any:
    """A number, a bool or a text of a family's member, which is an attribute of nothing else."""
    kind = type("Attribute", (Cell,), {"value": descriptor})
    return kind(place, initial)


class Cell:
    """`.value` is a descriptor of `cells`, by that name."""

    __slots__ = ("__weakref__", "_mm_cells", "label")

    value: Any

    def __init__(self, place: Place, initial: object) -> None:
        self.label = place.label
        self._mm_cells = {"value": (place.segment, place.index, initial)}

    def __repr__(self) -> str:
        return f"<Attribute {self.label!r}>"

    def set(self, value: object) -> None:
        """Assign it."""
        self.value = value
