"""Fields: what a program declares. They describe and check; counting is done by `cells`.

A field belongs to a class and knows no process. When a model is made, each of its fields is asked
for a `Metric` (what to publish) and then binds what stands for it in the instance.
"""

from __future__ import annotations

from mmstats import cells, names
from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.publish.schema import Metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    from typing_extensions import Self

    from mmstats.cells.protocol import Counter
    from mmstats.publish.model import Model

AGGREGATES = {name: code for code, name in layout.AGGREGATES.items()}


class Field:
    """What every field takes.

    label: the stat's name, after the model's label_prefix; empty or None: the attribute's name
    help: one sentence for people
    unit: what the number counts or measures, as "seconds" or "bytes"
    aggregate: how readers combine processes, where the kind leaves a choice
    keep: whether the value stays in the totals when its process ends, where the kind leaves a choice
    """

    kind = 0
    cell_type = layout.CELL_TYPE_NONE
    aggregate = layout.AGGREGATE_SUM
    choices: tuple[str, ...] = ()  # what `aggregate=` may say
    may_keep = False

    def __init__(
        self,
        label: str | None = None,
        *,
        help: str = "",
        unit: str = "",
        aggregate: str | None = None,
        keep: bool = False,
    ) -> None:
        self.label = label
        self.help = help
        self.unit = unit
        self.keep = keep
        if aggregate is not None:
            self.aggregate = self._choice(aggregate)
        if keep and not self.may_keep:
            raise UsageError(f"{self!r}: keep=True says nothing here: see docs/python.md, What survives")

    def _choice(self, aggregate: str) -> int:
        if aggregate not in self.choices:
            choices = ", ".join(self.choices) or "none, it is always combined in one way"
            raise UsageError(f"{self!r}: aggregate={aggregate!r}: expected one of {choices}")
        return AGGREGATES[aggregate]

    def metric(self, prefix: str, attribute: str) -> Metric:
        """What to publish under `prefix` and this field's label. UsageError for an unlawful name."""
        return Metric(
            label=names.check_label(prefix + names.check_text("label", self.label or attribute)),
            kind=self.kind,
            cell_type=self.cell_type,
            aggregate=self.aggregate,
            unit=names.check_text(f"unit of {self!r}", self.unit),
            help=names.check_text(f"help of {self!r}", self.help),
            keep=self.keep,
        )

    def in_class(self, _attribute: str) -> object | None:
        """What stands in the class in the field's stead; None: nothing, which is fastest."""
        return None

    def bind(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        """Let `instance.attribute` reach the cells of `metric`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(label={self.label!r})"


class CounterField(Field):
    """A number that only events change: `.incr(amount=1)`. Summed over threads and processes, for ever.

    A u64 that wraps modulo 2**64, as in 0.8; with float=True it counts in floats.
    """

    kind = layout.KIND_COUNTER
    cell_type = layout.CELL_TYPE_U64

    def __init__(self, label: str | None = None, float: bool = False, **options: Any) -> None:
        super().__init__(label, **options)
        if float:
            self.cell_type = layout.CELL_TYPE_F64

    def bind(self, instance: Any, attribute: str, model: Model, metric: Metric) -> None:
        schema = metric.placed
        counter = cells.Counter(
            model.segment(schema), metric.index, metric.cell_type, metric.label, model.total_of(schema)
        )
        instance._mm_bind(attribute, counter)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> Counter: ...
        def __get__(self, instance: object | None, owner: Any) -> Self | Counter: ...
