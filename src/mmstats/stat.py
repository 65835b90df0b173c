"""What a reader sees: `Stat`, who wrote it: `Origin`, and all of it at one moment: `Snapshot`.

Values, frozen: equal if what they hold is equal. They know nothing of files, bytes or arithmetic.
"""

from __future__ import annotations

from itertools import repeat

from mmstats.frozen import Frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Merge = Callable[[Sequence["Stat"]], object]


class About(Frozen):
    """What is said of a stat once, however many processes publish it.

    `declared`: in retired totals, when the youngest of their programs began; 0.0: ask the origin. `ttl`: of
    a member of a family, in seconds; 0.0: it is never forgotten.
    """

    __slots__ = ("aggregate", "help", "keep", "kind", "label", "tags", "unit", "declared", "ttl")  # noqa: RUF023 - as __init__ takes them

    label: str
    tags: tuple[tuple[str, str], ...]  # sorted by name
    kind: str
    unit: str
    help: str
    aggregate: str
    keep: bool
    declared: float
    ttl: float

    def __init__(
        self,
        aggregate: str,
        help: str,
        keep: bool,
        kind: str,
        label: str,
        tags: Mapping[str, str] | Iterable[tuple[str, str]],
        unit: str,
        declared: float = 0.0,
        ttl: float = 0.0,
    ) -> None:
        put = object.__setattr__
        put(self, "aggregate", aggregate)
        put(self, "help", help)
        put(self, "keep", keep)
        put(self, "kind", kind)
        put(self, "label", label)
        put(self, "tags", tuple(sorted(dict(tags).items())))
        put(self, "unit", unit)
        put(self, "declared", declared)
        put(self, "ttl", ttl)


class Stat(Frozen):
    """One number, bool, text or set with what it means.

    `kind` and `aggregate` are words of the format (`layout.KINDS`, `layout.AGGREGATES`); `parts` is
    the value in the form that can be merged with others of its kind (see `kinds`), None where nobody
    wrote it yet and `value` is what was declared.
    """

    # No __setattr__ here: one that is called makes a stat twice as dear, and there are many of them.
    __slots__ = ("_about", "_group", "_parts", "_value")

    __setattr__ = object.__setattr__  # type: ignore[assignment]

    def __init__(self, about: About, group: str, parts: object, value: object) -> None:
        self._about = about
        self._group = group
        self._parts = parts
        self._value = value

    @property
    def about(self) -> About:
        return self._about

    @property
    def group(self) -> str:
        return self._group

    @property
    def parts(self) -> Any:
        return self._parts

    @property
    def value(self) -> Any:
        return self._value

    @property
    def label(self) -> str:
        return self._about.label

    @property
    def tags(self) -> dict[str, str]:
        return dict(self._about.tags)

    @property
    def kind(self) -> str:
        return self._about.kind

    @property
    def unit(self) -> str:
        return self._about.unit

    @property
    def help(self) -> str:
        return self._about.help

    @property
    def aggregate(self) -> str:
        return self._about.aggregate

    @property
    def keep(self) -> bool:
        return self._about.keep

    def __repr__(self) -> str:
        about = self._about
        tags = "".join(f", {name}={text!r}" for name, text in about.tags)
        return f"Stat({about.label!r}{tags}, kind={about.kind!r}, unit={about.unit!r}, value={self.value!r})"


class Origin(Frozen):
    """Who wrote it. `state`: alive, gone, unknown or retired. `started`, `created`: seconds, 0.0 unknown."""

    __slots__ = ("cmd", "created", "file", "group", "host", "pid", "started", "state", "uid", "uuid")

    cmd: str
    created: float
    file: str
    group: str
    host: str
    pid: int
    started: float
    state: str
    uid: int
    uuid: str

    def __init__(
        self,
        cmd: str = "",
        created: float = 0.0,
        file: str = "",
        group: str = "",
        host: str = "",
        pid: int = 0,
        started: float = 0.0,
        state: str = "unknown",
        uid: int = 0,
        uuid: str = "",
    ) -> None:
        put = object.__setattr__
        put(self, "cmd", cmd)
        put(self, "created", created)
        put(self, "file", file)
        put(self, "group", group)
        put(self, "host", host)
        put(self, "pid", pid)
        put(self, "started", started)
        put(self, "state", state)
        put(self, "uid", uid)
        put(self, "uuid", uuid)


