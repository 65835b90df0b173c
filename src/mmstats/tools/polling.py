"""pollstats at work: sample after sample, each with the one before it, one row each."""

from __future__ import annotations

import os
import sys
from math import isnan

from mmstats.read.sampler import Sampler
from mmstats.tools import ends
from mmstats.tools.by import no_such_key
from mmstats.tools.columns import VALUE
from mmstats.tools.moment import Moment, Sample
from mmstats.tools.parser import no_process, processes
from mmstats.tools.poll_fields import Field, Known, busiest, columns_of, nothing_called
from mmstats.tools.poll_options import NAME, parse
from mmstats.tools.poll_rows import TOTAL, comings
from mmstats.tools.select import WordsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Protocol

    from mmstats.stat import About
    from mmstats.tools.columns import Column
    from mmstats.tools.expressions import Expression
    from mmstats.tools.poll_options import Options

    class Output(Protocol):
        """What rows are given to."""

        def row(
            self,
            columns: Sequence[Column],
            moment: Moment,
            rows: dict[tuple[str, ...], list[Any]],
            note: str = "",
        ) -> None: ...
        def summary(self, columns: Sequence[Column], lines: Iterable[tuple[str, list[Any]]]) -> None: ...


def poll(words: list[str]) -> int:
    """The exit code, after the last row."""
    options = parse(words)
    if isinstance(options, int):
        return options
    samples, close = _source(options)
    try:
        return Poll(options, _output(options)).run(samples)
    except WordsError as error:
        ends.say(NAME, str(error))
        return ends.PARTLY
    finally:
        close()


def _source(options: Options) -> tuple[Iterator[Sample], Callable[[], None]]:
    """Samples as they are taken, or as they were; and what is to be done in the end."""
    if options.replay is not None:
        from mmstats.tools.recordings import replayed

        return replayed(options.replay, options.speed), lambda: None
    samples = taken(Sampler(options.files or None, options.interval))
    if options.record is None:
        return samples, lambda: None
    from mmstats.tools.recordings import Recording

    recording = Recording(options.record)
    return recording.of(samples), recording.close


def taken(sampler: Sampler) -> Iterator[Sample]:
    """What a Sampler gives, with its times."""
    for snapshots in sampler:
        yield Sample(snapshots, sampler.at, sampler.elapsed, sampler.interval)


def _output(options: Options) -> Output:
    if options.format == "table":
        from mmstats.tools.poll_rows import Table

        return Table(options, _width)
    from mmstats.tools import poll_machine

    if options.format == "jsonl":
        return poll_machine.JsonLines()
    return poll_machine.Separated(tabs=options.format == "tsv")


def _width() -> int:
    """Characters of a line; 0 in a pipe."""
    if not sys.stdout.isatty():
        return 0
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return 0


