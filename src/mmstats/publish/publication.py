"""A publication: what the models of a process publish together, through every fork.

It keeps the declarations; the file of this very process is its region, opened at the first need and
anew in each forked child. Everything here runs in the slow path (see `process`).
"""

from __future__ import annotations

from itertools import count

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
    """Models that share a file.

    A signal handler may make or remove a model in the middle of any method here, on the same thread.
    So what two could want at once is taken by single steps (`setdefault`, `add`, `append`), in an order
    in which whoever comes in between finds everything whole.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.models: list[Model] = []
        self._metrics: dict[str, Metric] = {}
        self._schemas: dict[int, Schema] = {}
        self._metric_numbers = count(1)
        self._schema_numbers = count(1)
        self._regions: dict[int, Region] = {}  # by generation: at most one, this process's
        self._inherited = False  # whether the metrics still speak for the parent process

    # --- models come and go --------------------------------------------------------------------

    def join(self, model: Model, wanted: Sequence[Metric]) -> list[Metric]:
        """The metrics under which `wanted` are published: known ones where the label is known.

        The model is among `models` already. Raises DuplicateFieldName, or RegionError with
        strict=True; nothing has changed then.
        """
        new = self._new_among(wanted)
        self._place(new)
        found = [self._claim(metric, model) for metric in wanted]
        try:
            self._publish(found)
        except Exception:
            self._withdraw(model, found)
            raise
        return found

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
        celled = [metric for metric in new if metric.has_cell]
        if celled:
            schema = Schema(next(self._schema_numbers), celled)
            self._schemas[schema.number] = schema

    def _claim(self, metric: Metric, model: Model) -> Metric:
        """The metric of this label, with the model among its users."""
        while True:
            if not metric.number:
                self._place([metric])
            known = self._metrics.setdefault(metric.label, metric)
            _demand_alike(metric, known)
            known.users.add(model)
            if self._metrics.get(metric.label) is known:
                return known

    def _publish(self, metrics: Sequence[Metric]) -> None:
        region = self.region(strict=self.settings.strict)
        try:
            region.declare(metrics)
        except OSError as error:
            dropped.add(layout.DROP_REASON_SPACE)
            report.note(f"{region.path}: no space to publish {metrics[0].label!r} and others: {error}")

    def leave(self, model: Model) -> None:
        """Withdraw a model; the file goes with the last one."""
        try:
            self.models.remove(model)
        except ValueError:
            return  # somebody came in between and did all this
        self._withdraw(model, model.metrics)
        if not self.models:
            self._end()

    def _withdraw(self, model: Model, metrics: Sequence[Metric]) -> None:
        region = self._regions.get(process.generation)
        for metric in metrics:
            metric.users.discard(model)
            if not metric.users and self._let_go_of(metric) and region is not None and self.models:
                region.withdraw(metric)

    def _let_go_of(self, metric: Metric) -> bool:
        """Whether the label is free now: nobody claimed the metric again just before."""
        known = self._metrics.pop(metric.label, None)
        if known is metric and not metric.users:
            return True
        if known is not None:
            self._metrics.setdefault(metric.label, known)
        return False

    def _end(self) -> None:
        process.publications.pop(self.settings.key, None)
        region = self._regions.pop(process.generation, None)
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
            if region is not opened:
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


def _demand_alike(metric: Metric, other: Metric) -> None:
    if not other.same_as(metric):
        raise DuplicateFieldName(
            f"label {metric.label!r} is declared as {metric.described}, "
            f"and was as {other.described} before: one label is one metric"
        )


def _ask_again(metrics: Sequence[Metric]) -> None:
    """Let the callables of static fields speak for this process."""
    for metric in metrics:
        try:
            metric.ask()
        except Exception as error:  # noqa: BLE001 - a user's callable, inside somebody's update
            report.note(
                f"{metric.label}: its callable raised in a forked child, the old value stays: {error!r}"
            )
