"""slurpstats with options: which files, which stats, and how they are shown."""

from __future__ import annotations

import sys

from mmstats.read.snapshot import snapshot
from mmstats.stat import Snapshot
from mmstats.tools import ends
from mmstats.tools.options import parse
from mmstats.tools.parser import looked_at, no_process, processes
from mmstats.tools.select import Selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.stat import Stat
    from mmstats.tools.options import Options

NAME = "slurpstats"


def slurp(words: list[str]) -> int:
    """The exit code, after all was printed."""
    options = parse(words)
    if isinstance(options, int):
        return options
    taken = snapshot(options.files or None)
    readable = [one for one in taken if one.origin.uuid]
    chosen = processes(readable, options.where, alive=options.alive)
    if readable and not chosen:
        ends.say(NAME, no_process(options.where, len(readable), alive=options.alive))
        return ends.NOTHING
    selection = Selection(options.patterns, options.prefix)
    shown = chosen
    if options.selects:
        shown = [_with_stats(one, selection.of(one.stats)) for one in selection.settled(chosen)]
    if chosen and options.selects and not any(one.stats for one in shown):
        ends.say(NAME, selection.nothing(chosen))
        return ends.NOTHING
    whole = None
    if options.by is not None and chosen:
        whole, shown = _combined(shown, options)
        if whole is None:
            return ends.NOTHING
    return _told(taken, chosen, shown, whole, options)


def _told(
    taken: list[Snapshot],
    chosen: list[Snapshot],
    shown: list[Snapshot],
    whole: Snapshot | None,
    options: Options,
) -> int:
    """Write it, and say what there is to say; the exit code."""
    held = True
    if options.checks and chosen:
        from mmstats.tools.checking import offenders

        among = shown if whole is None else [whole]
        nothing, among = offenders(options.checks, among)
        if nothing:
            ends.say(NAME, nothing)
            return ends.NOTHING
        held = not any(one.stats for one in among)
        whole, shown = (whole, among) if whole is None else (among[0], shown)
    if held and options.checks:
        pass  # nothing to show
    elif whole is not None:
        _write_one(whole, shown, options)
    else:
        needed = options.selects or options.checks
        _write_many([one for one in shown if one.stats or not needed], options)
    if options.verbose:
        looked_at(NAME, taken)
    extra = [] if whole is None else [_only_problems(whole)]
    code = ends.close(NAME, [*taken, *extra], chosen, options.files, quiet=options.quiet)
    return code if held or code == ends.NOTHING else ends.UNMET


def _combined(shown: list[Snapshot], options: Options) -> tuple[Snapshot | None, list[Snapshot]]:
    """All that is selected as one, told apart by keys if some were named, and what was combined.

    None: there is no such key, and that was said.
    """
    shown = _bare(shown)
    if options.by:
        from mmstats.tools.by import no_such_key, told_apart

        unknown = no_such_key(shown, options.by)
        if unknown:
            ends.say(NAME, unknown)
            return None, shown
        shown = told_apart(shown, options.by)
    if options.aggregate:
        from mmstats.aggregate.chosen import choose

        return choose(options.aggregate, shown), shown
    from mmstats.aggregate.combine import combine

    return combine(shown), shown


def _write_one(whole: Snapshot, chosen: list[Snapshot], options: Options) -> None:
    if options.sort:
        from mmstats.tools.ordering import sorted_by

        (whole,) = sorted_by(options.sort, [whole])
    if options.what == "value":
        from mmstats.tools.machine import value_of

        for stat in whole.stats:
            sys.stdout.write(value_of(stat.value) + "\n")
    elif options.format == "table":
        from mmstats.tools.tables import write_combined

        write_combined(whole, chosen, options.style)
    elif options.format in ("prometheus", "openmetrics"):
        from mmstats.export import FORMATS

        sys.stdout.write(FORMATS[options.format].render(whole))
    elif options.format in ("csv", "tsv"):
        from mmstats.tools.separated import WRITERS, combined_rows

        WRITERS[options.format](combined_rows(whole))
    else:
        from mmstats.tools.machine import write_one

        write_one(options.format, whole)


def _write_many(shown: list[Snapshot], options: Options) -> None:
    if options.sort:
        from mmstats.tools.ordering import sorted_by

        shown = sorted_by(options.sort, shown)
    if options.format in ("csv", "tsv"):
        from mmstats.tools.separated import ROWS, WRITERS

        WRITERS[options.format](ROWS[options.what](shown))
    elif options.format != "table":
        from mmstats.tools.machine import write_many

        write_many(options.what, options.format, shown)
    elif options.what == "stats" and options.style.plain:
        from mmstats.tools.text import Listing

        text = Listing()
        for one in shown:
            sys.stdout.write(text.of(one))
    elif shown:
        from mmstats.tools import tables

        tables.WRITERS[options.what](shown, options.style)


def _with_stats(one: Snapshot, stats: list[Stat]) -> Snapshot:
    return Snapshot(one.merge, one.origin, one.problems, one.processes, stats)


def _bare(snapshots: list[Snapshot]) -> list[Snapshot]:
    """Without problems: those of the files are told by themselves."""
    return [
        Snapshot(one.merge, one.origin, [], one.processes, one._stats)  # noqa: SLF001 - asking makes objects
        for one in snapshots
    ]


def _only_problems(one: Snapshot) -> Snapshot:
    return Snapshot(None, one.origin, one.problems, 0, [])
