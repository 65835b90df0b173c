"""pollstats for programs: CSV, TSV and JSON lines. Never rounded, never humanised; keys may be added."""

from __future__ import annotations

import csv
import sys

from mmstats.tools.machine import bare, number, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from mmstats.tools.columns import Column
    from mmstats.tools.moment import Moment

    Row = tuple[str, ...]


class JsonLines:
    """An object for each row."""

    def __init__(self, out: Callable[[str], object] | None = None) -> None:
        self._out = out or sys.stdout.write

    def row(
        self, columns: Sequence[Column], moment: Moment, rows: dict[Row, list[Any]], note: str = ""
    ) -> None:
        """One line each."""
        head = f'{{"schema":1,"t":{moment.at:.3f},"dt":{number(moment.elapsed)},"procs":{moment.processes}'
        head += ',"total":true' if note == "total" else ""
        for key, numbers in rows.items():
            by = ",".join(f"{quote(name)}:{quote(text)}" for name, text in zip(moment.keys, key))
            values = ",".join(
                f"{quote(column.name)}:{_json(value)}" for column, value in zip(columns, numbers)
            )
            self._out(head + (f',"by":{{{by}}}' if moment.keys else "") + f',"values":{{{values}}}}}\n')

    def summary(self, columns: Sequence[Column], lines: Iterable[tuple[str, list[Any]]]) -> None:
        """One object."""
        said = []
        for word, numbers in lines:
            values = ",".join(
                f"{quote(column.name)}:{_json(value)}" for column, value in zip(columns, numbers)
            )
            said.append(f"{quote(word)}:{{{values}}}")
        self._out(f'{{"schema":1,"summary":{{{",".join(said)}}}}}\n')


def _json(value: Any) -> str:
    return "null" if value is None else number(value)


class Separated:
    """A header once, then a line for each row. `tabs`: between, else commas as CSV has them."""

    def __init__(self, *, tabs: bool, out: Callable[[str], object] | None = None) -> None:
        self._out = out or sys.stdout.write
        self._tabs = tabs
        self._headed = False
        self._csv = csv.writer(_Writer(self._out), lineterminator="\n")

    def row(
        self, columns: Sequence[Column], moment: Moment, rows: dict[Row, list[Any]], note: str = ""
    ) -> None:
        """One line each; the totals are a line like others, in which `dt` is empty."""
        if not self._headed:
            self._headed = True
            self._line(["t", "dt", "procs", *moment.keys, *(column.name for column in columns)])
        elapsed = "" if note == "total" else repr(moment.elapsed)
        for key, numbers in rows.items():
            self._line([f"{moment.at:.3f}", elapsed, moment.processes, *key, *map(_text, numbers)])

    def summary(self, columns: Sequence[Column], lines: Iterable[tuple[str, list[Any]]]) -> None:
        """Nothing: whoever reads rows can do that, and would take it for one."""

    def _line(self, cells: list[Any]) -> None:
        if self._tabs:
            self._out("\t".join(bare(str(one)) for one in cells) + "\n")
        else:
            self._csv.writerow(cells)


class _Writer:
    """What the csv module writes to."""

    def __init__(self, out: Callable[[str], object]) -> None:
        self.write = out


def _text(value: Any) -> Any:
    if isinstance(value, (frozenset, tuple)):
        return ",".join(sorted(map(str, value)))
    return "" if value is None else repr(value) if isinstance(value, float) else value
