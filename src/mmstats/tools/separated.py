"""CSV and TSV: a header, and a row for each stat; what a histogram or a timer tells in columns of its own."""

from __future__ import annotations

import csv
import sys

from mmstats.distribution import Distributed
from mmstats.tools.machine import bare, size
from mmstats.tools.text import PERCENTILES, in_order, name_of, part_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mmstats.stat import Snapshot, Stat

    Row = Sequence[object]

OF_FILE = ("file", "cmd", "group", "pid", "state")
OF_WHOLE = ("group", "processes")
OF_STAT = ("name", "label", "kind", "unit", "value")
OF_DISTRIBUTION = ("count", "sum", "min", "max", "mean", *PERCENTILES)


def rows(snapshots: Sequence[Snapshot]) -> Iterator[Row]:
    """Of the stats of each file."""
    yield (*OF_FILE, *OF_STAT, *OF_DISTRIBUTION)
    for one in snapshots:
        head = [getattr(one.origin, name) for name in OF_FILE]
        for stat in one.stats:
            yield (*head, *_said(stat))


def file_rows(snapshots: Sequence[Snapshot]) -> Iterator[Row]:
    """Of the files themselves."""
    yield (*OF_FILE, "uid", "host", "started", "stats", "size")
    for one in snapshots:
        origin = one.origin
        head = [getattr(origin, name) for name in OF_FILE]
        yield (*head, origin.uid, origin.host, origin.started or "", len(one.stats), size(origin.file) or "")


def list_rows(snapshots: Sequence[Snapshot]) -> Iterator[Row]:
    """Of what is declared anywhere."""
    yield ("group", "name", "label", "kind", "unit", "help")
    yield from dict.fromkeys(
        (stat.group, name_of(stat.about), stat.label, stat.kind, stat.unit, stat.help)
        for one in snapshots
        for stat in one.stats
    )


def combined_rows(whole: Snapshot) -> Iterator[Row]:
    """Of a combination."""
    yield (*OF_WHOLE, *OF_STAT, *OF_DISTRIBUTION)
    for stat in whole.stats:
        yield (stat.group, whole.processes, *_said(stat))


def _said(stat: Stat) -> list[object]:
    value = stat.value
    said = [name_of(stat.about), stat.label, stat.kind, stat.unit]
    if isinstance(value, Distributed):
        return [*said, "", *(_text(part_of(value, word)) for word in OF_DISTRIBUTION)]
    return [*said, _text(value), *[""] * len(OF_DISTRIBUTION)]


def _text(value: object) -> object:
    if isinstance(value, (frozenset, tuple)):
        return ",".join(str(_text(one)) for one in in_order(value))
    return repr(value) if isinstance(value, float) else value


def write_csv(lines: Iterator[Row]) -> None:
    """As RFC 4180 has it, but for the line ends, which are this system's."""
    csv.writer(sys.stdout, lineterminator="\n").writerows(lines)


def write_tsv(lines: Iterator[Row]) -> None:
    r"""Tabs between, `\t`, `\n`, `\r` and `\\` for those in a text."""
    for line in lines:
        sys.stdout.write("\t".join(bare(str(text)) for text in line) + "\n")


ROWS = {"stats": rows, "files": file_rows, "list": list_rows}
WRITERS: dict[str, Callable[[Iterator[Row]], None]] = {"csv": write_csv, "tsv": write_tsv}
