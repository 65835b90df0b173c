"""Output for programs: JSON, JSON lines, and lines cut at tabs. Never rounded, never humanised.

Keys are a promise (`"schema": 1`): none goes away or changes its meaning, new ones may come.
"""

from __future__ import annotations

import os
import sys
import time

from mmstats.distribution import Distributed, TimerValue
from mmstats.tools.text import PERCENTILES, in_order, name_of, part_of, value_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mmstats.stat import About, Snapshot

try:  # the part of json that is needed; all of it takes longer to load than to use
    from _json import encode_basestring_ascii as quote
except ImportError:  # PyPy
    from json.encoder import encode_basestring_ascii as quote

__all__ = ("bare", "number", "quote", "size", "value_of", "write_many", "write_one")
INFINITY = float("inf")


def number(value: object) -> str:
    """A value as JSON: NaN and infinities are null, several values are a list."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if -INFINITY < value < INFINITY else "null"
    if isinstance(value, (frozenset, tuple)):
        return f"[{', '.join(number(one) for one in in_order(value))}]"
    if isinstance(value, Distributed):
        return _distributed(value)
    return quote(str(value))


def _distributed(value: Distributed) -> str:
    """An object."""
    words = ("last", "moving") if isinstance(value, TimerValue) else ()
    every = ("count", "sum", "min", "max", "mean", *words, *PERCENTILES)
    return "{" + ",".join(f'"{word}":{number(part_of(value, word))}' for word in every) + "}"


def objects(snapshots: Sequence[Snapshot]) -> Iterator[str]:
    """One object for each stat of each file, from a template: a dict to be dumped would cost thrice."""
    now, made = _now(), _Abouts()
    for one in snapshots:
        origin = one.origin
        head = (
            f'{{"schema":1,"t":{now},"file":{quote(origin.file)},"cmd":{quote(origin.cmd)},'
            f'"group":{quote(origin.group)},"pid":{origin.pid},"state":{quote(origin.state)},'
        )
        columns = one.columns()
        for about, value in zip(columns.abouts, columns.values):
            text = value if type(value) is int else number(value)
            yield f"{head}{made.get(id(about)) or made.text(about)}{text}}}"


def combined_objects(whole: Snapshot) -> Iterator[str]:
    """One object for each stat of a combination."""
    now, abouts, origin = _now(), _Abouts(), whole.origin
    for stat in whole.stats:
        yield (
            f'{{"schema":1,"t":{now},"cmd":{quote(origin.cmd)},"group":{quote(stat.group)},'
            f'"state":{quote(origin.state)},{abouts.text(stat.about)}{number(stat.value)},'
            f'"processes":{whole.processes}}}'
        )


def file_objects(snapshots: Sequence[Snapshot]) -> Iterator[str]:
    """One object for each file."""
    now = _now()
    for one in snapshots:
        origin = one.origin
        yield (
            f'{{"schema":1,"t":{now},"file":{quote(origin.file)},"cmd":{quote(origin.cmd)},'
            f'"group":{quote(origin.group)},"pid":{origin.pid},"state":{quote(origin.state)},"uid":{origin.uid},'
            f'"host":{quote(origin.host)},"started":{number(origin.started or None)},'
            f'"stats":{len(one.stats)},"size":{size(origin.file) or "null"}}}'
        )


def list_objects(snapshots: Sequence[Snapshot]) -> Iterator[str]:
    """One object for each stat that is declared anywhere."""
    seen = set()
    for one in snapshots:
        for stat in one.stats:
            about = stat.about
            name = (stat.group, about.label, about.tags, about.kind, about.unit)
            if name not in seen:
                seen.add(name)
                yield (
                    f'{{"schema":1,"group":{quote(stat.group)},{_about(about)},"help":{quote(about.help)}}}'
                )


class _Abouts(dict[int, str]):
    """What is said of a stat as JSON, by the identity of its About; made once."""

    def text(self, about: About) -> str:
        key = id(about)
        if key not in self:
            self[key] = _about(about) + ',"value":'
        return self[key]


def _about(about: About) -> str:
    tags = ",".join(f"{quote(key)}:{quote(text)}" for key, text in about.tags)
    kind, unit = quote(about.kind), quote(about.unit)
    return f'"label":{quote(about.label)},"tags":{{{tags}}},"kind":{kind},"unit":{unit}'


def plain(snapshots: Sequence[Snapshot]) -> Iterator[str]:
    """`file<TAB>label<TAB>value`."""
    for one in snapshots:
        for stat in one.stats:
            yield f"{bare(one.origin.file)}\t{bare(name_of(stat.about))}\t{value_of(stat.value)}"


def plain_combined(whole: Snapshot) -> Iterator[str]:
    for stat in whole.stats:
        yield f"all\t{bare(name_of(stat.about))}\t{value_of(stat.value)}"


def plain_files(snapshots: Sequence[Snapshot]) -> Iterator[str]:
    """`file<TAB>state<TAB>pid<TAB>cmd`."""
    for one in snapshots:
        origin = one.origin
        yield f"{bare(origin.file)}\t{origin.state}\t{origin.pid}\t{bare(origin.cmd)}"


def plain_list(snapshots: Sequence[Snapshot]) -> Iterator[str]:
    """`label<TAB>kind<TAB>unit<TAB>help`."""
    lines = {
        f"{bare(name_of(stat.about))}\t{stat.kind}\t{bare(stat.unit)}\t{bare(stat.help)}": None
        for one in snapshots
        for stat in one.stats
    }
    yield from lines


def value_of(value: object) -> str:
    """A value on one line, with all its digits."""
    if isinstance(value, str):
        return bare(value)
    if isinstance(value, (frozenset, tuple)):
        return ",".join(value_of(one) for one in in_order(value))
    if isinstance(value, Distributed):
        return value_text(value)
    return repr(value)


def bare(text: str) -> str:
    """A text that is one field of one line."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _write_lines(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _write_array(lines: Iterator[str]) -> None:
    sys.stdout.write("[\n" + ",\n".join(lines) + "\n]\n")


def _now() -> str:
    return f"{time.time():.3f}"


def size(path: str) -> str:
    """How many bytes a file has; empty where nobody can tell."""
    try:
        return str(os.lstat(path).st_size)
    except OSError:
        return ""


_OF_MANY: dict[
    tuple[str, str], tuple[Callable[[Sequence[Snapshot]], Iterator[str]], Callable[[Iterator[str]], None]]
] = {
    ("stats", "jsonl"): (objects, _write_lines),
    ("stats", "json"): (objects, _write_array),
    ("stats", "plain"): (plain, _write_lines),
    ("files", "jsonl"): (file_objects, _write_lines),
    ("files", "json"): (file_objects, _write_array),
    ("files", "plain"): (plain_files, _write_lines),
    ("list", "jsonl"): (list_objects, _write_lines),
    ("list", "json"): (list_objects, _write_array),
    ("list", "plain"): (plain_list, _write_lines),
}
_OF_ONE: dict[str, tuple[Callable[[Snapshot], Iterator[str]], Callable[[Iterator[str]], None]]] = {
    "jsonl": (combined_objects, _write_lines),
    "json": (combined_objects, _write_array),
    "plain": (plain_combined, _write_lines),
}


def write_many(what: str, form: str, snapshots: Sequence[Snapshot]) -> None:
    """Stats, files or the list in one of the forms for programs."""
    lines, write = _OF_MANY[what, form]
    write(lines(snapshots))


def write_one(form: str, whole: Snapshot) -> None:
    """A combination in one of the forms for programs."""
    lines, write = _OF_ONE[form]
    write(lines(whole))
