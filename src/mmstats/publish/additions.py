"""`stats.add(name, field)`: one more field for a model that is at work.

The instance gets a class of its own, once, below the one that it had: what a class has of a field is for one
instance then, and other instances of the model are none the wiser.
"""

from __future__ import annotations

from mmstats.errors import UsageError
from mmstats.publish import process, report
from mmstats.publish.attributes import Attribute
from mmstats.publish.fields import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, overload

    from mmstats.publish.bound import Binds, Bound
    from mmstats.publish.enums import EnumField
    from mmstats.publish.models import BaseMmStats
    from mmstats.publish.numbers import BoolField, DoubleField, IntegerField
    from mmstats.publish.texts import StringField

MARK = "_mm_own_class"  # of the class that one instance has to itself


def add_any(stats: BaseMmStats, name: Any, field: Any) -> Any:
    """The bound handle of the field, which is published from now on, and `stats.name` as well.

    Where that attribute is a plain value, an Attribute. UsageError and DuplicateFieldName as for a declared
    field, and for a name that is there already; nothing has changed then.
    """
    if not isinstance(field, Field):
        raise UsageError(f"add({name!r}): expected a field, as CounterField(): {field!r}")
    if not isinstance(name, str) or not name or name.startswith("_mm_"):
        raise UsageError(f"add({name!r}): a field cannot be called so")
    handle = process.alone(_add, stats, name, field)
    report.say()
    return handle


def has(stats: BaseMmStats, name: str) -> bool:
    """Whether the instance or its class has that name, whatever it stands for."""
    classes = type(stats).__mro__
    fields = type(stats).__mmstats_fields__
    return name in fields or name in stats.__dict__ or any(name in cls.__dict__ for cls in classes)


def _add(stats: BaseMmStats, name: str, field: Field) -> Any:
    model = stats._mm_model
    if has(stats, name):
        raise UsageError(f"add({name!r}): {type(stats).__name__} has something of that name")
    if model.removed:
        raise UsageError(f"add({name!r}): {type(stats).__name__} was removed")
    own = _own_class(stats)
    (metric,) = model.publication.join(model, [field.metric(model.label_prefix, name)])
    model.metrics = [*model.metrics, metric]
    setattr(own, name, field)
    field.attach(stats, name, model, metric)
    return stats.__dict__[name] if name in stats.__dict__ else Attribute(stats, name)


def _own_class(stats: BaseMmStats) -> Any:
    cls: Any = type(stats)
    if MARK in cls.__dict__:
        return cls
    same = {name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__")}
    stats.__class__ = type(cls)(cls.__name__, (cls,), {**same, MARK: True})
    return type(stats)


if TYPE_CHECKING:  # the handle is that of the field

    @overload
    def add(stats: BaseMmStats, name: str, field: EnumField[str] | StringField[str]) -> Attribute[str]: ...
    @overload
    def add(stats: BaseMmStats, name: str, field: IntegerField[int]) -> Attribute[int]: ...
    @overload
    def add(stats: BaseMmStats, name: str, field: DoubleField[float]) -> Attribute[float]: ...
    @overload
    def add(stats: BaseMmStats, name: str, field: BoolField[bool]) -> Attribute[bool]: ...
    @overload
    def add(stats: BaseMmStats, name: str, field: Binds[Bound]) -> Bound: ...
    @overload
    def add(stats: BaseMmStats, name: str, field: Field) -> Any: ...
    def add(stats: BaseMmStats, name: str, field: Any) -> Any:
        """As `add_any` says."""

else:
    add = add_any
