"""The METRIC blocks of a region: which metrics have one, where it stands, and in what state it is."""

from __future__ import annotations

from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmstats.publish.lanes import Lanes
    from mmstats.publish.schema import Metric
    from mmstats.publish.storage import Storage


class Declared:
    """What is declared in one file. A signal handler may declare, too, in the middle of any method here."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._places: dict[Metric, list[int]] = {}  # the offset of each one's block
        self._ended: set[Metric] = set()  # of removed models, whose cells wait for the next
        self._stated: dict[Metric, tuple[int, bytes]] = {}

    def add(self, metric: Metric, lanes: Lanes) -> None:
        """Publish the metric's block, or let it live again. OSError: no space."""
        place: list[int] = []
        if self._places.setdefault(metric, place) is place:  # else somebody is at it already
            self._stated[metric] = metric.initial, metric.value
            self._put(metric, place)
        elif metric in self._ended:
            self._take_up(metric, lanes)

    def lacks(self, metrics: Iterable[Metric]) -> list[Metric]:
        """Those of the metrics that have no block."""
        return [metric for metric in metrics if metric not in self._places]

    def stated(self, metric: Metric) -> tuple[int, bytes]:
        """The raw bits and the text with which the metric is declared here."""
        return self._stated.get(metric, (metric.initial, metric.value))

    def withdraw(self, metric: Metric, *, for_good: bool, discard: bool) -> None:
        """Let readers leave the metric out from now on, or take it as what a process left.

        `for_good`: it is never declared again; else its block and its cells wait for that.
        """
        ended = metric.leaves and not discard
        self._set_state(metric, layout.METRIC_STATE_ENDED if ended else layout.METRIC_STATE_WITHDRAWN)
        if for_good:
            self._places.pop(metric, None)
        else:
            self._ended.add(metric)

    def _put(self, metric: Metric, place: list[int]) -> None:
        try:
            place.append(self._storage.put(metric.block()))
        except OSError:
            self._places.pop(metric, None)
            raise

    def _take_up(self, metric: Metric, lanes: Lanes) -> None:
        """Let a metric live again: what it counted stays, and threads' own values begin at zero."""
        self._ended.discard(metric)
        lanes.begin_anew(metric)
        self._set_state(metric, layout.METRIC_STATE_LIVE)

    def _set_state(self, metric: Metric, state: int) -> None:
        for offset in self._places.get(metric, ()):
            at = offset + layout.METRIC_CELLS  # cells and state are one 8-byte word
            cells = self._storage.word(at) & 0xFFFFFFFF
            self._storage.set_word(at, cells | state << 32)
