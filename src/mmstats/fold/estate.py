"""What the end of a process leaves of each metric in its file (spec/FORMAT.md section 6)."""

from __future__ import annotations

from mmstats import kinds
from mmstats.format import layout
from mmstats.format.cells import Cells
from mmstats.format.compound import Copies
from mmstats.format.ends import goes_with_process
from mmstats.plan import NoPlan, plan
from mmstats.stat import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from mmstats.format.metric import Metric
    from mmstats.format.runs import Decoded
    from mmstats.stat import About


class Left:
    """What is left of one metric: parts as `kinds` has them, None where nobody ever wrote it."""

    __slots__ = ("about", "cell_type", "cells", "parts")

    def __init__(self, about: About, cell_type: int, cells: int, parts: Any) -> None:
        self.about = about
        self.cell_type = cell_type
        self.cells = cells
        self.parts = parts


def left_in(
    data: bytes, decoded: Decoded, unknown: Callable[[str], None], *, removed_only: bool = False
) -> Iterator[Left]:
    """What is left of each metric that leaves anything, those of removed models too, or only those.

    `unknown` hears of a metric that is not known here. FormatError where one is damaged.
    """
    cells, stamp = Cells(Copies.of_one(data), decoded), decoded.header.created / 1e9
    for run, block in decoded.runs:
        for metric in () if removed_only else run.metrics:
            yield from _left(metric, cells, block, stamp, unknown)
        for metric in run.apart:
            if metric.state == layout.METRIC_STATE_ENDED:
                yield from _left(metric, cells, block, stamp, unknown)


def _left(
    metric: Metric, cells: Cells, block: int, stamp: float, unknown: Callable[[str], None]
) -> Iterator[Left]:
    how = plan(metric)
    if isinstance(how, NoPlan):
        unknown(how.reason)
        return
    about = how.about
    if not goes_with_process(about.kind, about.aggregate, about.keep):
        rows = Rows("")
        how.add(rows, cells, block, stamp)
        for said, parts in zip(rows.abouts, rows.parts):  # one, or each member of a family
            yield Left(said, metric.cell_type, metric.cells, kinds.remaining(about.kind, parts))
