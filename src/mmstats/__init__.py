"""mmstats: /proc for your application.

Every process publishes counters, numbers and texts into a memory-mapped file by plain stores;
anybody with permission reads them from outside. This is the front door: names are loaded at their
first use, so that `import mmstats` stays light and a reader never loads the writer.
"""

from __future__ import annotations

version = __version__ = "1.0.0.dev0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats import defaults as defaults
    from mmstats import export as export
    from mmstats import fields as fields
    from mmstats import models as models
    from mmstats import reader as reader
    from mmstats import testing as testing
    from mmstats.cells import CELLS as CELLS
    from mmstats.combining import combined as combined
    from mmstats.defaults import DEFAULT_FILENAME as DEFAULT_FILENAME
    from mmstats.defaults import DEFAULT_GLOB as DEFAULT_GLOB
    from mmstats.defaults import DEFAULT_PATH as DEFAULT_PATH
    from mmstats.defaults import DEFAULT_STRING_SIZE as DEFAULT_STRING_SIZE
    from mmstats.errors import DuplicateFieldName as DuplicateFieldName
    from mmstats.errors import MmStatsError as MmStatsError
    from mmstats.errors import RegionError as RegionError
    from mmstats.errors import Removed as Removed
    from mmstats.errors import UsageError as UsageError
    from mmstats.publish.compound import AverageField as AverageField
    from mmstats.publish.compound import MovingAverageField as MovingAverageField
    from mmstats.publish.compound import TimerField as TimerField
    from mmstats.publish.dropped import dropped as dropped
    from mmstats.publish.enums import EnumField as EnumField
    from mmstats.publish.fields import CounterField as CounterField
    from mmstats.publish.fields import Field as Field
    from mmstats.publish.gauges import GaugeField as GaugeField
    from mmstats.publish.histograms import HistogramField as HistogramField
    from mmstats.publish.infos import InfoField as InfoField
    from mmstats.publish.models import BaseMmStats as BaseMmStats
    from mmstats.publish.models import MmStats as MmStats
    from mmstats.publish.models import info as info
    from mmstats.publish.numbers import BoolField as BoolField
    from mmstats.publish.numbers import ByteField as ByteField
    from mmstats.publish.numbers import DoubleField as DoubleField
    from mmstats.publish.numbers import FloatField as FloatField
    from mmstats.publish.numbers import Int64Field as Int64Field
    from mmstats.publish.numbers import IntField as IntField
    from mmstats.publish.numbers import ShortField as ShortField
    from mmstats.publish.numbers import UInt64Field as UInt64Field
    from mmstats.publish.numbers import UIntField as UIntField
    from mmstats.publish.numbers import UShortField as UShortField
    from mmstats.publish.on_the_fly import counter as counter
    from mmstats.publish.on_the_fly import gauge as gauge
    from mmstats.publish.on_the_fly import histogram as histogram
    from mmstats.publish.on_the_fly import text as text
    from mmstats.publish.on_the_fly import timer as timer
    from mmstats.publish.on_the_fly import updown as updown
    from mmstats.publish.statics import StaticDoubleField as StaticDoubleField
    from mmstats.publish.statics import StaticFloatField as StaticFloatField
    from mmstats.publish.statics import StaticInt64Field as StaticInt64Field
    from mmstats.publish.statics import StaticTextField as StaticTextField
    from mmstats.publish.statics import StaticUInt64Field as StaticUInt64Field
    from mmstats.publish.statics import StaticUIntField as StaticUIntField
    from mmstats.publish.texts import StringField as StringField
    from mmstats.publish.ticker import tick as tick
    from mmstats.publish.updowns import UpDownField as UpDownField
    from mmstats.read.sampler import Sampler as Sampler
    from mmstats.read.snapshot import snapshot as snapshot
    from mmstats.stat import Origin as Origin
    from mmstats.stat import Snapshot as Snapshot
    from mmstats.stat import Stat as Stat

# Where each name lives. tests/test_house.py holds this table and the imports above together.
_ROOMS = {
    "mmstats.cells": ("CELLS",),
    "mmstats.combining": ("combined",),
    "mmstats.defaults": ("DEFAULT_FILENAME", "DEFAULT_GLOB", "DEFAULT_PATH", "DEFAULT_STRING_SIZE"),
    "mmstats.errors": ("DuplicateFieldName", "MmStatsError", "RegionError", "Removed", "UsageError"),
    "mmstats.publish.compound": ("AverageField", "MovingAverageField", "TimerField"),
    "mmstats.publish.dropped": ("dropped",),
    "mmstats.publish.enums": ("EnumField",),
    "mmstats.publish.fields": ("CounterField", "Field"),
    "mmstats.publish.gauges": ("GaugeField",),
    "mmstats.publish.histograms": ("HistogramField",),
    "mmstats.publish.infos": ("InfoField",),
    "mmstats.publish.models": ("BaseMmStats", "MmStats", "info"),
    "mmstats.publish.numbers": (
        *("BoolField", "ByteField", "DoubleField", "FloatField", "Int64Field", "IntField"),
        *("ShortField", "UInt64Field", "UIntField", "UShortField"),
    ),
    "mmstats.publish.on_the_fly": ("counter", "gauge", "histogram", "text", "timer", "updown"),
    "mmstats.publish.statics": (
        *("StaticDoubleField", "StaticFloatField", "StaticInt64Field", "StaticTextField"),
        *("StaticUInt64Field", "StaticUIntField"),
    ),
    "mmstats.publish.texts": ("StringField",),
    "mmstats.publish.ticker": ("tick",),
    "mmstats.publish.updowns": ("UpDownField",),
    "mmstats.read.sampler": ("Sampler",),
    "mmstats.read.snapshot": ("snapshot",),
    "mmstats.stat": ("Origin", "Snapshot", "Stat"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = ("defaults", "export", "fields", "models", "reader", "testing")  # there without an import
_ASKED = _ROOMS["mmstats.defaults"]  # each time anew: the environment may change

__all__ = ["__version__", "version", *_ROOM_OF]  # noqa: PLE0604 - names only


if not TYPE_CHECKING:  # with it in sight a type checker would take any misspelt name

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return __import__(f"mmstats.{name}", fromlist=[name])
        if name not in _ROOM_OF:
            raise AttributeError(f"module 'mmstats' has no attribute {name!r}")
        # Not `from . import`: that asks this very function again, for ever.
        room = __import__(_ROOM_OF[name], fromlist=[name])
        value = getattr(room, name)
        if name not in _ASKED:
            globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
