"""pollstats for people: columns as wide as they need, a header now and then, marks, who came and who went."""

from __future__ import annotations

import sys
import time

from mmstats.tools.columns import DELTA
from mmstats.tools.human import BINARY, scaled, seconds
from mmstats.tools.text import float_text, shown, value_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from mmstats.stat import Origin
    from mmstats.tools.columns import Column
    from mmstats.tools.moment import Moment
    from mmstats.tools.poll_options import Options

    Row = tuple[str, ...]

NORMAL, NARROW = 8, 7  # characters of a column
PROCS = "procs"
NOTHING = "-"
LATE = 0.1  # of an interval, from which on a row is marked
INFINITY = float("inf")


class Table:
    """Writes rows. `width()`: characters of a line, 0 where there is no end; `out`: what takes the text."""

    def __init__(
        self, options: Options, width: Callable[[], int], out: Callable[[str], object] | None = None
    ) -> None:
        self._options = options
        self._style = options.style
        self._width_of = width
        self._out = out or sys.stdout.write
        self._width = -1
        self._since_header = 0
        self._widths: list[int] = []
        self._common = ""
        self._columns: list[Column] = []

    def row(
        self, columns: Sequence[Column], moment: Moment, rows: dict[Row, list[Any]], note: str = ""
    ) -> None:
        """One line for each row, or with --vertical for each column."""
        if self._options.vertical:
            self._vertical(columns, moment, rows, note)
            return
        width = self._width_of()
        headers = self._options.headers
        if width != self._width or columns != self._columns or (headers and self._since_header >= headers):
            self._width, self._columns = width, list(columns)
            self._header(columns, moment)
        self._since_header += 1
        for key, numbers in rows.items():
            cells = [
                self._painted(column, number, at) for at, (column, number) in enumerate(zip(columns, numbers))
            ]
            line = [*self._front(moment, key), *cells[: len(self._widths)], f"{moment.processes:>{NARROW}}"]
            text, behind = " ".join(line), self._notes(moment, note)
            if width and len(text) + len(behind) > width and not self._style.color:
                behind = f"\n{behind}"  # below, where there is no room behind
            self._out(f"{text}{behind}\n")
            note = note if note == TOTAL else ""

    def summary(self, columns: Sequence[Column], lines: Iterable[tuple[str, list[Any]]]) -> None:
        """A line each of the least, the mean, the most and the total of each column."""
        self._out("\n")
        for word, numbers in lines:
            if self._options.vertical:
                said = " ".join(
                    f"{column.name}={self._cell(column, number)}" for column, number in zip(columns, numbers)
                )
                self._out(f"{word}: {said}\n")
                continue
            cells = [
                self._cell(column, number).rjust(width)
                for column, number, width in zip(columns, numbers, self._widths)
            ]
            self._out(" ".join([*[" " * 8] * self._options.clock, *cells, f" {word}"]) + "\n")

    def _header(self, columns: Sequence[Column], moment: Moment) -> None:
        self._since_header = 0
        names = [shown(column.name) for column in columns]
        self._common = "" if self._options.prefix else in_common(names)
        names = [name[len(self._common) :] for name in names]
        said = self._said(columns, moment)
        if said:
            self._out(self._style.dim(said) + "\n")
        front = [" " * 8] * self._options.clock + [f"{key:<12}" for key in moment.keys]
        room = self._width - sum(map(len, front)) - len(front) - NARROW - 1 if self._width else 0
        self._widths, left_out = fitting(names, room)
        cells = [cut(name, width).rjust(width) for name, width in zip(names, self._widths)]
        line = " ".join([*front, *cells, f"{PROCS:>{NARROW}}"])
        self._out(self._style.dim(line + _left_out(left_out, self._width - len(line))) + "\n")

    def _said(self, columns: Sequence[Column], moment: Moment) -> str:
        """What the numbers are, where that is the same for all."""
        prefix = self._options.prefix or self._common
        if any(column.word != DELTA for column in columns):
            return prefix
        each = f"delta per {moment.interval:g} s"
        by = f"by {', '.join(moment.keys)}" if moment.keys else _sum_of(moment.processes)
        return f"{prefix}   {each}, {by}".strip()

    def _front(self, moment: Moment, key: Row) -> list[str]:
        clock = [time.strftime("%H:%M:%S", time.localtime(moment.at))] if self._options.clock else []
        return clock + [cut(shown(text), 12).ljust(12) for text in key]

    def _painted(self, column: Column, number: Any, at: int) -> str:
        text = self._cell(column, number)
        mark = self._mark(column, number)
        padded = (text + mark).rjust(self._widths[at] if at < len(self._widths) else 0)
        return self._style.alarm(padded) if mark else padded

    def _mark(self, column: Column, number: Any) -> str:
        for mark, expression in self._options.alarms:
            of_column = expression.matches(column.about) or expression.matches(
                column.about, self._options.prefix
            )
            of_column = of_column or expression.matches(column.about, self._options.prefix + ".")
            if of_column and expression.part in ("", column.word) and expression.met(number):
                return mark
        return ""

    def _cell(self, column: Column, number: Any) -> str:
        return cell(number, column.unit, raw=self._options.raw)

    def _notes(self, moment: Moment, note: str) -> str:
        is_late = note != TOTAL and moment.elapsed - moment.interval > LATE * moment.interval
        said = " ".join(part for part in ("~" * is_late, note) if part)
        return f"  {said}" if said else ""

    def _vertical(
        self, columns: Sequence[Column], moment: Moment, rows: dict[Row, list[Any]], note: str
    ) -> None:
        wide = max((len(shown(column.name)) for column in columns), default=0)
        for key, numbers in rows.items():
            clock = time.strftime("%H:%M:%S", time.localtime(moment.at))
            self._out(
                " ".join([clock, *map(shown, key), f"{moment.processes} {PROCS}"])
                + self._notes(moment, note)
                + "\n"
            )
            self._widths = [0] * len(columns)
            for at, (column, number) in enumerate(zip(columns, numbers)):
                self._out(f"  {shown(column.name):<{wide}}  {self._painted(column, number, at)}\n")


