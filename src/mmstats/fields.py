"""0.8's module of the fields; `import mmstats` has them all."""

from __future__ import annotations

from mmstats.errors import DuplicateFieldName
from mmstats.publish.compound import AverageField, MovingAverageField, TimerField
from mmstats.publish.enums import EnumField
from mmstats.publish.fields import CounterField, Field
from mmstats.publish.gauges import GaugeField
from mmstats.publish.histograms import HistogramField
from mmstats.publish.infos import InfoField
from mmstats.publish.numbers import (
    BoolField,
    ByteField,
    DoubleField,
    FloatField,
    Int64Field,
    IntField,
    ShortField,
    UInt64Field,
    UIntField,
    UShortField,
)
from mmstats.publish.statics import (
    StaticDoubleField,
    StaticFloatField,
    StaticInt64Field,
    StaticTextField,
    StaticUInt64Field,
    StaticUIntField,
)
from mmstats.publish.texts import StringField
from mmstats.publish.updowns import UpDownField

__all__ = [
    "AverageField",
    "BoolField",
    "ByteField",
    "CounterField",
    "DoubleField",
    "DuplicateFieldName",
    "EnumField",
    "Field",
    "FloatField",
    "GaugeField",
    "HistogramField",
    "InfoField",
    "Int64Field",
    "IntField",
    "MovingAverageField",
    "ShortField",
    "StaticDoubleField",
    "StaticFloatField",
    "StaticInt64Field",
    "StaticTextField",
    "StaticUInt64Field",
    "StaticUIntField",
    "StringField",
    "TimerField",
    "UInt64Field",
    "UIntField",
    "UShortField",
    "UpDownField",
]
