"""`MmStats(format=1)`: the fields of 0.8 in a file of version 1, which 0.8's tools read.

Such an instance is one of a class of its own, below that of its model: there the fields are what 0.8 had. It
shares nothing with others, and is neither folded nor combined by anybody but its readers.
"""

from __future__ import annotations

import os
from _thread import RLock, _local
from math import inf, isnan

from mmstats.errors import UsageError
from mmstats.format import layout
from mmstats.format.encode import cut
from mmstats.publish import legacy_handles as handles
from mmstats.publish import report
from mmstats.publish.compound import AverageField, MovingAverageField, TimerField
from mmstats.publish.dropped import after_removal
from mmstats.publish.fields import CounterField
from mmstats.publish.legacy_file import LegacyFile
from mmstats.publish.numbers import (
    BoolField,
    ByteField,
    DoubleField,
    FloatField,
    IntField,
    NumberField,
    ShortField,
    UInt64Field,
    UIntField,
    UShortField,
)
from mmstats.publish.settings import Settings
from mmstats.publish.statics import (
    StaticDoubleField,
    StaticField,
    StaticFloatField,
    StaticInt64Field,
    StaticTextField,
    StaticUInt64Field,
    StaticUIntField,
)
from mmstats.publish.texts import StringField

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmstats.publish.fields import Field

DEFAULT_FILENAME = "{CMD}-{PID}-{TID}.mmstats"
STATIC_TEXT = 256
# What 0.8 called them in a file; whether the value has two buffers that take turns.
LETTERS: dict[type[Field], tuple[str, bool]] = {
    CounterField: ("Q", True),
    AverageField: ("d", True),
    MovingAverageField: ("d", True),
    TimerField: ("d", True),
    UInt64Field: ("Q", True),
    UIntField: ("I", True),
    IntField: ("i", True),
    ShortField: ("h", True),
    UShortField: ("H", True),
    FloatField: ("f", True),
    DoubleField: ("d", True),
    ByteField: ("b", False),
    BoolField: ("?", False),
    StaticUIntField: ("I", False),
    StaticInt64Field: ("q", False),
    StaticUInt64Field: ("Q", False),
    StaticFloatField: ("f", False),
    StaticDoubleField: ("d", False),
    StaticTextField: (f"{STATIC_TEXT}s", False),
}


class LegacyField:
    """One field, as it is in the file."""

    __slots__ = ("attribute", "buffered", "field", "label", "letter")

    def __init__(self, attribute: str, field: Field, prefix: str) -> None:
        """UsageError: 0.8 had nothing like it."""
        kind = next((one for one in type(field).__mro__ if one in LETTERS or one is StringField), None)
        news = (
            field.tags
            or getattr(field, "window", None)
            or (kind is CounterField and field.cell_type != layout.CELL_TYPE_U64)
        )
        if kind is None or news:
            raise UsageError(f"{field!r}: format=1 has the fields of 0.8 alone, and this is a newer one")
        self.attribute, self.field = attribute, field
        self.label = field.metric(prefix, attribute).label
        self.letter, self.buffered = LETTERS.get(kind) or (f"{field.size}s", False)  # type: ignore[attr-defined]

    def first(self) -> object:
        """The value that the file begins with; None: zero."""
        field = self.field
        if isinstance(field, StaticField):
            value = field.value() if callable(field.value) else field.value
            return cut(str(value), STATIC_TEXT) if isinstance(field, StaticTextField) else self.coerced(value)
        return bool(field.initial) if isinstance(field, BoolField) else None

    def coerced(self, value: Any) -> Any:
        """What is stored for it: whole numbers wrap to their width, texts are cut."""
        if self.letter.endswith("s"):
            return cut(value, int(self.letter[:-1]))
        if self.letter == "?":
            return bool(value)
        if self.letter == "f":
            return single(float(value))
        if self.letter == "d":
            return float(value)
        bits = 8 * {"b": 1, "h": 2, "i": 4}.get(self.letter.lower(), 8)
        value = int(value) % (1 << bits)
        return value - (1 << bits) if self.letter.islower() and value >> (bits - 1) else value

    def shown(self, value: Any) -> Any:
        """What is read, as a program has it."""
        return value.partition(b"\0")[0].decode("utf-8", "replace") if isinstance(value, bytes) else value

    def handle(self, model: LegacyModel, number: int) -> handles.Value | None:
        """What counts; None: it is a plain attribute."""
        field, where = self.field, (model, number, self.label)
        if isinstance(field, CounterField):
            return handles.Counter(*where)
        if isinstance(field, TimerField):
            return handles.Timer(*where, field.size, field.timer)
        if isinstance(field, MovingAverageField):
            return handles.Moving(*where, field.size)
        return handles.Average(*where) if isinstance(field, AverageField) else None

    def plain(self, number: int) -> handles.Plain:
        """The attribute of the class."""
        is_open = isinstance(self.field, (NumberField, StringField))
        return handles.Plain(number, self.label, self.coerced if is_open else None, self.shown)


