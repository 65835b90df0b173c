"""`python -m mmstats export`: all processes as one, for Prometheus, on stdout or in a file.

The file is for node_exporter's textfile collector: it is written beside and renamed, so that nobody ever
reads half of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile

from mmstats.aggregate.combine import combine
from mmstats.export import FORMATS
from mmstats.read.snapshot import snapshot
from mmstats.stat import Snapshot
from mmstats.tools import ends
from mmstats.tools.by import no_such_key, told_apart
from mmstats.tools.parser import (
    add_by,
    add_rest,
    add_which,
    check_conditions,
    conditions,
    keys,
    looked_at,
    made_of,
    new_parser,
    no_process,
    processes,
)
from mmstats.tools.select import Selection, WordsError
from mmstats.tools.watching import watch
from mmstats.tools.where import seconds_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

NAME = "mmstats export"
MODE = 0o644  # who collects it is somebody else
MOST_OCTAVES = 64
USAGE = """mmstats export [FILES…] [--textfile FILE] [--every SECONDS] [-o FORMAT]
                      [--octaves N] [--by KEY] [-s PATTERN]… [-f EXPR…]"""
EXAMPLES = """examples:
  python -m mmstats export
  python -m mmstats export -o openmetrics --by pid
  python -m mmstats export --textfile /var/lib/node_exporter/app.prom
  python -m mmstats export --textfile app.prom --every 15 -s 'web.*'

"""
DESCRIPTION = "Write what all processes counted as Prometheus reads it."
EPILOG = """exit codes:
  0 fine · 1 nothing matched, and an empty file was written · 2 usage ·
  3 something could not be read, or not be written ·
  130 Ctrl-C, but 0 with --every
"""


def main(arguments: list[str] | None = None) -> int:
    """The exit code; see `ends`."""
    words = sys.argv[1:] if arguments is None else arguments
    return ends.run(NAME, lambda: _export(words))


def _export(words: list[str]) -> int:
    given = made_of(words, _parser(), _checked)
    if isinstance(given, int):
        return given
    if not given.every:
        return _once(given)
    return watch(given.every, lambda: _once(given))


def _checked(given: argparse.Namespace) -> argparse.Namespace:
    given.where = conditions(given.where or [])
    check_conditions(given.where)
    given.by = () if given.by is None else keys(given.by)
    if not 1 <= given.octaves <= MOST_OCTAVES:
        raise WordsError(f"--octaves {given.octaves}: expected 1 to {MOST_OCTAVES}")
    if given.every is not None:
        given.every, said = seconds_in(given.every), given.every
        if not given.every or not 0 < given.every < 1e9:
            raise WordsError(f"--every takes a time as 15, 1m or 0.5: {said!r}")
        if not given.textfile:
            raise WordsError("--every writes a file anew: name it with --textfile")
    return given


def _once(given: argparse.Namespace) -> int:
    taken = snapshot(given.files or None)
    readable = [one for one in taken if one.origin.uuid]
    chosen = processes(readable, given.where, alive=given.alive)
    unknown = no_such_key(chosen, given.by) if chosen else ""
    if unknown:
        ends.say(NAME, unknown)
        return ends.NOTHING
    text, problems = _text(chosen, given)
    if not _written(text, given.textfile):
        return ends.PARTLY
    if given.verbose:
        looked_at(NAME, taken)
    if readable and not chosen:
        ends.say(NAME, no_process(given.where, len(readable), alive=given.alive))
        return ends.NOTHING
    return ends.close(NAME, [*taken, *problems], chosen, given.files, quiet=given.quiet)


def _text(chosen: list[Snapshot], given: argparse.Namespace) -> tuple[str, list[Snapshot]]:
    """What is written, and what has problems to tell besides the files themselves."""
    selection = Selection(given.patterns or [], given.prefix)
    shown = [
        Snapshot(one.merge, one.origin, [], one.processes, selection.of(one.stats))
        for one in selection.settled(chosen)
    ]
    whole = combine(told_apart(shown, given.by))
    text = FORMATS[given.format].render(whole, given.octaves)
    return text, [Snapshot(None, whole.origin, whole.problems, 0, [])]


def _written(text: str, path: str | None) -> bool:
    """Whether it could be, which is said where not."""
    if path is None:
        sys.stdout.write(text)
        return True
    try:
        _replace(path, text)
    except OSError as error:
        ends.say(NAME, f"{path}: {error.strerror}; what was there stays")
        return False
    return True


def _replace(path: str, text: str) -> None:
    directory, name = os.path.split(os.path.abspath(path))
    # Not `.prom` while it is written: a collector takes whatever ends so.
    fd, beside = tempfile.mkstemp(prefix=f".{name}.", suffix=".new", dir=directory)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", newline="\n") as file:
            os.fchmod(fd, MODE)
            file.write(text)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _parser() -> argparse.ArgumentParser:
    parser = new_parser(NAME, USAGE, EXAMPLES, DESCRIPTION, EPILOG)
    which = parser.add_argument_group("which stats and processes")
    add_which(which)
    add_by(which)
    how = parser.add_argument_group("how, and where to")
    how.add_argument(
        *("-o", "--format"),
        choices=tuple(FORMATS),
        metavar="FORMAT",
        default="prometheus",
        help="prometheus (text 0.0.4, the default) or openmetrics",
    )
    how.add_argument("--textfile", metavar="FILE", help="write FILE, whole or not at all; else stdout")
    how.add_argument("--every", metavar="SECONDS", help="again and again, on a steady beat, until Ctrl-C")
    how.add_argument(
        "--octaves",
        type=int,
        default=2,
        metavar="N",
        help="histograms without bounds: a bucket at every N-th power of two; default: 2",
    )
    add_rest(parser, quiet="no warnings", verbose="say what was looked at")
    return parser
