"""Models: `class WebStats(MmStats)`. A class gathers fields; making an instance publishes them.

The object model decides the speed (docs/decisions/0002-object-model.md): CPython specialises
`stats.hits` only where the class has no attribute of that name. So the metaclass moves the fields out
of the class into `__mmstats_fields__`, answers for them when the class is asked, and a bound handle is
a plain attribute of the instance.
"""

from __future__ import annotations

import os
import sys
import time
from _thread import get_native_id

from mmstats import cells
from mmstats.errors import UsageError
from mmstats.names import check_text
from mmstats.publish import process, report
from mmstats.publish.additions import add
from mmstats.publish.fields import Field
from mmstats.publish.model import Model
from mmstats.publish.publication import Publication
from mmstats.publish.settings import Settings
from mmstats.publish.statics import (
    StaticDoubleField,
    StaticInt64Field,
    StaticTextField,
    StaticUInt64Field,
    StaticUIntField,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

METHODS = ("add", "flush", "remove")  # no field may take these names


class FieldGatherer(type):
    """The metaclass of models: fields move aside, in the order of their declaration, bases first."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> FieldGatherer:
        own = {attribute: field for attribute, field in namespace.items() if isinstance(field, Field)}
        kept = {attribute: value for attribute, value in namespace.items() if attribute not in own}
        cls = super().__new__(mcs, name, bases, kept, **options)
        cls.__mmstats_own__ = {}
        inherited = _inherited(cls, namespace)
        cls.__mmstats_fields__ = {attribute: field for attribute, (field, _) in inherited.items()}
        for attribute, (field, owner) in inherited.items():
            if attribute not in own:
                cls._take_over(attribute, field, owner)
        for attribute, field in own.items():
            cls._declare(attribute, field)
        return cls

    __mmstats_fields__: dict[str, Field]  # all of them
    __mmstats_own__: dict[str, Field]  # those that were declared here

    def _take_over(cls, attribute: str, field: Field, owner: type) -> None:
        """Let what the owner has of the field in its dict be what is found, whatever other bases have."""
        if "__mmstats_own__" not in owner.__dict__:  # a plain mixin's
            cls._declare(attribute, field)
            return
        stands = owner.__dict__.get(attribute)
        if _found(cls, attribute) is not stands:
            type.__setattr__(cls, attribute, field if stands is None else stands)

    def _declare(cls, attribute: str, field: Field) -> None:
        if attribute in METHODS or attribute.startswith("_mm_"):
            raise UsageError(
                f"{cls.__name__}.{attribute}: no field may be called so: it is a part of every model"
            )
        cls.__mmstats_fields__[attribute] = cls.__mmstats_own__[attribute] = field
        stand_in = field.stand_in(attribute)
        if stand_in is None and hasattr(type(_found(cls, attribute)), "__set__"):
            stand_in = field  # as plain as can be, but nearer than the base's descriptor
        if stand_in is not None:
            type.__setattr__(cls, attribute, stand_in)

    if not TYPE_CHECKING:  # a type checker sees the declarations, and is to see misspelt names

        def __getattr__(cls, name: str) -> Field:
            fields = cls.__dict__.get("__mmstats_fields__", {})
            if name in fields:
                return fields[name]
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

    def __setattr__(cls, name: str, value: Any) -> None:
        if isinstance(value, Field):
            cls._declare(name, value)
        else:
            type.__setattr__(cls, name, value)


def _inherited(cls: type, namespace: dict[str, Any]) -> dict[str, tuple[Field, type]]:
    """The fields of all bases and who declared them, farthest first, those of plain mixins too.

    As Python looks names up, the nearest class decides. A name that it, or the new class, uses for something
    else is no field any more.
    """
    found: dict[str, tuple[Field, type]] = {}
    for base in reversed(cls.__mro__[1:]):
        fields = base.__dict__.get("__mmstats_fields__", {})
        for name, value in base.__dict__.items():
            if not fields and isinstance(value, Field):
                found[name] = value, base
            elif name not in fields:
                found.pop(name, None)
        for name, field in base.__dict__.get("__mmstats_own__", {}).items():
            found[name] = field, base
    for name, value in namespace.items():
        if not isinstance(value, Field):
            found.pop(name, None)
    return found


def _found(cls: type, attribute: str) -> object:
    """What the class, or the nearest base that has such a name, has in its dict; None: nobody."""
    return next((base.__dict__[attribute] for base in cls.__mro__ if attribute in base.__dict__), None)


if TYPE_CHECKING:

    class Instance:
        """What both twins' Instance has, and nothing else: a misspelt name is an error."""

        _mm_model: Model

        def _mm_bind(self, name: str, handle: object) -> None: ...

else:
    Instance = cells.Instance


class BaseMmStats(Instance, metaclass=FieldGatherer):
    """A model without the stats of MmStats. Make it once per process; at import time is fine.

    path: the directory; None: MMSTATS_PATH, else /dev/shm/mmstats-UID and what docs/python.md lists
    filename: the file's name, or a full path; None: MMSTATS_FILES, else {CMD}-{PID}-{ID}.mmstats
    label_prefix: goes before every label
    group: what belongs together; None: MMSTATS_GROUP, else the command's name
    persistent: go on, after a restart, where the file of that name stood; see docs/python.md
    strict: raise RegionError where the machine refuses a file, instead of going on unseen
    format: 2; or 1, a file that 0.8 reads, of the fields that it had: see docs/python.md

    In path and filename stand {CMD} {PID} {TID} {ID} {UID} {CLASS}. Raises UsageError for what no
    program can mean, DuplicateFieldName for one label that is two things.
    """

    __mmstats_fields__: dict[str, Field]

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        filename: str | os.PathLike[str] | None = None,
        label_prefix: str | None = None,
        *,
        group: str | None = None,
        persistent: bool = False,
        strict: bool = False,
        format: int = 2,  # noqa: A002 - the public name
    ) -> None:
        cls = type(self)
        prefix = check_text("label_prefix", label_prefix or "")
        if format != 2:
            self._begin_as_0_8(format, path, filename, group, prefix, persistent=persistent, strict=strict)
            return
        settings = Settings(path, filename, group, cls.__name__, persistent=persistent, strict=strict)
        fields = cls.__mmstats_fields__
        wanted = [field.metric(prefix, attribute) for attribute, field in fields.items()]
        model = process.alone(_join, settings, prefix, wanted)
        self._mm_bind("_mm_cells", {})
        self._mm_bind("_mm_statics", {})
        self._mm_bind("_mm_model", model)
        for (attribute, field), metric in zip(fields.items(), model.metrics):
            field.attach(self, attribute, model, metric)
        report.say()

    def _begin_as_0_8(
        self,
        format: object,  # noqa: A002
        path: object,
        filename: object,
        group: str | None,
        prefix: str,
        *,
        persistent: bool,
        strict: bool,
    ) -> None:
        if format != 1:
            raise UsageError(f"format={format!r}: expected 2, or 1 for readers of 0.8")
        if persistent:
            raise UsageError("persistent=True: a file of format=1 cannot be gone on with")
        from mmstats.publish import legacy_model  # who needs none does not load it

        cls = type(self)
        settings = legacy_model.settings_of(path, filename, group, cls.__name__, strict=strict)
        legacy_model.begin(self, settings, prefix, cls.__mmstats_fields__)

    @property
    def filename(self) -> str | None:
        """The full path of this process's file; None while it publishes into private memory."""
        return info(self).filename

    @property
    def label_prefix(self) -> str:
        """What goes before every label."""
        return info(self).label_prefix

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return info(self).size

    add = add

    def remove(self, discard: bool = False) -> None:
        """Withdraw this model; the file goes with the last model in it. Twice is fine.

        Updates do nothing from then on and count in `mmstats.dropped`; reading a field raises Removed. What
        stays of a process (docs/python.md, What survives) stays of the model, too, in the group's
        retired totals; with `discard` it is dropped. A persistent file stays for the next run, unless
        discarded.
        """
        info(self).remove(discard=discard)

    def flush(self, async_: bool = False, **also: bool) -> None:
        """Bring what was counted to the disk, the file's name too; `async_`: only ask for that.

        `flush(**{"async": True})` is 0.8's way to say it. RegionError where it did not come there, also
        if a persistent model publishes into private memory for now.
        """
        wait = not (async_ or also.pop("async", False))
        if also:
            raise TypeError(f"flush() got an unexpected keyword argument {next(iter(also))!r}")
        info(self).flush(wait=wait)


def info(stats: BaseMmStats) -> Model:
    """`filename`, `label_prefix` and `size` of a model, also where a field has one of these names."""
    return stats._mm_model


def _join(settings: Settings, prefix: str, wanted: list[Any]) -> Model:
    process.expect_end()
    while True:
        publication = process.publications.setdefault(settings.key, Publication(settings))
        model = Model(publication, prefix)
        publication.models.append(model)
        if process.publications.get(settings.key) is publication:
            break  # else a signal handler removed its last model just before ours was in
    try:
        model.metrics = publication.join(model, wanted)
    except Exception:
        publication.leave(model, discard=not publication.settings.persistent)
        raise
    return model


class MmStats(BaseMmStats):
    """The base of models: brings what every process tells of itself."""

    pid = StaticUIntField(label="sys.pid", value=os.getpid)
    tid = StaticInt64Field(label="sys.tid", value=get_native_id)
    uid = StaticUInt64Field(label="sys.uid", value=os.getuid)
    gid = StaticUInt64Field(label="sys.gid", value=os.getgid)
    python_version = StaticTextField(label="org.python.version", value=lambda: sys.version.replace("\n", ""))
    created = StaticDoubleField(label="sys.created", value=time.time)