def single(value: float) -> float:
    """The number of 32 bits that is nearest, or an infinity: struct would refuse it."""
    most = 3.4028235677973366e38  # half a step above the largest
    return value if abs(value) < most or isnan(value) else inf if value > 0 else -inf


class LegacyModel:
    """The files of one instance: one, or one for each thread if the name has {TID}; a forked child's anew."""

    def __init__(self, settings: Settings, prefix: str, fields: list[LegacyField]) -> None:
        self.settings = settings
        self.label_prefix = prefix
        self.removed = False
        self._fields = fields
        self._begin()
        self.here()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = RLock()
        self._of_thread = _local()
        self._files: list[LegacyFile] = []
        self._kept: dict[tuple[int, int], Any] = {}

    def here(self) -> LegacyFile | None:
        """The calling thread's; None once the model was removed."""
        if self.removed:
            return None
        if self._pid != os.getpid():
            self._begin()
        file: LegacyFile | None = getattr(self._of_thread, "file", None)
        if file is None:
            with self._lock:
                is_shared = self._files and not self.settings.per_thread
                file = self._files[0] if is_shared else self._made()
            self._of_thread.file = file
        return file

    def _made(self) -> LegacyFile:
        fields = [(one.label.encode(), one.letter, one.buffered) for one in self._fields]
        made = LegacyFile(self.settings, fields, [one.first() for one in self._fields])
        self._files.append(made)
        return made

    def update(self, change: Callable[[LegacyFile, Any], None], value: Any) -> None:
        """Let it change the calling thread's file; nothing, and counted, once the model was removed."""
        file = self.here()
        if file is None:
            after_removal()
            return
        with file.lock:
            change(file, value)

    def kept(self, file: LegacyFile, number: int, first: Callable[[], Any]) -> Any:
        """What a field keeps beside the file."""
        return self._kept.setdefault((id(file), number), first())

    @property
    def filename(self) -> str | None:
        """The calling thread's file, also once it was removed."""
        file = self.here() or next(iter(self._files), None)
        return None if file is None else file.path

    @property
    def size(self) -> int:
        """Bytes of it."""
        file = self.here() or next(iter(self._files), None)
        return 0 if file is None else len(file.memory)

    def flush(self, *, wait: bool) -> None:  # noqa: ARG002 - there is no other way here
        """Bring it to its disk."""
        file = self.here()
        if file is not None:
            file.flush()

    def remove(self, *, discard: bool = False) -> None:  # noqa: ARG002 - nothing is folded
        """The files of all threads go, and what they counted goes with them."""
        if not self.removed and self._pid == os.getpid():
            self.removed = True
            for file in self._files:
                file.remove()
        report.say()


def begin(stats: Any, settings: Settings, prefix: str, fields: dict[str, Field]) -> None:
    """Let the instance write version 1. UsageError: it has what 0.8 had not."""
    own = [LegacyField(attribute, field, prefix) for attribute, field in fields.items()]
    model = LegacyModel(settings, prefix, own)
    stats._mm_bind("_mm_model", model)
    plain = {}
    for number, one in enumerate(own):
        handle = one.handle(model, number)
        if handle is None:
            plain[one.attribute] = one.plain(number)
        else:
            stats._mm_bind(one.attribute, handle)
    cls: Any = type(stats)
    stats.__class__ = type(cls)(cls.__name__, (cls,), {"__module__": cls.__module__, **plain})
    report.say()


def settings_of(path: Any, filename: Any, group: str | None, class_name: str, *, strict: bool) -> Settings:
    """As 0.8 had it: a file for each thread, where nothing else is said."""
    name = filename or os.environ.get("MMSTATS_FILES") or DEFAULT_FILENAME
    return Settings(path, name, group, class_name, strict=strict)
