"""Metrics without a class: `mmstats.counter("jobs.done").incr()`. Made at their first use.

The first call for a label makes the metric, in a model that nobody sees, in the process's default file. Every
other one is a look-up in a dict, in any thread and in every forked child.
"""

from __future__ import annotations

from mmstats.errors import UsageError
from mmstats.publish import process
from mmstats.publish.additions import add, has
from mmstats.publish.compound import TimerField
from mmstats.publish.fields import CounterField
from mmstats.publish.gauges import GaugeField
from mmstats.publish.histograms import HistogramField
from mmstats.publish.models import BaseMmStats, info
from mmstats.publish.texts import StringField
from mmstats.publish.updowns import UpDownField

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload

    from mmstats.cells.protocol import Counter, Gauge, UpDown
    from mmstats.publish.attributes import Attribute
    from mmstats.publish.families import Family
    from mmstats.publish.fields import Field
    from mmstats.publish.histograms import Histogram
    from mmstats.publish.timers import Timer


class OnTheFly(BaseMmStats):
    """The model of all of them."""


# The handles by label: Counter and so on, or a Family of them.
counters: dict[str, Any] = {}
updowns: dict[str, Any] = {}
gauges: dict[str, Any] = {}
timers: dict[str, Any] = {}
histograms: dict[str, Any] = {}
texts: dict[str, Any] = {}
ALL: tuple[dict[str, Any], ...] = (counters, updowns, gauges, timers, histograms, texts)


class Made:
    """What was made: the model, and its handles."""

    def __init__(self) -> None:
        self.model: OnTheFly | None = None

    def forget(self) -> None:
        """Begin afresh; the handles that were given stay what they are."""
        self.model = None
        for handles in ALL:
            handles.clear()

    def set_aside(self) -> tuple[OnTheFly | None, list[dict[str, Any]]]:
        """What there is, for `put_back`; begins afresh."""
        kept = self.model, [dict(handles) for handles in ALL]
        self.forget()
        return kept

    def put_back(self, kept: tuple[OnTheFly | None, list[dict[str, Any]]]) -> None:
        """Be again what was set aside."""
        self.model = kept[0]
        for handles, of_before in zip(ALL, kept[1]):
            handles.clear()
            handles.update(of_before)

    def get(self, handles: dict[str, Any], label: object, field: Field) -> Any:
        """The handle, made if there is none. DuplicateFieldName: the label is something else."""
        if not isinstance(label, str) or not label:
            raise UsageError(f"label must be a text of at least one character: {label!r}")
        return process.alone(self._get, handles, label, field)

    def _get(self, handles: dict[str, Any], label: str, field: Field) -> Any:
        stats = self._stats()
        if label not in handles:
            is_taken = label.startswith("_mm_") or has(stats, label)
            handle = add(stats, f"label {label}" if is_taken else label, field)
            return handles.setdefault(label, handle)  # a signal handler may have been here first
        model = info(stats)
        model.publication.join(model, [field.metric("", label)])  # complains if it is not the same
        return handles[label]

    def _stats(self) -> OnTheFly:
        if self.model is None:
            self.model = OnTheFly()
            info(self.model).when_removed = self.forget
        return self.model


made = Made()


if TYPE_CHECKING:

    @overload
    def counter(label: str, *, tags: Sequence[str], **options: Any) -> Family[Counter]: ...
    @overload
    def counter(label: str, **options: Any) -> Counter: ...


def counter(label: str, **options: Any) -> Any:
    """What `CounterField(label, **options)` binds, the same for one label ever after."""
    found = counters.get(label)
    if found is None or options:
        found = made.get(counters, label, CounterField(label=label, **options))
    return found


if TYPE_CHECKING:

    @overload
    def updown(label: str, *, tags: Sequence[str], **options: Any) -> Family[UpDown]: ...
    @overload
    def updown(label: str, **options: Any) -> UpDown: ...


def updown(label: str, **options: Any) -> Any:
    """What `UpDownField(label, **options)` binds, the same for one label ever after."""
    found = updowns.get(label)
    if found is None or options:
        found = made.get(updowns, label, UpDownField(label=label, **options))
    return found


if TYPE_CHECKING:

    @overload
    def gauge(label: str, *, tags: Sequence[str], **options: Any) -> Family[Gauge]: ...
    @overload
    def gauge(label: str, **options: Any) -> Gauge: ...


def gauge(label: str, **options: Any) -> Any:
    """What `GaugeField(label, **options)` binds, the same for one label ever after."""
    found = gauges.get(label)
    if found is None or options:
        found = made.get(gauges, label, GaugeField(label=label, **options))
    return found


if TYPE_CHECKING:

    @overload
    def timer(label: str, *, tags: Sequence[str], **options: Any) -> Family[Timer]: ...
    @overload
    def timer(label: str, **options: Any) -> Timer: ...


def timer(label: str, **options: Any) -> Any:
    """What `TimerField(label=label, **options)` binds, the same for one label ever after."""
    found = timers.get(label)
    if found is None or options:
        found = made.get(timers, label, TimerField(label=label, **options))
    return found


if TYPE_CHECKING:

    @overload
    def histogram(label: str, *, tags: Sequence[str], **options: Any) -> Family[Histogram]: ...
    @overload
    def histogram(label: str, **options: Any) -> Histogram: ...


def histogram(label: str, **options: Any) -> Any:
    """What `HistogramField(label, **options)` binds, the same for one label ever after."""
    found = histograms.get(label)
    if found is None or options:
        found = made.get(histograms, label, HistogramField(label=label, **options))
    return found


if TYPE_CHECKING:

    @overload
    def text(label: str, *, tags: Sequence[str], **options: Any) -> Family[Attribute[str]]: ...
    @overload
    def text(label: str, **options: Any) -> Attribute[str]: ...


def text(label: str, **options: Any) -> Any:
    """A text of `StringField(label=label, **options)`: `.value`, `.set(value)`; the same ever after."""
    found = texts.get(label)
    if found is None or options:
        found = made.get(texts, label, StringField(label=label, **options))
    return found