class Problem(Frozen):
    """What could not be read, and why. As text: one line."""

    __slots__ = ("file", "reason")

    file: str
    reason: str

    def __init__(self, file: str, reason: str) -> None:
        object.__setattr__(self, "file", file)
        object.__setattr__(self, "reason", reason)

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


def processes(origins: Iterable[Origin]) -> int:
    """How many living processes these are: several files of one process are one."""
    return len({(origin.host, origin.pid, origin.started) for origin in origins if origin.state == "alive"})


class Missing:
    """That no default was given."""


MISSING = Missing()


class Rows:
    """Stats in columns, before anybody asks for one of them: a tenth of the price of objects.

    `groups`: of each, where they may differ.
    """

    __slots__ = ("abouts", "group", "groups", "parts", "values")

    def __init__(self, group: str) -> None:
        self.group = group
        self.groups: list[str] | None = None
        self.abouts: list[About] = []
        self.parts: list[Any] = []
        self.values: list[Any] = []

    def add(self, about: About, parts: object, value: object) -> None:
        """One more."""
        self.abouts.append(about)
        self.parts.append(parts)
        self.values.append(value)

    def add_plain(self, abouts: Sequence[About], values: Sequence[object]) -> None:
        """Several more, whose parts are their values."""
        self.abouts += abouts
        self.parts += values
        self.values += values


class Snapshot(Frozen):
    """All stats of one origin at one moment, or of many origins combined.

    `problems`: what could not be read. `processes`: how many living processes it tells of. `merge`:
    how several stats of one label become one value; whoever makes a Snapshot knows the arithmetic.
    """

    __slots__ = ("merge", "origin", "problems", "processes", "_stats")  # noqa: RUF023 - as __init__ takes them

    merge: Merge | None
    origin: Origin
    problems: list[Problem]
    processes: int
    _stats: list[Stat] | Rows

    def __init__(
        self,
        merge: Merge | None,
        origin: Origin,
        problems: list[Problem],
        processes: int,
        stats: list[Stat] | Rows,
    ) -> None:
        put = object.__setattr__
        put(self, "merge", merge)
        put(self, "origin", origin)
        put(self, "problems", problems)
        put(self, "processes", processes)
        put(self, "_stats", stats)

    @property
    def stats(self) -> list[Stat]:
        """In the order of their declaration."""
        if isinstance(self._stats, Rows):
            rows = self._stats
            stats = list(map(Stat, rows.abouts, repeat(rows.group), rows.parts, rows.values))
            object.__setattr__(self, "_stats", stats)
        return self._stats  # type: ignore[return-value]

    def columns(self) -> Rows:
        """The stats, none of which becomes an object for it."""
        stats = self._stats
        if isinstance(stats, Rows):
            return stats
        rows = Rows("")
        rows.groups = [stat.group for stat in stats]
        for stat in stats:
            rows.add(stat.about, stat.parts, stat.value)
        return rows

    def value(self, label: str, /, default: Any = MISSING, **tags: object) -> Any:
        """The value of `label`: of the stat with just these tags, else all that have them, merged.

        Several groups of a combination that have it are merged too. KeyError, which names labels
        that are close, if there is none and no `default`.
        """
        wanted = {name: str(text) for name, text in tags.items()}
        having = [stat for stat in self.stats if stat.label == label and wanted.items() <= stat.tags.items()]
        found = [stat for stat in having if stat.tags == wanted] or having
        if len(found) == 1:
            return found[0].value
        if found and self.merge:
            return self.merge(found)
        if not isinstance(default, Missing):
            return default
        from mmstats.near import why_not  # who asks for what there is does not need it

        raise KeyError(why_not(label, wanted, len(found), {stat.label for stat in self.stats}))

    def _names(self) -> Iterable[str]:
        return ("origin", "stats", "problems", "processes")
