"""Texts that change: `stats.phase = 'warming up'`."""

from __future__ import annotations

from mmstats import cells
from mmstats.format import layout
from mmstats.names import check_size
from mmstats.publish.attributes import member_of
from mmstats.publish.bound import Binds, OfText
from mmstats.publish.fields import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload

    from mmstats.publish.attributes import Attribute
    from mmstats.publish.families import Family
    from mmstats.publish.model import Model
    from mmstats.publish.place import Place
    from mmstats.publish.schema import Metric

DEFAULT_STRING_SIZE = 255


class StringField(Field, Binds[OfText]):
    """A text of at most `size` bytes of UTF-8; a longer one is cut at the end of a character.

    Each thread has its own; readers see the one that was written last.
    """

    kind = layout.KIND_TEXT
    cell_type = layout.CELL_TYPE_TEXT
    aggregate = layout.AGGREGATE_LAST
    choices = ("last", "set", "all")

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: StringField[Family[Attribute[str]]],
            size: int = DEFAULT_STRING_SIZE,
            label: str | None = None,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: StringField[str], size: int = DEFAULT_STRING_SIZE, label: str | None = None, **options: Any
        ) -> None: ...

    def __init__(self, size: int = DEFAULT_STRING_SIZE, label: str | None = None, **options: Any) -> None:
        super().__init__(label, **options)
        self.size = check_size(f"size of {self!r}", size, layout.TEXT_LIMIT)
        self.cells = layout.TEXT_SIZE + 2 * (layout.SLOT_SIZE + -(-size // 8))

    def in_class(self, attribute: str) -> object:
        return cells.Text(attribute, self.size)

    def handle(self, place: Place) -> Any:
        return member_of(self.in_class("value"), place, "")

    def bind(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        instance._mm_cells[attribute] = (model.segment(metric.placed), metric.index, "")

    if TYPE_CHECKING:

        def __set__(self: StringField[str], instance: object, value: str) -> None: ...
