"""How a publication recovers from a fault of the machine; `healing` says when it is tried.

A region that nobody sees moves as a whole into a new file, all threads' counts with it. One that is
there, but had no space for something, publishes that. Before any memory changes, the segments of all models
are closed, so that every thread asks for its cells before its next update.
"""

from __future__ import annotations

from mmstats.format.layout import DROP_REASON_PRIVATE
from mmstats.publish import birth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.publish.heritage import Heritage
    from mmstats.publish.model import Model
    from mmstats.publish.predecessors import Predecessors
    from mmstats.publish.region import Region
    from mmstats.publish.regions import Regions
    from mmstats.publish.schema import Metric
    from mmstats.publish.settings import Settings


class Recovery:
    """Of one publication, which hands it what it consists of. `place` gives new metrics their cells."""

    def __init__(
        self,
        settings: Settings,
        regions: Regions,
        metrics: dict[str, Metric],
        models: list[Model],
        heritage: Heritage | None,
        place: Callable[[Sequence[Metric]], None],
    ) -> None:
        self._settings = settings
        self._regions = regions
        self._metrics = metrics
        self._models = models
        self._heritage = heritage
        self._place = place

    @property
    def is_ill(self) -> bool:
        """Whether something that is to be published is not."""
        return any(self.is_one_ill(region) for _, region in self._regions.each())

    def is_one_ill(self, region: Region) -> bool:
        """Whether something of this region is not published."""
        return region.is_ill and not self._settings.disabled

    def heal(self) -> None:
        """Try to publish all of it."""
        for settings, region in self._regions.each():
            lost = region.path
            try:
                self._heal(settings, region)
            except OSError as error:
                if not region.faults:
                    what = f"{lost} was deleted, the stats go unseen until there can be another: {error}"
                    region.miss(what, DROP_REASON_PRIVATE)
            else:
                region.recovered(lost)
        self._regions.close_ended()

    def catch_up(self) -> None:
        """Bring over what threads stored where their cells were before."""
        for _, region in self._regions.each():
            region.lanes.catch_up()

    def _heal(self, settings: Settings, region: Region) -> None:
        if not region.is_seen:
            try:
                birth.move(region, settings, self._metrics, lambda: self._prepare_move(region))
            finally:
                if self._heritage is not None:
                    self._heritage.settle(is_carried=region.is_seen)
        known = list(self._metrics.values())  # in one step: a handler may add to it
        metrics = [metric for metric in known if metric.users or self._heritage is not None]
        if not region.is_whole(metrics):
            self._close_segments()
            region.place(metrics)
        for metric in metrics:
            if self._metrics.get(metric.label) is not metric:  # a signal handler removed it just now
                region.withdraw(metric, for_good=True, discard=True)  # it has had its end
        if self._heritage is not None:
            self._heritage.carry_late(metrics, region)

    def _prepare_move(self, region: Region) -> Predecessors | None:
        """There may be a file now: nobody stores into the old memory from here on."""
        predecessors = None
        if self._heritage is not None:
            orphans = self._heritage.claimed_again(self._settings, self._metrics)
            self._place(orphans)
            self._metrics.update({metric.label: metric for metric in orphans})
            region.declare(orphans)
            predecessors = self._heritage.predecessors
        self._close_segments()
        return predecessors

    def _close_segments(self) -> None:
        for model in list(self._models):
            model.close_segments()
