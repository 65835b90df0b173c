"""slurpstats with options: which files, which stats, and how they are shown."""

from __future__ import annotations

import sys

from mmstats.aggregate.combine import combine
from mmstats.read.snapshot import snapshot
from mmstats.stat import Snapshot
from mmstats.tools import ends
from mmstats.tools.options import parse
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
    chosen = _processes(readable, options)
    if readable and not chosen:
        ends.say(NAME, _no_process(options, len(readable)))
        return ends.NOTHING
    selection = Selection(options.patterns, options.prefix)
    shown = chosen
    if options.selects:
        shown = [_with_stats(one, selection.of(one.stats)) for one in selection.settled(chosen)]
    if chosen and options.selects and not any(one.stats for one in shown):
        ends.say(NAME, selection.nothing(chosen))
        return ends.NOTHING
    problems = _print(chosen, shown, selection, options)
    _verbose(taken, options)
    if problems is None:
        return ends.NOTHING
    extra = [_only_problems(one) for one in problems]
    return ends.close(NAME, [*taken, *extra], chosen, options.files, quiet=options.quiet)


def _print(
    chosen: list[Snapshot], shown: list[Snapshot], selection: Selection, options: Options
) -> list[Snapshot] | None:
    """Write what was asked for to stdout; what has problems to tell besides the files themselves.

    None: it was not written, and that was said.
    """
    if options.by and chosen:
        return _by_keys(options.by, _bare(shown), options)
    if options.by is not None and chosen:
        whole = combine(_bare(chosen))
        whole = _with_stats(whole, selection.of(whole.stats))
        _write_one(whole, chosen, options)
        return [whole]
    _write_many([one for one in shown if one.stats or not options.selects], options)
    return []


def _by_keys(keys: tuple[str, ...], shown: list[Snapshot], options: Options) -> list[Snapshot] | None:
    """Likewise: the combination of what is selected, told apart by some keys."""
    from mmstats.aggregate.keys import kept, tags_of
    from mmstats.tools.where import OF_ORIGIN

    properties = {name: find for name, find in OF_ORIGIN.items() if name != "age"}
    known = tags_of(shown) | properties.keys()
    for key in keys:
        if key not in known:
            from mmstats.near import close

            near = close(key, known)
            ends.say(NAME, f"nothing has a tag {key!r}" + (f". Close: {', '.join(near)}" if near else ""))
            return None
    told_apart = kept(shown, keys, properties)
    whole = combine(told_apart)
    _write_one(whole, told_apart, options)
    return [whole]


def _write_one(whole: Snapshot, chosen: list[Snapshot], options: Options) -> None:
    if options.format == "table":
        from mmstats.tools.tables import write_combined

        write_combined(whole, chosen, options.style)
    else:
        from mmstats.tools.machine import write_one

        write_one(options.format, whole)


def _write_many(shown: list[Snapshot], options: Options) -> None:
    if options.format != "table":
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


def _processes(readable: list[Snapshot], options: Options) -> list[Snapshot]:
    chosen = (
        [one for one in readable if one.origin.state in ("alive", "unknown")] if options.alive else readable
    )
    return [one for one in chosen if all(condition.holds(one) for condition in options.where)]


def _no_process(options: Options, looked_at: int) -> str:
    conditions = [condition.text for condition in options.where] + ["state alive or unknown"] * options.alive
    return f"no process matches {' and '.join(conditions)}; looked at {looked_at}"


def _with_stats(one: Snapshot, stats: list[Stat]) -> Snapshot:
    return Snapshot(one.merge, one.origin, one.problems, one.processes, stats)


def _bare(snapshots: list[Snapshot]) -> list[Snapshot]:
    """Without problems: those of the files are told by themselves."""
    return [Snapshot(one.merge, one.origin, [], one.processes, one.stats) for one in snapshots]


def _only_problems(one: Snapshot) -> Snapshot:
    return Snapshot(None, one.origin, one.problems, 0, [])


def _verbose(taken: list[Snapshot], options: Options) -> None:
    """With -v: each file that was looked at, and what its writer is."""
    if options.verbose:
        from mmstats.tools.text import shown

        for one in taken:
            origin = one.origin
            ends.say(
                NAME,
                shown(f"{origin.file}: {origin.state}, {origin.cmd} {origin.pid}, {len(one.stats)} stats"),
            )
