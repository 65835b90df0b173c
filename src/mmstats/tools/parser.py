"""What the command lines of all tools share.

-h is short, --help begins with examples and says all. Which stats and which processes is said by the same
words everywhere.
"""

from __future__ import annotations

import argparse
import os
import sys

from mmstats import __version__
from mmstats.tools import ends
from mmstats.tools.select import Pattern, WordsError
from mmstats.tools.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from mmstats.stat import Snapshot
    from mmstats.tools.where import Condition

    Made = TypeVar("Made")

WIDTH = 80  # of the help
FILES = (
    "files, directories or quoted globs; default: $MMSTATS_GLOB, else $MMSTATS_PATH, else the usual places"
)


def new_parser(
    name: str, usage: str, examples: str, description: str, epilog: str, *, fields: bool = False
) -> argparse.ArgumentParser:
    """A parser that takes FILES, with FIELDS before them if it is said; `add_rest` makes it whole."""
    parser = argparse.ArgumentParser(
        prog=name,
        usage=usage,
        description=description,
        epilog=epilog,
        add_help=False,
        allow_abbrev=False,
        formatter_class=_formatter,
    )
    parser.set_defaults(examples=examples)
    if fields:
        parser.add_argument("fields", nargs="?", metavar="FIELDS", help="what to show; see below")
    parser.add_argument("files", nargs="*", metavar="FILES", help=FILES)
    return parser


def add_rest(parser: argparse.ArgumentParser, *, quiet: str, verbose: str) -> None:
    """The options that every tool has."""
    rest = parser.add_argument_group("the rest")
    rest.add_argument("-q", "--quiet", action="store_true", help=quiet)
    rest.add_argument("-v", "--verbose", action="count", default=0, help=verbose)
    rest.add_argument("--version", action="version", version=f"{parser.prog} {__version__}")
    rest.add_argument("-h", "--help", action=_Help, nargs=0, help="short with -h, all of this with --help")


def made_of(
    words: list[str], parser: argparse.ArgumentParser, make: Callable[[argparse.Namespace], Made]
) -> Made | int:
    """What `make` makes of the words; the exit code where they make no sense, or ask for no more than help.

    That they make no sense is said: a WordsError of `make`, with the usage before it.
    """
    try:
        return make(parser.parse_args(words))
    except WordsError as error:
        parser.print_usage(sys.stderr)
        ends.say(parser.prog, str(error))
        return ends.USAGE
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ends.USAGE


class _Help(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        if rest[-1] == "-h":
            sys.stdout.write(f"usage: {parser.usage}\n{parser.description} --help says more.\n")
        else:
            sys.stdout.write(parser.get_default("examples") + parser.format_help())
        parser.exit()


def _formatter(prog: str) -> argparse.HelpFormatter:
    """One that does not load shutil, and with it three compressors, to ask how wide the terminal is."""
    return argparse.RawDescriptionHelpFormatter(prog, width=WIDTH)


class _Select(argparse.Action):
    """-s and -x in the order given: the first that matches decides."""

    def __call__(self, _: argparse.ArgumentParser, given: argparse.Namespace, value: Any, *__: Any) -> None:
        given.patterns = [*(given.patterns or []), (self.const is True, Pattern(value))]


def add_which(group: argparse._ArgumentGroup) -> None:
    """-s, -x, -p, -f and --alive."""
    group.set_defaults(patterns=None)
    pattern = "a glob on the label, /regex/, or name{key=value,key=~regex,key!=value}"
    group.add_argument(
        *("-s", "--select"),
        action=_Select,
        const=True,
        dest="patterns",
        metavar="PATTERN",
        help=f"only these: {pattern}",
    )
    group.add_argument(
        *("-x", "--exclude"),
        action=_Select,
        const=False,
        dest="patterns",
        metavar="PATTERN",
        help="not these",
    )
    group.add_argument("-p", "--prefix", default="", metavar="PREFIX", help="only labels below PREFIX")
    add_where(group)


def add_where(group: argparse._ArgumentGroup) -> None:
    """-f and --alive."""
    where = (
        "only processes with KEY, or KEY=V KEY!=V KEY>V KEY<V KEY>=V KEY<=V KEY~REGEX; KEY is a label, or "
    )
    keys = "pid tid uid user cmd group host age file state"
    group.add_argument(
        *("-f", "--filter", "--where"),
        action="append",
        nargs="*",
        dest="where",
        metavar="EXPR",
        help=where + keys,
    )
    group.add_argument("--alive", action="store_true", help="without processes that are gone")


def add_by(group: argparse._ArgumentGroup) -> None:
    """--by."""
    group.add_argument(
        "--by",
        metavar="KEY[,KEY]…",
        help="combine all processes: `all`, or of the tags those alone that are named; "
        "KEY is a tag, or pid uid user cmd group host file state",
    )


def conditions(given: list[list[str]]) -> list[Condition]:
    """What -f says. WordsError where that makes no sense."""
    if not given:
        return []
    from mmstats.tools.where import Condition  # who has no conditions does not load it

    return [Condition(text) for texts in given for text in texts]


def check_conditions(where: Iterable[Condition]) -> None:
    """Stop where -f took what was meant as FILES."""
    took = [one.text for one in where if not one.operator and _is_a_file(one.text)]
    if took:
        words = " ".join(one.text for one in where)
        raise WordsError(f"-f took {took[0]!r} of {words!r} for a condition. Put -f last, or write -f=a=b")


def keys(text: str) -> tuple[str, ...]:
    """The keys of --by, without those that come again; none for `all`."""
    if text == "all":
        return ()
    keys = tuple(dict.fromkeys(text.split(",")))
    if not all(keys):
        raise WordsError(f"--by {text!r}: expected all, or keys with commas between them")
    return keys


def _is_a_file(text: str) -> bool:
    return "/" in text or (text.endswith(".mmstats") and os.path.exists(text))


def processes(readable: Iterable[Snapshot], where: Iterable[Condition], *, alive: bool) -> list[Snapshot]:
    """Those of which all conditions are true."""
    chosen = [one for one in readable if not alive or one.origin.state in ("alive", "unknown")]
    return [one for one in chosen if all(condition.holds(one) for condition in where)]


def no_process(where: Iterable[Condition], looked_at: int, *, alive: bool) -> str:
    """That there is none, in a sentence."""
    said = [condition.text for condition in where] + ["state alive or unknown"] * alive
    return f"no process matches {' and '.join(said)}; looked at {looked_at}"


def looked_at(name: str, taken: Iterable[Snapshot]) -> None:
    """-v: say of each file what its writer is."""
    for one in taken:
        origin = one.origin
        said = f"{origin.file}: {origin.state}, {origin.cmd} {origin.pid}, {len(one.stats)} stats"
        ends.say(name, shown(said))
