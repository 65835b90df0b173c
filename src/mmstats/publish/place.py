"""Where the cells of one handle are, and what they count for: what a field makes a handle of."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mmstats.cells import Segment
    from mmstats.publish.model import Model
    from mmstats.publish.schema import Metric


class Place:
    """The first of the value's cells is cell `index` of what the segment leads to."""

    __slots__ = ("index", "label", "model", "segment", "total")

    def __init__(
        self,
        segment: Segment,
        index: int,
        label: str,
        total: Callable[[int, int], int | float],
        model: Model,
    ) -> None:
        self.segment = segment
        self.index = index
        self.label = label
        self.total = total
        self.model = model

    @classmethod
    def of(cls, model: Model, metric: Metric) -> Place:
        """Of a metric without tags."""
        schema = metric.placed
        return cls(model.segment(schema), metric.index, metric.label, model.total_of(schema), model)
