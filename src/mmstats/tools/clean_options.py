"""The words of cleanstats' command line → what is wanted."""

from __future__ import annotations

from mmstats.tools.cleaning import Wanted
from mmstats.tools.parser import add_rest, made_of, new_parser
from mmstats.tools.select import Pattern, WordsError
from mmstats.tools.where import seconds_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

USAGE = """cleanstats [FILES…] [-n] [-q] [-v] [--json] [--older-than TIME]
                  [--discard] [--forget MEMBER]… [--compact] [--watch SECONDS]"""
EXAMPLES = """examples:
  cleanstats                       fold what the dead counted, remove the files
  cleanstats --dry-run -v          say what that would do, to whose files
  cleanstats --watch 60 /run/app   once a minute, where there is no cron

"""
DESCRIPTION = "Remove dead processes' files, once their totals are in those of their group."
EPILOG = """exit codes:
  0 fine, also where there was nothing to do · 1 a named FILE is not there ·
  2 usage · 3 something dead could not be removed ·
  130 Ctrl-C, but 0 with --watch
"""


def parse(words: list[str]) -> Wanted | int:
    """What is wanted, or the exit code where the words ask for no more than help, or make no sense."""
    return made_of(words, make_parser(), _checked)


def _checked(given: argparse.Namespace) -> Wanted:
    """WordsError where it makes no sense."""
    wanted = Wanted(given.files)
    for name in ("compact", "discard", "dry_run", "json", "quiet", "verbose"):
        setattr(wanted, name, getattr(given, name))
    wanted.older_than = _time("--older-than", given.older_than)
    wanted.watch = _time("--watch", given.watch)
    wanted.forget = given.forget or []
    for text in wanted.forget:
        Pattern(text)
    if wanted.watch and wanted.forget:
        raise WordsError("--forget is done once; --watch is for what comes again and again")
    return wanted


def _time(option: str, text: str | None) -> float:
    if text is None:
        return 0.0
    found = seconds_in(text)
    if found is None or not 0 < found < 1e9:
        raise WordsError(f"{option} takes a time as 90, 10m, 1.5h or 2d: {text!r}")
    return found


def make_parser() -> argparse.ArgumentParser:
    """What takes the words apart; man pages and completions are made of it."""
    parser = new_parser("cleanstats", USAGE, EXAMPLES, DESCRIPTION, EPILOG)
    which = parser.add_argument_group("which files, and what becomes of them")
    which.add_argument("-n", "--dry-run", action="store_true", help="only say what would be done")
    older = "only files whose writer began to publish longer ago; s, m, h or d behind the number"
    which.add_argument("--older-than", metavar="TIME", help=older)
    which.add_argument(
        "--discard", action="store_true", help="drop what the dead counted, instead of folding it"
    )
    _totals(parser.add_argument_group("retired totals"))
    how = parser.add_argument_group("how")
    how.add_argument(
        "--json", action="store_true", help="an object for each file, one a line, and nothing else"
    )
    watch = "again and again, on a steady beat, until SIGTERM or Ctrl-C"
    how.add_argument("--watch", metavar="SECONDS", help=watch)
    add_rest(
        parser, quiet="say only what could not be done", verbose="say what is kept, too, and whose it is"
    )
    return parser


def _totals(group: argparse._ArgumentGroup) -> None:
    forget = "drop what the dead counted of a label, or of label{tag=value}, in every group; a glob is one"
    group.add_argument("--forget", action="append", metavar="MEMBER", help=forget)
    compact = "write them anew without declarations that younger ones superseded and nobody uses"
    group.add_argument("--compact", action="store_true", help=compact)
