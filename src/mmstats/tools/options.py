"""The words of a command line → what is wanted."""

from __future__ import annotations

import argparse
import os
import sys

from mmstats.tools.parser import add_rest, new_parser
from mmstats.tools.select import Pattern, WordsError
from mmstats.tools.style import Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.tools.where import Condition

USAGE = """slurpstats [FILES…] [-s PATTERN]… [-x PATTERN]… [-p PREFIX] [--by KEY]
                  [--alive] [--list | --files] [-o FORMAT] [-f EXPR…]"""
EXAMPLES = """examples:
  slurpstats                                  every stat of all your processes
  slurpstats --by all -s 'web.*'              one table for all processes
  slurpstats --by method -s web.requests      a family by one of its tags
  slurpstats --jsonl -f cmd=gunicorn | jq .   an object for each of gunicorn's

"""
DESCRIPTION = "Print every stat of every process, once, now."
FORMATS = ("table", "plain", "json", "jsonl")
EPILOG = """exit codes:
  0 fine · 1 nothing matched · 2 usage ·
  3 printed, but something could not be read · 130 Ctrl-C
"""


class Options:
    """What a command line asks for."""

    __slots__ = (
        *(
            "alive",
            "by",
            "files",
            "format",
            "patterns",
            "prefix",
            "quiet",
            "style",
            "verbose",
            "what",
            "where",
        ),
    )

    def __init__(self, given: argparse.Namespace) -> None:
        self.files: list[str] = given.files
        self.patterns: list[tuple[bool, Pattern]] = given.patterns or []
        self.prefix: str = given.prefix
        self.by = None if given.by is None else _keys(given.by)  # none: all processes as one
        self.alive: bool = given.alive
        self.what: str = given.what
        self.format: str = given.format
        self.quiet: bool = given.quiet
        self.verbose: int = given.verbose
        self.where = _conditions(given.where or [])
        self.style = Style(human=given.human, color=given.color)

    @property
    def selects(self) -> bool:
        """Whether only some stats are wanted."""
        return bool(self.patterns or self.prefix)


def _conditions(given: list[list[str]]) -> list[Condition]:
    if not given:
        return []
    from mmstats.tools.where import Condition  # who has no conditions does not load it

    return [Condition(text) for texts in given for text in texts]


def parse(words: list[str]) -> Options | int:
    """The options, or the exit code where the words ask for no more than help, or make no sense."""
    parser = _parser()
    try:
        options = Options(parser.parse_args(words))
        _check(options)
    except WordsError as error:
        parser.print_usage(sys.stderr)
        sys.stderr.write(f"slurpstats: {error}\n")
        return 2
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    return options


def _check(options: Options) -> None:
    """Stop where -f took what was meant as FILES."""
    took = [one.text for one in options.where if not one.operator and _is_a_file(one.text)]
    if took:
        words = " ".join(one.text for one in options.where)
        raise WordsError(f"-f took {took[0]!r} of {words!r} for a condition. Put -f last, or write -f=a=b")
    if options.by is not None and options.what != "stats":
        raise WordsError(f"--by combines stats; it says nothing of --{options.what}")


def _keys(text: str) -> tuple[str, ...]:
    """The keys of --by, without those that come again; none for `all`."""
    if text == "all":
        return ()
    keys = tuple(dict.fromkeys(text.split(",")))
    if not all(keys):
        raise WordsError(f"--by {text!r}: expected all, or keys with commas between them")
    return keys


def _is_a_file(text: str) -> bool:
    return "/" in text or (text.endswith(".mmstats") and os.path.exists(text))


class _Select(argparse.Action):
    """-s and -x in the order given: the first that matches decides."""

    def __call__(self, _: argparse.ArgumentParser, given: argparse.Namespace, value: Any, *__: Any) -> None:
        given.patterns = [*(given.patterns or []), (self.const is True, Pattern(value))]


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("slurpstats", USAGE, EXAMPLES, DESCRIPTION, EPILOG)
    _which(parser.add_argument_group("which stats and processes"))
    _how(parser.add_argument_group("how they are shown"))
    add_rest(parser, quiet="no warnings", verbose="say what was looked at")
    return parser


def _which(group: argparse._ArgumentGroup) -> None:
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
    group.add_argument(
        "--by",
        metavar="KEY[,KEY]…",
        help="combine all processes: `all`, or of the tags those alone that are named; "
        "KEY is a tag, or pid uid user cmd group host file state",
    )


def _how(group: argparse._ArgumentGroup) -> None:
    group.set_defaults(what="stats", format="table")
    for what, text in (
        ("list", "label, kind, unit and help of each stat"),
        ("files", "a line for each file"),
    ):
        group.add_argument(f"--{what}", action="store_const", const=what, dest="what", help=text)
    group.add_argument(
        "-o", "--format", choices=FORMATS, metavar="FORMAT", help="table, plain, json or jsonl"
    )
    for name in ("json", "jsonl"):
        group.add_argument(f"--{name}", action="store_const", const=name, dest="format", help=f"-o {name}")
    group.set_defaults(human=None)
    group.add_argument(
        "--human", action="store_true", dest="human", help="units as people read them; default on a terminal"
    )
    group.add_argument("--raw", action="store_false", dest="human", help="numbers as they are")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
