"""The words of a command line → what is wanted."""

from __future__ import annotations

from mmstats.tools.parser import (
    add_by,
    add_rest,
    add_which,
    check_conditions,
    conditions,
    keys,
    made_of,
    new_parser,
)
from mmstats.tools.select import WordsError
from mmstats.tools.style import Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from mmstats.tools.expressions import Expression
    from mmstats.tools.select import Pattern

USAGE = """slurpstats [FILES…] [-s PATTERN]… [-x PATTERN]… [--by KEY] [-a WORD]
                  [--list|--files|--value] [-o FORMAT] [--check EXPR]… [-f …]"""
EXAMPLES = """examples:
  slurpstats                                  every stat of all your processes
  slurpstats --by all -s 'web.*'              one table for all processes
  slurpstats --by method -s web.requests      a family by one of its tags
  slurpstats --value -s web.requests          the bare number, of all processes
  slurpstats --check 'web.status.5XX<100'     silent if it holds; else 4
  slurpstats --jsonl -f cmd=gunicorn | jq .   an object for each of gunicorn's
  slurpstats -o prometheus > app.prom         for node_exporter's textfiles

"""
DESCRIPTION = "Print every stat of every process, once, now."
FORMATS = ("table", "plain", "json", "jsonl", "csv", "tsv", "prometheus", "openmetrics")
SORTS = ("label", "value", "-value", "file")
WHOLE = ("prometheus", "openmetrics")  # formats that show all processes as one
AGGREGATES = "sum avg min max one count nonzero-min nonzero-avg p50 p90 p95 p99".split()
EPILOG = """exit codes:
  0 fine · 1 nothing matched · 2 usage ·
  3 printed, but something could not be read ·
  4 --check: something does not hold · 130 Ctrl-C
"""


class Options:
    """What a command line asks for."""

    __slots__ = (
        *(
            "aggregate",
            "alive",
            "by",
            "checks",
            "files",
            "format",
            "patterns",
            "prefix",
            "quiet",
            "sort",
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
        self.by = None if given.by is None else keys(given.by)  # none: all processes as one
        self.alive: bool = given.alive
        self.what: str = given.what
        self.format: str = given.format
        self.aggregate: str | None = given.aggr
        self.sort: str | None = given.sort
        self.checks = _expressions(given.check or [])
        if self.by is None and (self.aggregate or self.what == "value" or self.format in WHOLE):
            self.by = ()
        self.quiet: bool = given.quiet
        self.verbose: int = given.verbose
        self.where = conditions(given.where or [])
        self.style = Style(human=given.human, color=given.color)

    @property
    def selects(self) -> bool:
        """Whether only some stats are wanted."""
        return bool(self.patterns or self.prefix)


def _expressions(given: list[str]) -> list[Expression]:
    if not given:
        return []
    from mmstats.tools.expressions import Expression

    return [Expression(text) for text in given]


def parse(words: list[str]) -> Options | int:
    """The options, or the exit code where the words ask for no more than help, or make no sense."""
    return made_of(_joined(words), make_parser(), _checked)


def _checked(given: argparse.Namespace) -> Options:
    options = Options(given)
    _check(options)
    return options


def _joined(words: list[str]) -> list[str]:
    """`--sort -value` as one word: by itself argparse takes the second one for an option."""
    found = list(words)
    for at in range(len(found) - 1, 0, -1):
        if found[at] == "-value" and found[at - 1] == "--sort":
            found[at - 1 : at + 1] = ["--sort=-value"]
    return found


def _check(options: Options) -> None:
    check_conditions(options.where)
    if options.by is not None and options.what not in ("stats", "value"):
        word = "--by" if options.format not in WHOLE else f"-o {options.format}"
        raise WordsError(f"{word} combines stats; it says nothing of --{options.what}")
    if options.what == "value" and options.format != "table":
        raise WordsError(f"--value prints bare values; -o {options.format} prints more")


def make_parser() -> argparse.ArgumentParser:
    """What takes the words apart; man pages and completions are made of it."""
    parser = new_parser("slurpstats", USAGE, EXAMPLES, DESCRIPTION, EPILOG)
    which = parser.add_argument_group("which stats and processes")
    add_which(which)
    add_by(which)
    which.add_argument(
        *("-a", "--aggr"),
        choices=AGGREGATES,
        metavar="WORD",
        help="combine by this, not as each kind says: " + " ".join(AGGREGATES),
    )
    _how(parser.add_argument_group("how they are shown"))
    add_rest(parser, quiet="no warnings", verbose="say what was looked at")
    return parser


def _how(group: argparse._ArgumentGroup) -> None:
    group.set_defaults(what="stats", format="table")
    for what, text in (
        ("list", "label, kind, unit and help of each stat"),
        ("files", "a line for each file"),
        ("value", "the bare values, of all processes as one"),
    ):
        group.add_argument(f"--{what}", action="store_const", const=what, dest="what", help=text)
    group.add_argument("-o", "--format", choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    for name in ("json", "jsonl", "csv"):
        group.add_argument(f"--{name}", action="store_const", const=name, dest="format", help=f"-o {name}")
    group.add_argument("--sort", choices=SORTS, metavar="WORD", help=", ".join(SORTS))
    group.add_argument(
        "--check",
        action="append",
        metavar="EXPR",
        help="print only what does not hold, and end with 4; as NAME<100, NAME:p99<=50ms",
    )
    group.set_defaults(human=None)
    group.add_argument(
        "--human", action="store_true", dest="human", help="units as people read them; default on a terminal"
    )
    group.add_argument("--raw", action="store_false", dest="human", help="numbers as they are")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
