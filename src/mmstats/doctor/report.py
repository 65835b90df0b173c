"""What was found, for people: aligned, with a mark at each line, as wide as the terminal; and as JSON."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
import time

from mmstats import __version__
from mmstats.doctor.examination import is_well, wrong
from mmstats.doctor.finding import NOTE, OK, WRONG
from mmstats.tools.human import duration
from mmstats.tools.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmstats.doctor.examination import Section
    from mmstats.doctor.finding import Finding
    from mmstats.tools.style import Style

MARKS = {OK: "ok", NOTE: "- ", WRONG: "! "}
INDENT = 6  # of what stands behind a mark
NARROW, WIDE = 60, 120  # characters of a line
LONG = 26  # of a name that others are lined up with
HEADS = ("COUNTS", "STATE", "PID", "CMD", "AGE", "STATS", "FILE")
TO_THE_RIGHT = ("PID", "AGE", "STATS")
CUT = 16  # characters of a command
MAY_BE_LEFT_OUT = ("folding", "dropped")  # sections that people need not see where there is nothing
LEGEND = {
    "gone": "gone: the process has ended, and what survives that counts: counters, sums, what has keep=True",
    "unknown": "unknown: counted like one that is alive",
    "retired": "retired: totals of processes that are gone",
}


def as_json(sections: Sequence[Section]) -> str:
    """One object. Keys are a promise (`"schema": 1`): new ones may come, none goes or changes."""
    whole: dict[str, object] = {"schema": 1, "t": round(time.time(), 3), "version": __version__}
    whole["ok"] = is_well(sections)
    for section in sections:
        whole[section.key] = [_object(finding) for finding in section.findings]
    for key in MAY_BE_LEFT_OUT:
        whole.setdefault(key, [])
    return json.dumps(whole, indent=1, allow_nan=False)


def _object(finding: Finding) -> dict[str, object]:
    said = {"mark": finding.mark, "name": finding.name, "text": finding.text, "hint": finding.hint}
    return {**said, **finding.facts}


def as_text(sections: Sequence[Section], style: Style) -> str:
    """Section by section; the last line is the point."""
    width = max(NARROW, min(WIDE, shutil.get_terminal_size((100, 24)).columns)) - 1
    lines: list[str] = []
    for section in sections:
        lines += [section.title, *_body(section, width, style), ""]
    return "\n".join([*lines, *_end(sections, style)]) + "\n"


def _body(section: Section, width: int, style: Style) -> Iterator[str]:
    if not section.findings:
        yield from _wrapped(section.nothing, width, " " * INDENT)
    elif section.key == "files":
        yield from _table(section.findings, width, style)
    else:
        known = [len(shown(finding.name)) for finding in section.findings]
        column = max((length for length in known if length <= LONG), default=0)
        for finding in section.findings:
            yield from _lines(finding, column, width, style)


def _lines(finding: Finding, column: int, width: int, style: Style) -> Iterator[str]:
    """Mark, name, text; a long name has a line of its own."""
    name, text = shown(finding.name), shown(finding.text)
    behind = " " * (INDENT + column + 2)
    if len(name) <= column:
        first = f"{name:<{column}}  "
        yield from _marked(finding, first, text, width, behind, style)
    else:
        yield from _marked(finding, name, "", width, behind, style)
        yield from _wrapped(text, width, behind)
    if finding.hint:
        yield from _wrapped("→ " + shown(finding.hint), width, behind)


def _marked(finding: Finding, first: str, text: str, width: int, behind: str, style: Style) -> Iterator[str]:
    mark = f"  {MARKS[finding.mark]}  "
    head, *rest = list(_wrapped(text, width, behind)) or [""]
    line = mark + first + head[len(behind) :] if text else mark + first
    yield style.alarm(line.rstrip()) if finding.mark == WRONG else line.rstrip()
    yield from rest


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        *(text, width), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


# --- files -----------------------------------------------------------------------------------------


def _table(findings: Sequence[Finding], width: int, style: Style) -> Iterator[str]:
    """A row for each file below its directory, and below that row why it does not count."""
    rows = [_row(finding) for finding in findings]
    widths = [max(map(len, column)) for column in zip(HEADS, *rows)]
    yield " " * INDENT + _joined(HEADS, widths)
    directory = ""
    for finding, row in zip(findings, rows):
        if os.path.dirname(finding.name) != directory:
            directory = os.path.dirname(finding.name)
            yield " " * INDENT + shown(os.path.join(directory, ""))
        line = f"  {MARKS[finding.mark]}  {_joined(row, widths)}"
        yield style.alarm(line) if finding.mark == WRONG else line
        yield from _wrapped(shown(finding.text), width, " " * (INDENT + 2))
        if finding.hint:
            yield from _wrapped("→ " + shown(finding.hint), width, " " * (INDENT + 2))
    yield from _legend(findings, width)


def _row(finding: Finding) -> list[str]:
    facts = finding.facts
    age = facts.get("age")
    return [
        facts["counts"],
        facts.get("state", "-"),
        str(facts.get("pid") or "-"),
        _cut(facts.get("cmd") or "-"),
        duration(age) if age is not None else "-",
        str(facts.get("stats", "-")),
        shown(os.path.basename(finding.name)),
    ]


def _cut(text: str) -> str:
    text = shown(text)
    return text if len(text) <= CUT else text[: CUT - 1] + "…"


def _joined(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        text.rjust(width) if head in TO_THE_RIGHT else text.ljust(width)
        for head, text, width in zip(HEADS, row, widths)
    ]
    return "  ".join(cells).rstrip()


def _legend(findings: Sequence[Finding], width: int) -> Iterator[str]:
    states = {finding.facts.get("state") for finding in findings}
    for state, text in LEGEND.items():
        if state in states:
            yield from _wrapped(text, width, " " * INDENT)


# --- the end ---------------------------------------------------------------------------------------


def _end(sections: Sequence[Section], style: Style) -> Iterator[str]:
    found = next(section.findings for section in sections if section.key == "files")
    counted = sum(finding.facts["counts"] != "no" for finding in found)
    files = f"{counted} of {len(found)} files counted" if found else "there is no file"
    bad = len(wrong(sections))
    if not bad:
        yield f"All is well; {files}."
    else:
        yield style.alarm(f"{bad} {'line' if bad == 1 else 'lines'} marked ! above; {files}.")
