"""Tables for people: all processes as one, the files, what is declared, and the listing on a terminal."""

from __future__ import annotations

import os
import sys
import time

from mmstats.aggregate.combine import agree, gather
from mmstats.kinds import rule
from mmstats.tools.human import BINARY, duration, human, scaled
from mmstats.tools.text import WIDEST, name_of, shown, value_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.aggregate.combine import Share
    from mmstats.stat import Snapshot, Stat
    from mmstats.tools.style import Style

NUMBERS = (int, float)
WIDEST_VALUE = 40  # characters of a combined one


def write_combined(whole: Snapshot, chosen: Sequence[Snapshot], style: Style) -> None:
    """One table: each stat of all processes, with the least, the greatest, and who has that."""
    stats = whole.stats
    sys.stdout.write(
        f"{_of(whole.processes, 'process', 'es')} · {_of(len(chosen), 'file')} · {_of(len(stats), 'stat')}\n"
    )
    shares = gather(chosen)
    rules = [rule(stat.kind, stat.aggregate) for stat in stats]
    summed = set(rules) <= {"sum"}
    groups = len({stat.group for stat in stats}) > 1
    heads = [
        *["GROUP"] * groups,
        "LABEL",
        "KIND",
        *(["SUM"] if summed else ["VALUE", "OF"]),
        "MIN",
        "MAX",
        "WHO HAS MAX",
    ]
    rows = []
    for stat, word in zip(stats, rules):
        found = shares.get((stat.group, stat.about.label, stat.about.tags))
        of_each = agree(found, []) if found else []  # none: a process's own, which nobody shares
        value = _cut(_number(stat.value, stat, style), stat.value)
        how = [] if summed else [f"{word} of {len(of_each) or 1}"]
        row = [name_of(stat.about), stat.kind, value, *how, *_extremes(stat, of_each, style)]
        rows.append([*[stat.group] * groups, *row])
    right = {"SUM", "VALUE", "MIN", "MAX"}
    write_table(heads, rows, right)


def write_files(snapshots: Sequence[Snapshot], style: Style) -> None:
    """A line for each file: what its writer is, and how old and large."""
    rows = []
    for one in snapshots:
        origin = one.origin
        state = origin.state
        rows.append(
            [
                state,
                str(origin.pid),
                origin.cmd,
                _age(one),
                str(len(one.stats)),
                _size(origin.file, style),
                origin.file,
            ]
        )
    write_table(
        ["STATE", "PID", "CMD", "AGE", "STATS", "SIZE", "FILE"], rows, {"PID", "STATS", "SIZE"}, style
    )


def write_list(snapshots: Sequence[Snapshot], style: Style) -> None:  # noqa: ARG001
    """A line for each stat that is declared anywhere: label, kind, unit, help."""
    found: dict[tuple[str, str, str], str] = {}
    for one in snapshots:
        for stat in one.stats:
            found.setdefault((name_of(stat.about), stat.kind, stat.unit), stat.help)
    rows = [[*about, text] for about, text in sorted(found.items())]
    write_table(["LABEL", "KIND", "UNIT", "HELP"], rows, set())


def write_stats(snapshots: Sequence[Snapshot], style: Style) -> None:
    """0.8's listing for a terminal: what labels have in common dim, numbers to the right, with units."""
    for one in snapshots:
        note = "" if one.origin.state == "alive" else f"  ({one.origin.state})"
        lines = [f"==> {shown(one.origin.file)}{style.alarm(note)}\n"]
        rows = [(shown(name_of(stat.about)), stat, _plain(stat, style)) for stat in one.stats]
        width = min(max((len(name) for name, _, _ in rows), default=0), WIDEST)
        digits = max((len(text) for _, stat, text in rows if _is_number(stat.value)), default=0)
        for name, stat, text in rows:
            value = text.rjust(digits) if _is_number(stat.value) else text
            lines.append(f"  {_dimmed(name, style)}{' ' * (width - len(name))} {value}\n")
        sys.stdout.write("".join([*lines, "\n"]))


def write_table(heads: list[str], rows: list[list[str]], right: set[str], style: Style | None = None) -> None:
    """Columns as wide as their longest entry, within reason; two spaces before each."""
    clean = [[shown(text) for text in row] for row in rows]
    widths = [min(max(map(len, column)), WIDEST) for column in zip(heads, *clean)]
    for row in [heads, *clean]:
        cells = [
            text.rjust(width) if head in right else text.ljust(width)
            for head, text, width in zip(heads, row, widths)
        ]
        line = ("  " + "  ".join(cells)).rstrip()
        gone = style is not None and row[0] == "gone"
        sys.stdout.write((style.alarm(line) if style and gone else line) + "\n")


def _extremes(stat: Stat, shares: list[Share], style: Style) -> list[str]:
    """The least and the greatest of the processes' own values, and whose the greatest is."""
    numbers = [share for share in shares if _is_number(share.stat.value) and share.stat.parts is not None]
    if not numbers:
        return ["", "", ""]
    least = min(numbers, key=lambda share: share.stat.value)
    most = max(numbers, key=lambda share: share.stat.value)
    who = f"{most.origin.cmd} {most.origin.pid or most.origin.state}"
    return [_number(least.stat.value, stat, style), _number(most.stat.value, stat, style), who]


def _number(value: object, stat: Stat, style: Style) -> str:
    if not style.human:
        return value_text(value)
    return human(value, stat.unit, counts=stat.kind in ("counter", "updown"))


def _plain(stat: Stat, style: Style) -> str:
    return human(stat.value, stat.unit) if style.human else value_text(stat.value)


def _cut(text: str, value: object) -> str:
    """A column's worth of many values or of a long text; --jsonl has all of it."""
    if isinstance(value, (frozenset, tuple)) and len(value) > 1:
        text = f"{len(value)} values: {text}"
    return text if len(text) <= WIDEST_VALUE else text[: WIDEST_VALUE - 1] + "…"


def _is_number(value: object) -> bool:
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def _dimmed(name: str, style: Style) -> str:
    label, brace, tags = name.partition("{")
    prefix, dot, last = label.rpartition(".")
    return style.dim(prefix + dot) + last + brace + tags


def _of(count: int, word: str, plural: str = "s") -> str:
    return f"{count} {word}{'' if count == 1 else plural}"


def _age(one: Snapshot) -> str:
    began = one.origin.started or one.origin.created
    return duration(time.time() - began) if began else "?"


def _size(path: str, style: Style) -> str:
    try:
        size = os.lstat(path).st_size
    except OSError:
        return "?"
    return scaled(size, 1024, BINARY) if style.human else str(size)


WRITERS = {"stats": write_stats, "files": write_files, "list": write_list}
