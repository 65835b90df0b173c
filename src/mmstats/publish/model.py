"""One model at work: its metrics, its segments, and the attributes that every model has."""

from __future__ import annotations

from mmstats.cells import Segment
from mmstats.publish import process, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.publish.publication import Publication
    from mmstats.publish.schema import Metric, Schema


class Model:
    """What a model's instance keeps apart from its fields."""

    def __init__(self, publication: Publication, label_prefix: str) -> None:
        self.publication = publication
        self.label_prefix = label_prefix
        self.metrics: Sequence[Metric] = ()
        self.removed = False
        self._last_path: str | None = None
        self._last_size = 0
        self._segments: dict[int, Segment] = {}

    @property
    def filename(self) -> str | None:
        """The full path of this process's file; None while it publishes into private memory."""
        if not self.removed:
            self._last_path = process.alone(lambda: self.publication.region().path)
        return self._last_path

    @property
    def size(self) -> int:
        """Bytes of the file."""
        if not self.removed:
            self._last_size = process.alone(lambda: self.publication.region().size)
        return self._last_size

    def segment(self, schema: Schema) -> Segment:
        """The way of this model's handles to the cells of `schema`."""
        if schema.number not in self._segments:
            self._segments[schema.number] = Segment(self.publication.opener(self, schema))
        return self._segments[schema.number]

    def total_of(self, schema: Schema) -> Callable[[int, int], int | float]:
        return self.publication.total_of(self, schema)

    def close_segments(self) -> None:
        """No thread's memory counts any more."""
        for segment in self._segments.values():
            segment.close()

    def remove(self) -> None:
        """Withdraw the model. Twice is fine."""
        process.alone(self._remove)
        report.say()

    def _remove(self) -> None:
        if not self.removed:
            self._last_path, self._last_size = self.filename, self.size
            self.removed = True
            self.close_segments()
            self.publication.leave(self)
