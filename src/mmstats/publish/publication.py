"""A publication: what the models of a process publish together, through every fork.

It keeps the declarations; the file of this very process is its region, opened at the first need and
anew in each forked child. Everything here runs in the slow path (see `process`).
"""

from __future__ import annotations

from mmstats.errors import DuplicateFieldName, Removed
from mmstats.format import layout
from mmstats.publish import birth, process, report
from mmstats.publish.dropped import after_removal, dropped
from mmstats.publish.schema import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmstats.cells import Segment
    from mmstats.publish.model import Model
    from mmstats.publish.region import Region
    from mmstats.publish.schema import Metric
    from mmstats.publish.settings import Settings


class Publication:
    """Models that share a file."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.models: list[Model] = []
        self._metrics: dict[str, Metric] = {}
        self._schemas: dict[int, Schema] = {}
        self._numbers = 0
        self._regions: dict[int, Region] = {}  # by generation: at most one, this process's
        self._inherited = False  # whether the metrics still speak for the parent process

    # --- models come and go --------------------------------------------------------------------

    def join(self, model: Model, wanted: Sequence[Metric]) -> list[Metric]:
        """The metrics under which `wanted` are published: known ones where the label is known.

        Raises DuplicateFieldName, or RegionError with strict=True, before anything is changed.
        """
        new = self._new_among(wanted)
        self._number(new)
        known = dict(self._metrics)
        self._metrics.update((metric.label, metric) for metric in new)
        try:
            self._publish(new)
        except Exception:
            self._metrics = known
            raise
        found = [self._metrics[metric.label] for metric in wanted]
        for metric in set(found):
            metric.users += 1
        self.models.append(model)
        return found

    def _new_among(self, wanted: Sequence[Metric]) -> list[Metric]:
        seen: dict[str, Metric] = {}
        for metric in wanted:
            other = self._metrics.get(metric.label) or seen.setdefault(metric.label, metric)
            if not other.same_as(metric):
                raise DuplicateFieldName(
                    f"label {metric.label!r} is declared as {metric.described}, "
                    f"and was as {other.described} before: one label is one metric"
                )
        return [metric for label, metric in seen.items() if label not in self._metrics]

    def _number(self, new: Sequence[Metric]) -> None:
        for metric in new:
            self._numbers += 1
            metric.number = self._numbers
        celled = [metric for metric in new if metric.has_cell]
        if celled:
            schema = Schema(max(self._schemas, default=0) + 1, celled)
            self._schemas[schema.number] = schema

    def _publish(self, new: Sequence[Metric]) -> None:
        region = self._regions.get(process.generation)
        if region is None:
            self.region(strict=self.settings.strict)  # its first blocks are all metrics there are
            return
        try:
            region.declare(new)
        except OSError as error:
            dropped.add(layout.DROP_REASON_SPACE)
            report.note(f"{region.path}: no space to publish {new[0].label!r} and others: {error}")

    def leave(self, model: Model) -> None:
        """Withdraw a model; the file goes with the last one."""
        self.models.remove(model)
        region = self._regions.get(process.generation)
        for metric in set(model.metrics):
            metric.users -= 1
            if not metric.users:
                del self._metrics[metric.label]
                if region is not None and self.models:
                    region.withdraw(metric)
        if not self.models:
            self._end(region)

    def _end(self, region: Region | None) -> None:
        process.publications.pop(self.settings.key, None)
        self._regions.clear()
        if region is not None:
            birth.end(region)

    # --- the file of this process ----------------------------------------------------------------

    def region(self, *, strict: bool = False) -> Region:
        """This process's file, opened now if it is not. Raises nothing unless `strict`."""
        region = self._regions.get(process.generation)
        if region is None:
            metrics = list(self._metrics.values())
            if self._inherited:
                self._inherited = False
                _ask_again(metrics)
            opened = birth.open_region(self.settings, metrics, strict=strict)
            region = self._regions.setdefault(process.generation, opened)
            if region is not opened:  # code that came in between was first
                birth.end(opened)
        return region

    def abandon(self) -> None:
        """Let go of a file that was inherited; nothing is stored into it, nothing is removed."""
        for model in self.models:
            model.close_segments()
        for region in self._regions.values():
            self._inherited = True
            region.close()
        self._regions.clear()

    def finish(self) -> None:
        """The process ends in order."""
        region = self._regions.get(process.generation)
        if region is not None:
            region.finish()

    def show_dropped(self, counts: Sequence[int]) -> None:
        region = self._regions.get(process.generation)
        if region is not None:
            region.show_dropped(counts)

    # --- what segments and handles ask for -------------------------------------------------------

    def opener(self, model: Model, schema: Schema) -> Callable[[Segment], Callable[..., None] | None]:
        """Gives the calling thread its cells of `schema`, as `cells.protocol` says."""

        def attach(segment: Segment) -> None:
            memory, base = self.region().cells(schema, self._schemas)
            segment.attach(memory, base)

        def open_cells(segment: Segment) -> Callable[..., None] | None:
            if model.removed:
                return after_removal
            if process.inside():
                return process.put_off
            process.alone(attach, segment)
            return None

        return open_cells

    def total_of(self, model: Model, schema: Schema) -> Callable[[int, int], int | float]:
        """Sums one cell of `schema` over the whole process."""

        def total(index: int, cell_type: int) -> int | float:
            if model.removed:
                raise Removed(f"{schema.metrics[index].label!r} was removed")
            return process.alone(lambda: self.region().total(schema, index, cell_type))

        return total


def _ask_again(metrics: Sequence[Metric]) -> None:
    """Let the callables of static fields speak for this process."""
    for metric in metrics:
        try:
            metric.ask()
        except Exception as error:  # noqa: BLE001 - a user's callable, inside somebody's update
            report.note(f"{metric.label}: its callable raised in a forked child, the old value stays: {error!r}")
