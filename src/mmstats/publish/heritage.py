"""What a persistent publication has from earlier runs, on its way into its own metrics.

A total goes on under the label that it had. Until a model declares that label it is an *orphan*: a metric
without users. A model that declares it as it was simply takes it; one that declares a ring of another size
takes its total along; one that means something else begins at zero, and the log says so.
"""

from __future__ import annotations

from mmstats.publish import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmstats.publish.bequest import Total
    from mmstats.publish.predecessors import Predecessors
    from mmstats.publish.region import Region
    from mmstats.publish.schema import Metric
    from mmstats.publish.settings import Settings


class Heritage:
    """Empty before the first model joins, and in a forked child: what there is, is its parent's."""

    def __init__(self) -> None:
        self.predecessors: Predecessors | None = None
        self._totals: dict[str, Total] = {}
        self._late: dict[str, Total] = {}
        self._was_claimed = False
        self._is_heir = True  # a forked child is none
        self._is_carried = False

    def claimed(self, settings: Settings) -> list[Metric]:
        """The orphans, the first time that this is asked."""
        if self._was_claimed:
            return []
        self._was_claimed = True
        if settings.disabled:
            return []
        from mmstats.publish import predecessors  # only persistent programs pay for it

        try:
            self.predecessors = predecessors.find(settings)
        except OSError as error:
            report.note(f"cannot take over what earlier runs counted: {error}")
        if self.predecessors is None:
            return []
        self._totals = self.predecessors.totals
        return [total.metric() for total in self._totals.values()]

    def claimed_again(self, settings: Settings, metrics: Mapping[str, Metric]) -> list[Metric]:
        """The orphans, where the file could not be made at first. OSError: ask later."""
        if self._is_carried or not self._is_heir:
            return []
        from mmstats.publish import predecessors

        self.predecessors = predecessors.find(settings)
        self._totals = self.predecessors.totals if self.predecessors is not None else {}
        for label, total in list(self._totals.items()):
            if label in metrics and not total.suits(metrics[label]):
                self._leave_behind(label, total.metric())
        return [total.metric() for label, total in self._totals.items() if label not in metrics]

    def _leave_behind(self, label: str, known: Metric) -> None:
        self._totals.pop(label, None)
        report.note(f"{label!r} was {known.described} in earlier runs: that total is left behind")

    def makes_way(self, known: Metric, wanted: Metric) -> bool:
        """Whether an orphan gives its label to a declaration that differs from it."""
        if known.users or known.same_as(wanted):
            return False
        total = self._totals.get(known.label)
        if self.predecessors is None and not self._is_carried:
            return True  # the totals are where they were, and will be asked for again
        if total is None or not total.suits(wanted):
            self._leave_behind(known.label, known)
        elif self.predecessors is None:  # the file is there, and carries it for the orphan
            self._late[known.label] = total
        return True

    def settle(self, *, is_carried: bool) -> None:
        """The new file is there, and the old ones go; or it could not be made, and they stay for another."""
        self._is_carried = self._is_carried or is_carried
        if self.predecessors is not None:
            if is_carried:
                self.predecessors.bury()
            self.predecessors.close()
            self.predecessors = None

    def carry_late(self, metrics: Sequence[Metric], region: Region) -> None:
        """Let the region carry the totals of orphans that gave way after it was made. OSError: later."""
        for metric in metrics:
            total = self._late.get(metric.label)
            if total is not None:
                _carry(metric, total, region)
                self._late.pop(metric.label, None)

    def forget(self) -> None:
        """Let go of everything."""
        self._is_heir = False
        if self.predecessors is not None:
            self.predecessors.close()
            self.predecessors = None
        self._totals = {}
        self._late = {}


def _carry(metric: Metric, total: Total, region: Region) -> None:
    words_of, octaves_of = total.words(metric), total.octaves(metric)
    if metric.tags:
        region.members.carry(metric, words_of, octaves_of)
        return
    schema = metric.placed
    words = schema.first_words
    for own in words_of.values():
        words[metric.index : metric.index + metric.cells] = own
    rows = [(schema.octave(k), row) for octaves in octaves_of.values() for k, row in octaves.items()]
    region.carry({schema: words, **dict(rows)})
