"""Fields: what a program declares. They describe and check; counting is done by `cells`.

A field belongs to a class and knows no process. When a model is made, each of its fields is asked
for a `Metric` (what to publish) and then binds what stands for it in the instance.
"""

from __future__ import annotations

from mmstats import cells, names
from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.publish.bound import Binds, OfCounter
from mmstats.publish.place import Place
from mmstats.publish.schema import Metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload

    from mmstats.cells.protocol import Counter
    from mmstats.publish.families import Family
    from mmstats.publish.model import Model

MAX_SERIES = 2_000
MOST_SERIES = 60_000  # of one family; a file with more members than a few of those is refused by readers
AGGREGATES = {name: code for code, name in layout.AGGREGATES.items()}


class Field:
    """What every field takes.

    label: the stat's name, after the model's label_prefix; empty or None: the attribute's name
    help: one sentence for people
    unit: what the number counts or measures, as "seconds" or "bytes"
    aggregate: how readers combine processes, where the kind leaves a choice
    keep: whether the value stays in the totals when its process ends, where the kind leaves a choice
    tags: names of tags: the field is a family then, and `.tagged(...)` gives a member for each combination of
        their values
    ttl: seconds after which a member is forgotten that nobody writes
    max_series: members beyond so many are one, tagged overflow="true"
    """

    kind = 0
    cell_type = layout.CELL_TYPE_NONE
    aggregate = layout.AGGREGATE_SUM
    choices: tuple[str, ...] = ()  # what `aggregate=` may say
    may_keep = False
    cells = 1  # how many it takes in each lane

    def __init__(
        self,
        label: str | None = None,
        *,
        help: str = "",
        unit: str = "",
        aggregate: str | None = None,
        keep: bool = False,
        tags: Sequence[str] = (),
        ttl: float | None = None,
        max_series: int = MAX_SERIES,
    ) -> None:
        self.label = label
        self.help = help
        self.unit = unit
        self.keep = keep
        if aggregate is not None:
            self.aggregate = self._choice(aggregate)
        if keep and not self.may_keep:
            raise UsageError(f"{self!r}: keep=True says nothing here: see docs/python.md, What survives")
        self.tags = names.check_tags(f"tags of {self!r}", tags)
        self.ttl = names.check_ttl(f"ttl of {self!r}", ttl)
        self.max_series = names.check_size(f"max_series of {self!r}", max_series, MOST_SERIES)
        if self.tags:
            self._mm_verb: str | None = "tagged"
        elif ttl is not None or max_series != MAX_SERIES:
            raise UsageError(f"{self!r}: ttl and max_series are of families: name its tags")

    def _choice(self, aggregate: str) -> int:
        if aggregate not in self.choices:
            choices = ", ".join(self.choices) or "none, it is always combined in one way"
            raise UsageError(f"{self!r}: aggregate={aggregate!r}: expected one of {choices}")
        return AGGREGATES[aggregate]

    def metric(self, prefix: str, attribute: str) -> Metric:
        """What to publish under `prefix` and this field's label. UsageError for an unlawful name."""
        metric = Metric(
            label=names.check_label(prefix + names.check_text("label", self.label or attribute)),
            kind=self.kind,
            cell_type=self.cell_type,
            aggregate=self.aggregate,
            unit=names.check_text(f"unit of {self!r}", self.unit),
            help=names.check_text(f"help of {self!r}", self.help),
            keep=self.keep,
            cells=self.cells,
        )
        metric.tags, metric.ttl, metric.max_series = self.tags, int(self.ttl * 1e9), self.max_series
        return metric

    def stand_in(self, attribute: str) -> object | None:
        """What stands in the class in the field's stead; None: nothing, which is fastest."""
        return None if self.tags else self.in_class(attribute)

    def attach(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        """Let `instance.attribute` be what the field binds there."""
        if not self.tags:
            self.bind(instance, attribute, model, metric)
            return
        from mmstats.publish.families import Family  # who has none does not load it

        instance._mm_bind(attribute, Family(self, model, metric))
        if metric.ttl:
            from mmstats.publish.ticker import expire

            expire(model, metric)

    def in_class(self, _attribute: str) -> object | None:
        """Like `stand_in`, of a field without tags."""
        return None

    def bind(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        """Let `instance.attribute` reach the cells of `metric`."""
        instance._mm_bind(attribute, self.handle(Place.of(model, metric)))

    def handle(self, place: Place) -> Any:
        """What counts into the cells of a place."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(label={self.label!r})"


class CounterField(Field, Binds[OfCounter]):
    """A number that only events change: `.incr(amount=1)`. Summed over threads and processes, for ever.

    A u64 that wraps modulo 2**64, as in 0.8; with float=True it counts in floats.
    """

    kind = layout.KIND_COUNTER
    cell_type = layout.CELL_TYPE_U64

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: CounterField[Family[Counter]],
            label: str | None = None,
            float: bool = False,
            *,
            tags: Sequence[str],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: CounterField[Counter], label: str | None = None, float: bool = False, **options: Any
        ) -> None: ...

    def __init__(self, label: str | None = None, float: bool = False, **options: Any) -> None:
        super().__init__(label, **options)
        if float:
            self.cell_type = layout.CELL_TYPE_F64

    def handle(self, place: Place) -> Counter:
        counter: Counter = cells.Counter(place.segment, place.index, self.cell_type, place.label, place.total)
        return counter
