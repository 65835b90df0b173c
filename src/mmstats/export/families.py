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

from mmstats.export.names import COUNTER, HISTOGRAM, INFO, STATES, SUMMARY, mangled, names_of, unit_of
from mmstats.export.samples import falls, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.export.samples import Samples, SamplesOf, Shape, Tags
    from mmstats.stat import Stat

    Found = tuple[int, Stat, SamplesOf, Samples]

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
    """The samples of one stat, which is the one `at` that place of its snapshot.

    `tags`: of all of them; `shape` and `numbers`: as `samples_of` gives them, and as they are called here;
    `falls`: its sum may become less.
    """

    __slots__ = ("at", "falls", "named", "numbers", "samples_of", "shape", "tags")

    def __init__(self, found: Found, tags: Tags, named: Shape) -> None:
        self.at, stat, self.samples_of, (self.shape, self.numbers) = found
        self.falls = falls(stat)
        self.tags = tags
        self.named = named


def families(stats: Sequence[Stat], created: float, octaves: int) -> list[Family]:
    """All families, in the order of their first stats.

    `created`: since when those count; `octaves`: see `buckets`.
    """
    found: dict[tuple[str, str, str], list[Found]] = {}
    for at, stat in enumerate(stats):
        type_, samples_of = kind_of(stat)
        samples = samples_of(stat, octaves)
        if samples[0]:
            unit = "" if type_ in (INFO, STATES) else stat.unit
            found.setdefault((stat.label, type_, unit), []).append((at, stat, samples_of, samples))
    names = names_of(found)
    return [_family(names[key], key, members, created) for key, members in found.items()]


def _family(name: str, key: tuple[str, str, str], found: list[Found], created: float) -> Family:
    _, type_, unit = key
    help_ = next((stat.help for _, stat, *_ in found if stat.help), "")
    made = Family(name, type_, unit_of(unit), help_, created if type_ in COUNTS else 0.0)
    reserved = {GROUP, *RESERVED.get(type_, ()), *([name] if type_ == STATES else [])}
    for one in found:
        stat, (shape, _) = one[1], one[3]
        group = ((GROUP, stat.group),) if stat.group else ()
        tags = (*group, *((_renamed(tag, reserved, stat), text) for tag, text in stat.about.tags))
        made.members.append(Member(one, tags, _named(name, shape) if type_ == STATES else shape))
    return made


def _named(name: str, shape: Shape) -> Shape:
    """Samples of states, whose own tag is called like the family."""
    return tuple([(suffix, ((name, text),)) for suffix, ((_, text),) in shape])


def _renamed(tag: str, reserved: set[str], stat: Stat) -> str:
    """The name of a tag: lawful, and none that the sample has already."""
    name = mangled(tag)
    others = {other for other, _ in stat.about.tags if other != tag}
    while name in reserved or (name != tag and name in others):
        name = f"exported_{name}"
    return name
