"""The members of families in one publication: what their segments ask for, who is shown, who forgotten."""

from __future__ import annotations

from mmstats.publish import healing, process
from mmstats.publish.dropped import after_forgetting, after_removal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mmstats.cells import Segment
    from mmstats.publish.families import Member
    from mmstats.publish.model import Model
    from mmstats.publish.publication import Publication
    from mmstats.publish.recovery import Recovery
    from mmstats.publish.regions import Regions
    from mmstats.publish.schema import Metric

    Later = Callable[..., None]


class Membership:
    """Runs in the slow path, all but what an opener looks at first."""

    def __init__(self, publication: Publication, regions: Regions, recovery: Recovery) -> None:
        self._publication = publication
        self._regions = regions
        self._recovery = recovery

    def opener(self, model: Model, member: Member) -> Callable[[Segment], Later | None]:
        """Gives the calling thread its cells of a member, as `cells.protocol` says."""

        def attach(segment: Segment) -> Later | None:
            if member.forgotten:
                return after_forgetting
            region = self._publication.region()
            segment.attach(*region.members.cells(member.metric, member.values))
            member.is_used = True
            healing.look(self._recovery, region)
            return None

        return self._opener(model, member, attach)

    def _opener(
        self, model: Model, member: Member, attach: Callable[[Segment], Later | None]
    ) -> Callable[[Segment], Later | None]:
        def open_cells(segment: Segment) -> Later | None:
            if model.removed:
                return after_removal
            if process.inside() and not member.forgotten:
                return process.put_off
            if healing.is_waiting() and segment.is_attached:
                return None
            return process.alone(attach, segment)

        return open_cells

    def octave_opener(self, model: Model, member: Member, k: int) -> Callable[[Segment], Later | None]:
        """Likewise, of an octave of the member."""

        def attach(segment: Segment) -> Later | None:
            if member.forgotten:
                return after_forgetting
            region = self._publication.region()
            segment.attach(region.members.octave(member.metric, member.values, k))
            healing.look(self._recovery, region)
            return None

        return self._opener(model, member, attach)

    def show(self, member: Member) -> None:
        """Let readers see the member, before anybody counts for it."""
        region = self._publication.region()
        region.members.show(member.metric, member.values)
        healing.look(self._recovery, region)

    def close(self, member: Member) -> None:
        """Let every thread come for the member's cells again before its next update."""
        for model in list(self._publication.models):
            model.close_member(member)

    def forget(self, metric: Metric, values: tuple[str, ...]) -> None:
        """Publish a member no more; its slots are for others."""
        member = metric.members.pop(values, None)
        if member is not None:
            member.forgotten = True
            for model in list(self._publication.models):
                model.close_member(member, for_good=True)
        for family in list(metric.families):
            family.drop(values)
        self._regions.forget_member(metric, values)