TOTAL = "total"


def _sum_of(processes: int) -> str:
    return f"sum of {processes} process{'' if processes == 1 else 'es'}"


def cell(number: Any, unit: str, *, raw: bool) -> str:
    """A number as people read it, or with all that is known of it."""
    if number is None:
        return NOTHING
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not -INFINITY < number < INFINITY:
        return value_text(number)
    if raw:
        return float_text(number) if isinstance(number, float) else str(number)
    if unit == "seconds":
        return seconds(number)
    if unit == "bytes":
        return scaled(number, 1024, BINARY)
    return f"{int(number):,}" if number == int(number) else _few_digits(number)


def _few_digits(number: float) -> str:
    return f"{number:,.1f}" if abs(number) >= 100 else f"{number:.3g}"


def fitting(names: Sequence[str], room: int) -> tuple[list[int], int]:
    """How wide each column is in that room, 0 for any; and how many have none."""
    widths = [max(NORMAL, len(name)) for name in names]
    if not room or sum(widths) + len(widths) <= room:
        return widths, 0
    while sum(widths) + len(widths) > room and max(widths) > NARROW:
        widest = widths.index(max(widths))
        widths[widest] -= 1
    fit = max(1, min(len(widths), room // (NARROW + 1)))
    return widths[:fit], len(widths) - fit


def in_common(names: Sequence[str]) -> str:
    """What all names begin with, to a dot: said once above them. Of a single one it is nothing."""
    if len(names) < 2:
        return ""
    least, most = min(names), max(names)
    length = next((at for at, (one, other) in enumerate(zip(least, most)) if one != other), len(least))
    return least[: least.rfind(".", 0, length) + 1]


def _left_out(count: int, room: int) -> str:
    """How many columns there is no room for, and what to do if there is room to say it."""
    if not count:
        return ""
    said = f"  … +{count}"
    hint = " (--vertical or a wider terminal)"
    return said + hint if len(said + hint) <= room else said


def cut(text: str, width: int) -> str:
    """The text, cut in its middle where it is wider."""
    if len(text) <= width:
        return text
    left = (width - 1) // 2
    return f"{text[:left]}…{text[len(text) - (width - 1 - left) :]}"


def comings(came: Sequence[Origin], went: Sequence[Origin]) -> str:
    """Who came, and who went, in a word each; of very many how many."""
    said = [f"+{shown(one.cmd)} {one.pid}" for one in came] + [f"-{shown(one.cmd)} {one.pid}" for one in went]
    return "  ".join(said) if len(said) <= 3 else f"+{len(came)} -{len(went)} processes"
