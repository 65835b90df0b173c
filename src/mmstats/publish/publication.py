"""A publication: what the models of a process publish together, through every fork.

It keeps the declarations; the file of this very process is its region, opened at the first need and
anew in each forked child. Everything here runs in the slow path (see `process`).
"""

from __future__ import annotations

from errno import EACCES, EIO
from itertools import count

from mmstats.errors import DuplicateFieldName, RegionError
from mmstats.format import layout
from mmstats.publish import healing, process, report
from mmstats.publish.dropped import after_removal
from mmstats.publish.membership import Membership
from mmstats.publish.recovery import Recovery
from mmstats.publish.regions import Regions
from mmstats.publish.retire import retire_neighbours
from mmstats.publish.schema import Schema, placed_in
from mmstats.publish.whole import Whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mmstats.cells import Segment
    from mmstats.publish.heritage import Heritage
    from mmstats.publish.model import Model
    from mmstats.publish.region import Region
    from mmstats.publish.schema import Metric
    from mmstats.publish.settings import Settings


class Publication:
    """Models that share a file.

    A signal handler may make or remove a model in the middle of any method here, on the same thread.
    So what two could want at once is taken by single steps (`setdefault`, `add`, `append`), in an order
    in which whoever comes in between finds everything whole.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.models: list[Model] = []
        self._metrics: dict[str, Metric] = {}
        self._metric_numbers = count(1)
        self._schema_numbers = count(1)
        self._regions = Regions(settings)
        self.whole = Whole(self._regions)
        self._inherited = False  # whether the metrics still speak for the parent process
        self._heritage: Heritage | None = None
        if settings.persistent:
            from mmstats.publish.heritage import Heritage

            self._heritage = Heritage()
        self._recovery = Recovery(
            settings, self._regions, self._metrics, self.models, self._heritage, self._place
        )
        self.membership = Membership(self, self._regions, self._recovery)

    # --- models come and go --------------------------------------------------------------------

    def join(self, model: Model, wanted: Sequence[Metric]) -> list[Metric]:
        """The metrics under which `wanted` are published: known ones where the label is known.

        The model is among `models` already. Raises DuplicateFieldName, or RegionError with
        strict=True; nothing has changed then.
        """
        self._inherit(wanted)
        new = self._new_among(wanted)
        for metric in new:
            metric.ask()
        self._place(new)
        found = [self._claim(metric, model) for metric in wanted]
        try:
            self._publish(found)
        except Exception:
            self._withdraw(model, found, discard=True)
            raise
        return found

    def _inherit(self, wanted: Sequence[Metric]) -> None:
        """Take note of what earlier runs left, and of what it goes on as."""
        if self._heritage is None:
            self._make_room(wanted)
            return
        orphans = self._heritage.claimed(self.settings)
        self._place(orphans)
        for metric in orphans:
            self._metrics.setdefault(metric.label, metric)
        for metric in wanted:
            known = self._metrics.get(metric.label)
            if known is not None and self._heritage.makes_way(known, metric):
                self._metrics.pop(metric.label, None)
                for region in self._regions:
                    region.withdraw(known, for_good=True, discard=True)

    def _make_room(self, wanted: Sequence[Metric]) -> None:
        """Let a label be declared otherwise that only removed models had; what they counted stays."""
        for metric in wanted:
            known = self._metrics.get(metric.label)
            if known is not None and not known.users and not known.same_as(metric):
                self._metrics.pop(metric.label, None)

    def _new_among(self, wanted: Sequence[Metric]) -> list[Metric]:
        seen: dict[str, Metric] = {}
        for metric in wanted:
            other = self._metrics.get(metric.label) or seen.setdefault(metric.label, metric)
            _demand_alike(metric, other)
        return [metric for label, metric in seen.items() if label not in self._metrics]

    def _place(self, new: Sequence[Metric]) -> None:
        """Give numbers, and cells that stand side by side."""
        for metric in new:
            metric.number = next(self._metric_numbers)
            metric.segments = self._schema_numbers
        for together in placed_in(new):
            Schema(next(self._schema_numbers), together)  # its metrics know it from now on

    def _claim(self, metric: Metric, model: Model) -> Metric:
        """The metric of this label, with the model among its users."""
        while True:
            if not metric.number and metric.label not in self._metrics:  # withdrawn in between
                metric.ask()
                self._place([metric])
            known = self._metrics.setdefault(metric.label, metric)
            _demand_alike(metric, known)
            known.follow(metric)
            known.users.add(model)
            if self._metrics.get(metric.label) is known:
                return known

    def _publish(self, metrics: Sequence[Metric]) -> None:
        is_first = not self._regions.any_yet
        own = self.region(strict=self.settings.strict)
        if is_first and own.path is not None:
            retire_neighbours(own.path)
        for region in self._regions:
            try:
                region.declare(metrics)
                if self._heritage is not None:
                    self._heritage.carry_late(metrics, region)
            except OSError as error:
                what = f"{region.path}: no space to publish {metrics[0].label!r} and others: {error}"
                region.miss(what, layout.DROP_REASON_SPACE)
            healing.look(self._recovery, region)

    def leave(self, model: Model, *, discard: bool) -> None:
        """Withdraw a model; the file goes with the last one, unless it is persistent and not discarded.

        What it counted for all time stays, in the file or in the retired totals, unless discarded.
        """
        try:
            self.models.remove(model)
        except ValueError:
            return  # somebody came in between and did all this
        self._withdraw(model, model.metrics, discard=discard)
        if not self.models:
            self._end(discard=discard)

    def _withdraw(self, model: Model, metrics: Sequence[Metric], *, discard: bool) -> None:
        for metric in metrics:
            metric.users.discard(model)
            metric.families = [family for family in metric.families if not family.is_of(model)]
            if metric.users or (self._heritage is not None and not discard):
                continue  # its totals go on in this file, and in the next run's
            may_come_again = metric.can_go_on and not discard
            if may_come_again or self._let_go_of(metric):
                for region in self._regions:
                    region.withdraw(metric, for_good=not may_come_again, discard=discard)

    def _let_go_of(self, metric: Metric) -> bool:
        """Whether the label is free now: nobody claimed the metric again just before."""
        known = self._metrics.pop(metric.label, None)
        if known is metric and not metric.users:
            return True
        if known is not None:
            self._metrics.setdefault(metric.label, known)
        return False

    def _end(self, *, discard: bool) -> None:
        process.publications.pop(self.settings.key, None)
        if self._heritage is not None:
            self._heritage.forget()
        self._regions.end(keep=self._heritage is not None and not discard, discard=discard)

    # --- the file of this process ----------------------------------------------------------------

    def region(self, *, strict: bool = False) -> Region:
        """The calling thread's file, opened now if it is not. Raises nothing unless `strict`."""
        healing.try_again()
        region = self._regions.here()
        if region is None:
            if self._inherited:
                self._drop_orphans()
                _ask_again(self._metrics.values())
            elif self.settings.per_thread and self._regions.any_yet:
                _ask_again(self._metrics.values())
            predecessors = self._heritage.predecessors if self._heritage is not None else None
            region = self._regions.open(self._declared(), predecessors, strict=strict)
            self._inherited = False  # not before: who comes in between is to ask for itself
            if self._heritage is not None:
                self._heritage.settle(is_carried=region.path is not None)
            healing.look(self._recovery, region)
        return region

    def flush(self, *, wait: bool) -> None:
        """Bring this process's files to their disk. RegionError: they did not come there."""
        healing.look(self._recovery, self.region())
        healing.try_again(at_once=True)
        for region in self._regions:
            if self.settings.persistent and region.path is None and not self.settings.disabled:
                raise RegionError(EACCES, "nothing to flush: the stats are in private memory, see the log")
            try:
                region.flush(wait=wait)
            except OSError as error:
                raise RegionError(error.errno or EIO, f"{region.path}: {error.strerror}") from error

    def abandon(self) -> None:
        """Let go of a file that was inherited; nothing is stored into it, nothing is removed."""
        for model in self.models:
            model.close_segments()
        if self._regions.abandon():
            self._inherited = True

    def _declared(self) -> list[Metric]:
        """What a new file has to declare: not what only removed models had."""
        metrics = list(self._metrics.values())
        return metrics if self._heritage is not None else [metric for metric in metrics if metric.users]

    def _drop_orphans(self) -> None:
        """In a forked child: what the parent carries for nobody is not this process's."""
        if self._heritage is not None:
            self._heritage.forget()
        for label, metric in list(self._metrics.items()):
            if not metric.users:
                self._metrics.pop(label, None)

    def finish(self) -> None:
        """The process ends in order. What is counted after this goes into a file of its own."""
        if self._heritage is not None:
            for region in self._regions:
                region.finish()
            return
        for model in self.models:
            model.close_segments()
        self._regions.finish()

    def show_dropped(self, counts: Sequence[int]) -> None:
        for region in list(self._regions)[:1]:
            region.show_dropped(counts)

    # --- what segments and handles ask for -------------------------------------------------------

    def opener(self, model: Model, schema: Schema) -> Callable[[Segment], Callable[..., None] | None]:
        """Gives the calling thread its cells of `schema`, as `cells.protocol` says."""

        def attach(segment: Segment) -> None:
            region = self.region()
            segment.attach(*region.cells(schema))
            healing.look(self._recovery, region)

        def open_cells(segment: Segment) -> Callable[..., None] | None:
            if model.removed:
                return after_removal
            if process.inside():
                return process.put_off
            if not (healing.is_waiting() and segment.is_attached):
                process.alone(attach, segment)
            return None

        return open_cells


def _demand_alike(metric: Metric, other: Metric) -> None:
    if not other.same_as(metric):
        raise DuplicateFieldName(
            f"label {metric.label!r} is declared as {metric.described}, "
            f"and was as {other.described} before: one label is one metric"
        )


def _ask_again(metrics: Iterable[Metric]) -> None:
    """Let the callables of static fields speak for this process; what they call may make models."""
    for metric in list(metrics):
        try:
            metric.ask()
        except Exception as error:  # noqa: BLE001 - a user's callable, inside somebody's update
            report.note(
                f"{metric.label}: its callable raised in a forked child, the old value stays: {error!r}"
            )
