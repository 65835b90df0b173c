"""What handles tell of the whole process: sums, and what was measured, over all threads that ever were."""

from __future__ import annotations

from mmstats.errors import Removed
from mmstats.publish import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmstats.publish.families import Member
    from mmstats.publish.model import Model
    from mmstats.publish.regions import Regions
    from mmstats.publish.schema import Metric, Schema

    Total = Callable[[int, int], int | float]


class Whole:
    """Of one publication. What it gives raises Removed once the model was removed."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions

    def total_of(self, model: Model, schema: Schema) -> Total:
        """Sums one cell of `schema`."""

        def total(index: int, cell_type: int) -> int | float:
            _demand_there(model, lambda: schema.label_at(index))
            return process.alone(self._regions.total, schema, index, cell_type)

        return total

    def total_of_member(self, model: Model, member: Member) -> Total:
        """Sums a member of a family."""

        def total(_index: int, _cell_type: int) -> int | float:
            _demand_there(model, lambda: member.label)
            return process.alone(self._regions.total_of_member, member)

        return total

    def measured(self, model: Model, metric: Metric, member: Member | None = None) -> Callable[[], Any]:
        """Gives parts of what was measured of a metric, or of a member of it."""

        def measure() -> Any:
            _demand_there(model, lambda: (member or metric).label)
            return process.alone(self._regions.measured, metric, None if member is None else member.values)

        return measure


def _demand_there(model: Model, label: Callable[[], str]) -> None:
    if model.removed:
        raise Removed(f"{label()!r} was removed")
