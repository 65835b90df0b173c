"""Where the cells of one handle are, and what they count for: what a field makes a handle of."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmstats.cells import Segment
    from mmstats.publish.model import Model
    from mmstats.publish.schema import Metric


class Place:
    """The first of the value's cells is cell `index` of what the segment leads to."""

    __slots__ = ("index", "label", "measured", "model", "octave", "segment", "total")

    def __init__(
        self,
        segment: Segment,
        index: int,
        label: str,
        total: Callable[[int, int], int | float],
        model: Model,
        octave: Callable[[int], Segment],
        measured: Callable[[], Any],
    ) -> None:
        self.segment = segment
        self.index = index
        self.label = label
        self.total = total
        self.model = model
        self.octave = octave  # the way to its k-th octave
        self.measured = measured  # parts of what the process measured

    @classmethod
    def of(cls, model: Model, metric: Metric) -> Place:
        """Of a metric without tags."""
        schema = metric.placed
        return cls(
            model.segment(schema),
            metric.index,
            metric.label,
            model.total_of(schema),
            model,
            octave=lambda k: model.segment(schema.octave(k)),
            measured=model.publication.whole.measured(model, metric),
        )
