"""One model at work: its metrics, its segments, and the attributes that every model has."""

from __future__ import annotations

from mmstats.cells import Segment
from mmstats.publish import process, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.publish.families import Member
    from mmstats.publish.publication import Publication
    from mmstats.publish.schema import Metric, Schema


class Model:
    """What a model's instance keeps apart from its fields."""

    def __init__(self, publication: Publication, label_prefix: str) -> None:
        self.publication = publication
        self.label_prefix = label_prefix
        self.metrics: Sequence[Metric] = ()
        self.removed = False
        self.when_removed: Callable[[], object] | None = None
        self._last_path: str | None = None
        self._last_size = 0
        self._segments: dict[int, Segment] = {}
        self._members: dict[Member, Segment] = {}
        self._octaves: dict[Member, dict[int, Segment]] = {}

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

    def segment_of(self, member: Member) -> Segment:
        """The way of this model's handle to the cells of a family's member."""
        segment = self._members.get(member)
        if segment is None:
            made = Segment(self.publication.membership.opener(self, member))
            segment = self._members.setdefault(member, made)
        return segment

    def octave_of(self, member: Member, k: int) -> Segment:
        """The way to the cells of the member's k-th octave."""
        segments = self._octaves.setdefault(member, {})
        segment = segments.get(k)
        if segment is None:
            made = Segment(self.publication.membership.octave_opener(self, member, k))
            segment = segments.setdefault(k, made)
        return segment

    def close_member(self, member: Member, *, for_good: bool = False) -> None:
        """Let who counts for the member come for its cells again, or find that it was forgotten."""
        segment = self._members.pop(member, None) if for_good else self._members.get(member)
        octaves = self._octaves.pop(member, {}) if for_good else self._octaves.get(member, {})
        for each in [*([] if segment is None else [segment]), *list(octaves.values())]:
            each.close()

    def total_of_member(self, member: Member) -> Callable[[int, int], int | float]:
        return self.publication.whole.total_of_member(self, member)

    def total_of(self, schema: Schema) -> Callable[[int, int], int | float]:
        return self.publication.whole.total_of(self, schema)

    def stated(self, metric: Metric) -> tuple[int, bytes]:
        """What a static says in this process, or in the calling thread's own file."""
        if self.publication.settings.per_thread:
            return process.alone(lambda: self.publication.region().declared.stated(metric))
        return metric.initial, metric.value

    def close_segments(self) -> None:
        """No thread's memory counts any more."""
        octaves = [segment for each in list(self._octaves.values()) for segment in list(each.values())]
        for segment in [*self._segments.values(), *list(self._members.values()), *octaves]:
            segment.close()

    def flush(self, *, wait: bool) -> None:
        """Bring this process's file to its disk."""
        if not self.removed:
            process.alone(lambda: self.publication.flush(wait=wait))
        report.say()

    def remove(self, *, discard: bool = False) -> None:
        """Withdraw the model. Twice is fine."""
        process.alone(lambda: self._remove(discard=discard))
        report.say()

    def _remove(self, *, discard: bool) -> None:
        if not self.removed:
            self._last_path, self._last_size = self.filename, self.size
            self.removed = True
            self.close_segments()
            self.publication.leave(self, discard=discard)
            if self.when_removed is not None:
                self.when_removed()
