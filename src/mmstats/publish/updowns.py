"""Numbers that go up and down: `stats.inflight.incr()`, `stats.inflight.decr()`."""

from __future__ import annotations

from mmstats import cells
from mmstats.format import layout
from mmstats.publish.bound import Binds, OfUpDown
from mmstats.publish.fields import Field
from mmstats.publish.held import Held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload

    from mmstats.cells.protocol import UpDown
    from mmstats.publish.families import Family
    from mmstats.publish.place import Place


class UpDownField(Field, Binds[OfUpDown]):
    """How many there are now: `.incr(amount=1)`, `.decr(amount=1)`, `with .held():`.

    Each thread adds to cells of its own, so nothing is lost; one thread may take away what another one
    added. Summed over threads and processes. What a process holds goes with it, unless keep=True. An i64;
    with float=True it counts in floats.
    """

    kind = layout.KIND_UPDOWN
    cell_type = layout.CELL_TYPE_I64
    may_keep = True

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: UpDownField[Family[UpDown]],
            label: str | None = None,
            float: bool = False,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: UpDownField[UpDown], label: str | None = None, float: bool = False, **options: Any
        ) -> None: ...

    def __init__(self, label: str | None = None, float: bool = False, **options: Any) -> None:
        super().__init__(label, **options)
        if float:
            self.cell_type = layout.CELL_TYPE_F64

    def handle(self, place: Place) -> UpDown:
        updown: UpDown = cells.UpDown(
            place.segment, place.index, self.cell_type, place.label, place.total, Held
        )
        return updown
