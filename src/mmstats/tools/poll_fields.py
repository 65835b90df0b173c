"""The FIELDS of pollstats' command line → columns, once it is known what there is."""

from __future__ import annotations

from mmstats.aggregate.combine import combine
from mmstats.aggregate.interval import increments, is_of_version_1
from mmstats.globs import escaped, has_magic, matches
from mmstats.tools.columns import DELTA, DISTRIBUTIONS, RATE, VALUE, WORDS, Column
from mmstats.tools.select import WordsError
from mmstats.tools.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmstats.stat import About, Snapshot
    from mmstats.tools.moment import Sample

BUSIEST = 8
OF_DISTRIBUTION = ("p50", "p99", "count")


class Field:
    """`NAME[{tags}][:WORD]`; the name is a label or a glob."""

    __slots__ = ("name", "tags", "text", "word")

    def __init__(self, text: str, *, literally: bool = False) -> None:
        self.text = text
        if literally:
            self.name, self.tags, self.word = text, "", ""
            return
        before, colon, word = text.rpartition(":")
        self.word = word if colon and word in WORDS else ""
        name = before if self.word else text
        name, brace, tags = name.partition("{")
        self.name, self.tags = name.strip(), brace + tags
        if not self.name or (brace and not tags.endswith("}")):
            raise WordsError(f"field {text!r}: expected NAME, NAME:WORD or NAME{{key=value}}")


def fields_of(text: str) -> list[Field]:
    """A list with commas, but for those between braces."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    if not all(part.strip() for part in parts):
        raise WordsError(f"FIELDS {text!r}: expected names with commas between them")
    return [Field(part.strip()) for part in parts]


class Known:
    """What there is: labels, and what is said of each; `old`: those of 0.8's files."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self.abouts: dict[str, About] = {}
        self.old: set[str] = set()
        for one in snapshots:
            for stat in one.stats:
                self.abouts.setdefault(stat.label, stat.about)
                if is_of_version_1(one.origin):
                    self.old.add(stat.label)

    def labels(self, name: str) -> list[str]:
        """Those that a name or a glob means, in order."""
        if name in self.abouts:
            return [name]
        return sorted(label for label in self.abouts if matches(label, name)) if has_magic(name) else []


def columns_of(
    fields: Sequence[Field], prefix: str, known: Known, word: str
) -> tuple[list[Column], list[Field]]:
    """The columns of the fields that name something, and the fields that do not.

    `prefix`: as it is, or with a dot behind it where it names nothing so; `word`: what is shown where a field
    does not say.
    """
    undecided = prefix and not prefix.endswith(".")
    if undecided and not any(known.labels(_full(prefix, one.name)) for one in fields):
        prefix += "."
    columns, missing = [], []
    for field in fields:
        labels = known.labels(_full(prefix, field.name))
        if not labels:
            missing.append(field)
        for label in labels:
            columns += _columns(field, label, prefix, known, word)
    return columns, missing


def _full(prefix: str, name: str) -> str:
    return (escaped(prefix) if has_magic(name) else prefix) + name


def _columns(field: Field, label: str, prefix: str, known: Known, word: str) -> list[Column]:
    about = known.abouts[label]
    name = label[len(prefix) :] + field.tags
    if about.kind in DISTRIBUTIONS and not (field.word or word):
        return [Column(about, field.tags, each, f"{name} {each}") for each in OF_DISTRIBUTION]
    chosen = field.word or word or _default(about, label in known.old)
    behind = f" {field.word}" if field.word else ""
    return [Column(about, field.tags, chosen, name + ("/s" if chosen == RATE else behind))]


def _default(about: About, is_old: bool) -> str:
    if about.kind == "counter" or (is_old and about.kind == "number"):
        return DELTA
    return "mean" if about.kind == "average" else VALUE


def nothing_called(missing: Sequence[Field], prefix: str, known: Known) -> str:
    """That there are no such stats, with what is called nearly so."""
    from mmstats.near import close

    dotted = prefix if not prefix or prefix.endswith(".") else f"{prefix}."
    wanted = [dotted + field.name for field in missing]
    near = [shown(label) for name in wanted for label in close(name, known.abouts)]
    hint = f". Close: {', '.join(dict.fromkeys(near))}" if near else ""
    return f"no stat is called {' or '.join(map(repr, map(shown, wanted)))}{hint}"


def busiest(before: Sample, now: Sample) -> list[Field]:
    """The counters that grew most, the busiest first; those that did not move last."""
    grown: dict[str, int] = {}
    for stat in combine(increments(before.snapshots, now.snapshots, before.at)).stats:
        if stat.kind == "counter":
            grown[stat.label] = grown.get(stat.label, 0) + stat.value
    order = sorted(grown, key=lambda label: (-grown[label], label))
    return [Field(label, literally=True) for label in order[:BUSIEST]]
