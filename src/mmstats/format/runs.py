"""METRIC blocks that follow each other, as one thing that is met in many files.

Processes of one program write the same METRIC blocks, byte for byte. A `Schema` remembers what was met, so
that each block is taken apart only once.
"""

from __future__ import annotations

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.compound import KINDS
from mmstats.format.metric import decode_metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.metric import Metric

    Name = tuple[str, ...]

MAX_SCHEMA = 16 << 20  # bytes of runs that are remembered


class Run:
    """METRIC blocks that follow each other, and what they say, but for the withdrawn.

    `metrics`: those that live. `apart`: those of removed models, and superseded ones, which only some ask
    for. `damage`: what is wrong in them, with offsets from the run's beginning. A static is a run of its
    own, whose `raw` leaves the number out: it is another one in each process. `made`: room for what
    a reader makes of it, once. `compound`: whether a value of several cells is among them. `names`: labels
    with their tags, of which a file has each once.
    """

    __slots__ = ("apart", "compound", "damage", "made", "metrics", "names", "raw")

    def __init__(self, raw: bytes, blocks: list[bytes]) -> None:
        self.raw = raw
        self.metrics: list[Metric] = []
        self.apart: list[Metric] = []
        self.damage: list[FormatError] = []
        self.names: set[Name] = set()
        self.made: Any = None
        at = 0
        for block in blocks:
            self._add(block, at)
            at += len(block)
        self.compound = any(metric.kind in KINDS for metric in self.metrics + self.apart)

    def _add(self, block: bytes, at: int) -> None:
        try:
            metric = decode_metric(block, at)
        except FormatError as error:
            self.damage.append(error)
        else:
            if metric.state == layout.METRIC_STATE_LIVE:
                self._add_once(metric, at)
            elif metric.state != layout.METRIC_STATE_WITHDRAWN:
                self.apart.append(metric)

    def _add_once(self, metric: Metric, at: int) -> None:
        name = (metric.label, *metric.tags)
        if name in self.names:
            self.damage.append(FormatError(at, f"a second metric {metric.label!r}", "a label of its own"))
        else:
            self.names.add(name)
            self.metrics.append(metric)

    def without(self, names: set[Name]) -> Run:
        """This run as it counts in a file that has metrics with these names already."""
        rest = Run(b"", [])
        rest.names = self.names - names
        rest.metrics = [metric for metric in self.metrics if (metric.label, *metric.tags) not in names]
        rest.apart = self.apart
        rest.compound = self.compound
        return rest


class Schema:
    """What was met before. `runs`: the first bytes of a run → the run; `statics`: a whole block → it."""

    __slots__ = ("_room", "runs", "statics")

    def __init__(self) -> None:
        self.runs: dict[bytes, Run] = {}
        self.statics: dict[bytes, Run] = {}
        self._room = MAX_SCHEMA  # bytes

    def keep(self, table: dict[bytes, Run], key: bytes, run: Run) -> None:
        """Remember the run, while there is room."""
        if key in table or self._room >= len(run.raw):
            self._room -= 0 if key in table else len(run.raw)
            table[key] = run
