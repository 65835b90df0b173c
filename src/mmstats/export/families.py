"""A Snapshot → what Prometheus calls families: samples of one name, type, unit and help.

| kind | becomes |
|---|---|
| counter | counter |
| updown, number, bool, gauge, moving, a static number | gauge |
| average | summary, without quantiles |
| timer, histogram | histogram |
| info, a static text | info; a text in the tag `value` |
| enum | stateset, of the states that processes are in |
| text | nothing: each text would be another series |

The group is a tag. A tag of a stat's own that is called so, or like one that the type itself needs, has
`exported_` in front. What nobody set has no sample, and neither have several numbers that are shown as a set.
"""

from __future__ import annotations

from mmstats.distribution import Distributed
from mmstats.export.buckets import buckets
from mmstats.export.names import COUNTER, GAUGE, HISTOGRAM, INFO, STATES, SUMMARY, mangled, names_of, unit_of
from mmstats.format.pairs import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from mmstats.stat import Snapshot, Stat

    Tags = tuple[tuple[str, str], ...]
    Sample = tuple[str, Tags, Any]  # suffix of the name, tags of its own, number
    Samples = Callable[[Stat, int], Iterator[Sample]]

GROUP = "group"
COUNTS = (COUNTER, SUMMARY, HISTOGRAM)
RESERVED = {HISTOGRAM: {"le"}, SUMMARY: {"quantile"}, INFO: {"value"}}


class Family:
    """Samples by the stats they are of. `created`: when they began to count, in seconds; 0.0: not known."""

    __slots__ = ("created", "help", "members", "name", "type", "unit")

    def __init__(self, name: str, type_: str, unit: str, help_: str, created: float) -> None:
        self.name = name
        self.type = type_
        self.unit = unit
        self.help = help_
        self.created = created
        self.members: list[Member] = []


class Member:
    """The samples of one stat. `tags`: of all of them; `falls`: its sum may become less."""

    __slots__ = ("falls", "samples", "tags")

    def __init__(self, tags: Tags, samples: list[Sample], falls: bool) -> None:
        self.tags = tags
        self.samples = samples
        self.falls = falls


def families(snapshot: Snapshot, octaves: int = 2) -> list[Family]:
    """All families, in the order of their first stats; `octaves`: see `buckets`."""
    found: dict[tuple[str, str, str], list[tuple[Stat, list[Sample]]]] = {}
    for stat in snapshot.stats:
        type_, samples_of = _of(stat)
        samples = list(samples_of(stat, octaves))
        if samples:
            unit = "" if type_ in (INFO, STATES) else stat.unit
            found.setdefault((stat.label, type_, unit), []).append((stat, samples))
    names = names_of(found)
    return [_family(names[key], key, stats, snapshot.origin.created) for key, stats in found.items()]


def _family(
    name: str, key: tuple[str, str, str], stats: list[tuple[Stat, list[Sample]]], created: float
) -> Family:
    _, type_, unit = key
    help_ = next((stat.help for stat, _ in stats if stat.help), "")
    made = Family(name, type_, unit_of(unit), help_, created if type_ in COUNTS else 0.0)
    reserved = {GROUP, *RESERVED.get(type_, ()), *([name] if type_ == STATES else [])}
    for stat, samples in stats:
        group = ((GROUP, stat.group),) if stat.group else ()
        tags = (*group, *((_renamed(tag, reserved, stat), text) for tag, text in stat.about.tags))
        own = _named(name, samples) if type_ == STATES else samples
        made.members.append(Member(tags, own, _falls(stat)))
    return made


def _named(name: str, samples: list[Sample]) -> list[Sample]:
    """Samples of states, whose own tag is called like the family."""
    return [(suffix, ((name, text),), number) for suffix, ((_, text),), number in samples]


def _falls(stat: Stat) -> bool:
    value = stat.value
    if isinstance(value, Distributed):
        return value.min < 0 or any(bound < 0 for bound, _ in value.bounds[:1])
    return stat.kind == "average" and bool(stat.parts) and not stat.parts[0] >= 0


def _renamed(tag: str, reserved: set[str], stat: Stat) -> str:
    """The name of a tag: lawful, and none that the sample has already."""
    name = mangled(tag)
    others = {other for other, _ in stat.about.tags if other != tag}
    while name in reserved or (name != tag and name in others):
        name = f"exported_{name}"
    return name


def _of(stat: Stat) -> tuple[str, Samples]:
    if stat.kind == "static" and not _is_number(stat.value):
        return INFO, _texts
    return _TYPES.get(stat.kind, (GAUGE, _nothing))


def _is_number(value: object) -> bool:
    if isinstance(value, (frozenset, tuple)):
        return all(map(_is_number, value))
    return isinstance(value, (int, float))


def _total(stat: Stat, _: int) -> Iterator[Sample]:
    yield "_total", (), stat.value


def _gauge(stat: Stat, _: int) -> Iterator[Sample]:
    value = stat.value
    if isinstance(value, (frozenset, tuple)) and len(value) == 1:
        (value,) = value
    if isinstance(value, (int, float)):
        yield "", (), value


def _mean(stat: Stat, _: int) -> Iterator[Sample]:
    total, count = stat.parts or (0.0, 0)
    yield "_count", (), count
    yield "_sum", (), total


def _histogram(stat: Stat, octaves: int) -> Iterator[Sample]:
    value = stat.value
    if isinstance(value, Distributed):
        for edge, count in buckets(value, octaves):
            yield "_bucket", (("le", edge),), count
        yield "_count", (), value.count
        yield "_sum", (), value.sum


def _texts(stat: Stat, _: int) -> Iterator[Sample]:
    for text in _each(stat.value):
        yield "_info", (("value", str(text)),), 1


def _info(stat: Stat, _: int) -> Iterator[Sample]:
    for text in _each(stat.value):
        yield "_info", pairs(str(text)), 1


def _states(stat: Stat, _: int) -> Iterator[Sample]:
    for text in _each(stat.value):
        yield "", (("", str(text)),), 1  # the tag is called like the family, whose name is not known yet


def _nothing(_: Stat, __: int) -> Iterator[Sample]:
    return iter(())


def _each(value: Any) -> list[Any]:
    """The texts, one or several, without those that say nothing."""
    every = sorted(map(str, value)) if isinstance(value, (frozenset, tuple)) else [value]
    return [text for text in every if text not in ("", None)]


_TYPES: dict[str, tuple[str, Samples]] = {
    "counter": (COUNTER, _total),
    **dict.fromkeys(("updown", "number", "bool", "gauge", "moving", "static"), (GAUGE, _gauge)),
    "average": (SUMMARY, _mean),
    **dict.fromkeys(("timer", "histogram"), (HISTOGRAM, _histogram)),
    "info": (INFO, _info),
    "enum": (STATES, _states),
}
