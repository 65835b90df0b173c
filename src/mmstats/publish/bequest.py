"""What earlier runs of a persistent program have of one metric, or of each member of a family."""

from __future__ import annotations

from mmstats import kinds
from mmstats.format import layout
from mmstats.format.compound import DISTRIBUTED
from mmstats.format.members import MANY
from mmstats.format.spread import Range
from mmstats.format.words import words_of
from mmstats.publish.schema import Metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from mmstats.format.metric import Metric as Declared
    from mmstats.stat import About

    Values = tuple[str, ...]

KIND_CODES = {name: code for code, name in layout.KINDS.items()}
AGGREGATE_CODES = {name: code for code, name in layout.AGGREGATES.items()}


class Total:
    """What all predecessors together have of one metric: parts by the values of its tags, if it has any."""

    __slots__ = ("about", "cell_type", "cells", "names", "parts", "spread", "ttl")

    def __init__(self, about: About, metric: Declared) -> None:
        self.about = about
        self.cell_type = metric.cell_type
        self.cells = metric.cells
        self.spread = Range.unpack(metric.extra) if about.kind in DISTRIBUTED else None
        self.names = tuple(metric.tags)
        self.parts: dict[Values, Any] = {}
        self.ttl = 0.0

    def take(self, said: About, parts: Any) -> None:
        """What one file has of it, or of one member."""
        tags = dict(said.tags)
        self.parts[() if said.tags == MANY else tuple([tags[name] for name in self.names])] = parts
        self.ttl = max(self.ttl, said.ttl)

    def add(self, other: Total) -> bool:
        """Take another's in; False where it means something else."""
        mine, its = self.about, other.about
        if (mine.kind, mine.unit, self.cell_type, self.names) != (
            *(its.kind, its.unit, other.cell_type, other.names),
        ):
            return False
        rule = kinds.rule(mine.kind, mine.aggregate)
        for values, parts in other.parts.items():
            self.parts[values] = kinds.merge(rule, [self.parts.get(values), parts])
        self.ttl = max(self.ttl, other.ttl)
        if self.spread is not None and other.spread is not None and self.spread != other.spread:
            before, self.spread = self.spread, self.spread.with_(other.spread)
            self.cells += self.spread.cells - before.cells
        return True

    def metric(self) -> Metric:
        """The declaration under which it goes on, until the program declares it itself."""
        about = self.about
        metric = Metric(
            label=about.label,
            kind=KIND_CODES[about.kind],
            cell_type=self.cell_type,
            aggregate=AGGREGATE_CODES[about.aggregate],
            unit=about.unit,
            help=about.help,
            keep=about.keep,
            cells=self.cells,
        )
        metric.tags, metric.ttl, metric.max_series = self.names, int(self.ttl * 1e9), len(self.parts)
        metric.spread = self.spread
        return metric

    def words(self, metric: Metric) -> dict[Values, list[int]]:
        """The metric's cells that say it, where anything was written."""
        return {
            values: words_of(self.about.kind, self.cell_type, metric.cells, parts)
            for values, parts in self._parts_for(metric)
        }

    def octaves(self, metric: Metric) -> dict[Values, dict[int, list[int]]]:
        """And those of octaves."""
        if metric.spread is None:
            return {}
        return {values: parts[-1].octaves() for values, parts in self._parts_for(metric)}

    def _parts_for(self, metric: Metric) -> Iterator[tuple[Values, Any]]:
        for values, parts in self.parts.items():
            if parts is not None and metric.spread is not None:
                yield values, (*parts[:-1], parts[-1].in_range(metric.spread))
            elif parts is not None:
                yield values, parts

    def suits(self, metric: Metric) -> bool:
        """Whether a declaration means the same; a ring may have another size, and buckets may be wider."""
        about = self.about
        return (KIND_CODES[about.kind], about.unit, self.cell_type, self.names) == (
            *(metric.kind, metric.unit, metric.cell_type, metric.tags),
        ) and (self.spread is None or _fits(self.spread, metric.measured))


def _fits(own: Range, wanted: Range) -> bool:
    """Whether what was counted in one range can be told in another."""
    return (
        (own.bounds == wanted.bounds or not wanted.bounds)
        and own.scale >= wanted.scale
        and wanted.low <= own.low
        and own.high <= wanted.high
    )