class Poll:
    """Rows of samples. `notes`: who comes and goes stands behind the row; else on stderr, if it is wanted."""

    def __init__(self, options: Options, output: Output, *, notes: bool | None = None) -> None:
        self._options = options
        self._output = output
        self._notes = options.format == "table" and sys.stdout.isatty() if notes is None else notes
        awaited = [Field(f"{each.name}:{each.part or VALUE}") for each in options.until]
        self._fields = options.fields or awaited
        self._columns: list[Column] = []
        self._missing: list[Field] = []
        self._until: list[tuple[Expression, list[Column]]] = [(each, []) for each in options.until]
        self._is_met = False
        self._history: list[list[Any]] = []  # of all rows, if they are to be summed up
        self._said: set[str] = set()

    def run(self, samples: Iterator[Sample]) -> int:
        """The exit code, after the last row, or Ctrl-C."""
        try:
            code = self._run(samples)
        except KeyboardInterrupt:
            code = ends.OK
        if self._history:
            self._output.summary(self._columns, summed_up(self._history))
            sys.stdout.flush()
        return code

    def _run(self, samples: Iterator[Sample]) -> int:
        before = self._next(samples)
        code = self._begin(before) if before is not None else ends.NOTHING
        if code or before is None:
            return code
        if self._fields and self._options.totals:
            self._total(before)
        for now in iter(lambda: self._next(samples), None):
            if not (self._fields or self._choose_busiest(before, now)):
                return ends.NOTHING
            if self._row(before, now):
                break
            before = now
        return self._end()

    def _begin(self, first: Sample) -> int:
        """Whether there is anything to begin with; 0 where there is, or where it is waited for."""
        if self._options.until:
            self._resolve(first)
            return ends.OK
        if not first.snapshots:
            return ends.NOTHING
        if self._fields:
            missing, known = self._resolve(first)
            unknown = no_such_key(first.snapshots, self._options.by)
            if unknown:
                ends.say(NAME, unknown)
                return ends.NOTHING
            if missing:
                ends.say(NAME, nothing_called(missing, self._options.prefix, known))
                return ends.NOTHING
        return ends.OK

    def _end(self) -> int:
        """The code after the last row."""
        if self._options.until and not self._is_met:
            return ends.UNMET
        return ends.PARTLY if self._said else ends.OK

    def _next(self, samples: Iterator[Sample]) -> Sample | None:
        """The next sample with the processes that are wanted; None: there is none."""
        sample = next(samples, None)
        if sample is None:
            return None
        self._tell(sample)
        readable = [one for one in sample.snapshots if one.origin.uuid]
        where, alive = self._options.where, self._options.alive
        chosen = processes(readable, where, alive=alive) if where or alive else readable
        if not self._columns and not chosen and not self._options.until:
            words = self._options.files
            ends.say(
                NAME,
                no_process(where, len(readable), alive=alive)
                if readable
                else ends.nothing_found(NAME, words),
            )
        return Sample(chosen, sample.at, sample.elapsed, sample.interval)

    def _tell(self, sample: Sample) -> None:
        """Say what could not be read, once each."""
        for one in sample.snapshots:
            for problem in one.problems:
                if str(problem) not in self._said:
                    self._said.add(str(problem))
                    if not self._options.quiet:
                        ends.say(NAME, ends.on_one_line(str(problem)))

    def _choose_busiest(self, before: Sample, now: Sample) -> bool:
        self._fields = busiest(before, now)
        if not self._fields:
            ends.say(NAME, "there are no counters; name FIELDS")
            return False
        ends.say(NAME, f"no FIELDS; the busiest counters: {','.join(field.text for field in self._fields)}")
        self._resolve(now)
        return True

    def _resolve(self, sample: Sample) -> tuple[list[Field], Known]:
        """Find the columns of the fields, and of what is waited for; the fields that name nothing yet."""
        known, prefix = Known(sample.snapshots), self._options.prefix
        self._columns, self._missing = columns_of(self._fields, prefix, known, self._options.word)
        self._until = [
            (each, columns_of([Field(each.name)], prefix, known, each.part or VALUE)[0])
            for each, _ in self._until
        ]
        return self._missing, known

    def _row(self, before: Sample, now: Sample) -> bool:
        """Write one row; whether it was the last one."""
        if self._missing or not all(columns for _, columns in self._until):
            self._resolve(now)
        moment = Moment(before, now, self._wanted, self._options.by)
        note = comings(moment.came, moment.went)
        if note and not self._notes and self._options.verbose:
            ends.say(NAME, note)
        rows = rows_of(self._columns, moment)
        self._output.row(self._columns, moment, rows, note if self._notes else "")
        sys.stdout.flush()
        if self._options.summary:
            self._history.extend(rows.values())
        self._is_met = bool(self._until) and all(
            _is_met(each, columns, moment) for each, columns in self._until
        )
        count = self._options.count
        if count is not None:
            self._options.count = count = count - 1
        return self._is_met or count == 0

    def _total(self, first: Sample) -> None:
        """What there was before: 0.8's first row."""
        moment = Moment(Sample([], 0.0, 0.0), first, self._wanted, self._options.by)
        moment.grown = moment.now
        self._output.row(self._columns, moment, rows_of(self._columns, moment), TOTAL)
        sys.stdout.flush()

    def _wanted(self, about: About) -> bool:
        columns = [*self._columns, *(column for _, columns in self._until for column in columns)]
        return any(column.matches(about) for column in columns)


def rows_of(columns: Sequence[Column], moment: Moment) -> dict[tuple[str, ...], list[Any]]:
    """What each column shows of each row; without keys that is one row.

    What has none of the keys, as the retired totals have no pid, is a row only where there is anything.
    """
    rows: dict[tuple[str, ...], list[Any]] = {} if moment.keys else {(): [None] * len(columns)}
    for at, column in enumerate(columns):
        for tags, number in column.numbers(moment).items():
            said = dict(tags)
            key = tuple(said.get(name, "") for name in moment.keys)
            rows.setdefault(key, [None] * len(columns))[at] = number
    return {key: numbers for key, numbers in sorted(rows.items()) if not key or any(key) or any(numbers)}


def _is_met(expression: Expression, columns: Sequence[Column], moment: Moment) -> bool:
    """Whether it is true of all that it says anything of, and of anything at all."""
    numbers = [number for column in columns for number in column.numbers(moment).values()]
    return bool(numbers) and all(map(expression.met, numbers))


def summed_up(history: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    """The least, the mean, the most and the total of each column."""
    columns = [
        [number for number in column if isinstance(number, (int, float)) and not isnan(number)]
        for column in zip(*history)
    ]
    for word, work in (
        ("min", min),
        ("avg", lambda numbers: sum(numbers) / len(numbers)),
        ("max", max),
        ("total", sum),
    ):
        yield word, [work(numbers) if numbers else None for numbers in columns]
