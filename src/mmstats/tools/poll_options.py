"""The words of pollstats' command line → what is wanted."""

from __future__ import annotations

import os

from mmstats.tools.columns import DELTA, RATE, VALUE, WORDS
from mmstats.tools.expressions import Expression
from mmstats.tools.parser import add_by, add_rest, add_where, conditions, keys, made_of, new_parser
from mmstats.tools.poll_fields import fields_of
from mmstats.tools.select import WordsError
from mmstats.tools.style import Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from mmstats.tools.where import Condition

NAME = "pollstats"
USAGE = """pollstats [-d SECONDS] [-c N] [-p PREFIX] [--by KEY] [-o FORMAT]
                 [--until EXPR] [--record FILE] FIELDS [FILES…] [-f …]"""
EXAMPLES = """examples:
  pollstats -p web.status 2XX,3XX,4XX,5XX      what was counted, each second
  pollstats --rate requests,latency:p99 -d 5   a second, and of each five seconds
  pollstats requests --by pid                  a line for each process
  pollstats --until 'web.ready>=4' -c 60 web.ready

"""
DESCRIPTION = "Print what all processes count, line by line, as vmstat does."
EPILOG = """FIELDS: labels or globs with commas between them, each perhaps with tags,
NAME{key=value}, and with what is shown of it: NAME:rate, delta, value, avg, min,
max, count, sum, mean, last, moving, p50, p90, p95, p99, p999. By default a
counter shows what it grew by, a timer or a histogram p50, p99 and count of the
interval, all else its value. Without FIELDS: the eight busiest counters.

exit codes:
  0 fine, also at Ctrl-C · 1 nothing matched · 2 usage ·
  3 printed, but something could not be read ·
  4 --until did not come true within -c rows
"""
FORMATS = ("table", "csv", "tsv", "jsonl")
HEADERS = 20  # rows after which there is another one


class Options:
    """What a command line asks for."""

    __slots__ = (
        *("alarms", "alive", "by", "clock", "count", "fields", "files", "format", "headers", "interval"),
        *("prefix", "quiet", "record", "replay", "speed", "style", "summary", "totals", "until", "verbose"),
        *("raw", "vertical", "where", "word"),
    )

    def __init__(self, given: argparse.Namespace) -> None:
        self.where: list[Condition] = conditions(given.where or [])
        self.fields = fields_of(given.fields) if given.fields is not None else []
        self.files: list[str] = given.files
        self.prefix: str = given.prefix
        self.by = () if given.by in (None, "all") else keys(given.by)
        self.alive: bool = given.alive
        self.word: str = given.word
        self.interval = _positive("-d", given.delay)
        self.count = None if given.count is None else int(_positive("-c", given.count))
        self.headers = int(_positive("-n", given.headers, least=0))
        self.clock: bool = given.time
        self.format: str = given.format
        self.totals: bool = given.totals
        self.summary: bool = given.summary
        self.vertical: bool = given.vertical
        self.until = [Expression(text, WORDS) for text in given.until or []]
        self.alarms = [
            (mark, Expression(text, WORDS))
            for mark, texts in (("!!", given.crit), ("!", given.warn))
            for text in texts or []
        ]
        self.record: str | None = given.record
        self.replay: str | None = given.replay
        self.speed = None if given.speed is None else _positive("--speed", given.speed)
        self.quiet: bool = given.quiet
        self.verbose: int = given.verbose
        self.raw = given.human is False
        self.style = Style(human=given.human, color=given.color)


def _positive(option: str, text: str, least: float | None = None) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not (number > 0 if least is None else number >= least) or number >= 1e9:
        what = "a number above 0" if least is None else "a number, 0 for once"
        raise WordsError(f"{option} takes {what}: {text!r}")
    return number


def parse(words: list[str]) -> Options | int:
    """The options, or the exit code where the words ask for no more than help, or make no sense."""
    return made_of(words, make_parser(), _checked)


def _checked(given: argparse.Namespace) -> Options:
    _check(given)
    return Options(given)


def _check(given: argparse.Namespace) -> None:
    took = [text for texts in given.where or [] for text in texts]
    swallowed = [text for text in took if not any(sign in text for sign in "=<>~") or _is_a_path(text)]
    if given.fields is None and swallowed:
        said = " ".join(took)
        raise WordsError(f"no FIELDS left; -f took {said!r}. Put -f last, or write -f=a=b")
    if given.fields is not None and _is_a_path(given.fields):
        raise WordsError(f"{given.fields!r} is a file: FIELDS come first, then FILES")
    if given.replay and (given.record or given.files):
        other = "--record" if given.record else "FILES"
        raise WordsError(f"--replay shows what was recorded; leave {other} out")
    if given.speed is not None and not given.replay:
        raise WordsError("--speed is how fast --replay goes; name a recording")


def _is_a_path(text: str) -> bool:
    return text.startswith(("/", "./", "../")) or (text.endswith(".mmstats") or os.path.isfile(text))


def make_parser() -> argparse.ArgumentParser:
    """What takes the words apart; man pages and completions are made of it."""
    parser = new_parser(NAME, USAGE, EXAMPLES, DESCRIPTION, EPILOG, fields=True)
    which = parser.add_argument_group("which stats and processes")
    which.add_argument("-p", "--prefix", default="", metavar="PREFIX", help="what all FIELDS begin with")
    add_where(which)
    add_by(which)
    when = parser.add_argument_group("when")
    when.add_argument(
        "-d", "--delay", default="1", metavar="SECONDS", help="between two rows; 0.2 will do; default: 1"
    )
    when.add_argument("-c", "--count", metavar="N", help="end after N rows")
    when.add_argument(
        "--until", action="append", metavar="EXPR", help="end as soon as that is true, as NAME>=4"
    )
    _what(parser.add_argument_group("what is shown"))
    _how(parser.add_argument_group("how it is shown"))
    kept = parser.add_argument_group("recordings")
    kept.add_argument("--record", metavar="FILE", help="keep all samples; .gz behind the name packs them")
    kept.add_argument("--replay", metavar="FILE", help="show what was recorded")
    kept.add_argument("--speed", metavar="X", help="replay X times as fast as it was; default: at once")
    add_rest(parser, quiet="no warnings", verbose="say who comes and goes, in a pipe as well")
    return parser


def _what(group: argparse._ArgumentGroup) -> None:
    group.set_defaults(word="")
    for word, text in (
        (RATE, "how much a second"),
        (DELTA, "how much since the row before"),
        (VALUE, "how much there is"),
    ):
        group.add_argument(f"--{word}", action="store_const", const=word, dest="word", help=text)
    group.add_argument("--totals", action="store_true", help="a first row of what there was before")
    group.add_argument("--summary", action="store_true", help="least, mean, most and total at the end")
    for word, mark in (("warn", "!"), ("crit", "!!")):
        group.add_argument(
            f"--{word}", action="append", metavar="EXPR", help=f"mark with {mark} what meets it, as 5XX>10"
        )


def _how(group: argparse._ArgumentGroup) -> None:
    group.set_defaults(format="table", human=None)
    group.add_argument("-o", "--format", choices=FORMATS, metavar="FORMAT", help=", ".join(FORMATS))
    for name in ("csv", "jsonl"):
        group.add_argument(f"--{name}", action="store_const", const=name, dest="format", help=f"-o {name}")
    group.add_argument(
        *("-n", "--headers"),
        default=str(HEADERS),
        metavar="N",
        help=f"the header again after N rows, 0: once; default: {HEADERS}",
    )
    group.add_argument("-t", "--time", action="store_true", help="a column with the time")
    group.add_argument("--vertical", action="store_true", help="a line for each field")
    group.add_argument("--human", action="store_true", dest="human", help="units as people read them")
    group.add_argument("--raw", action="store_false", dest="human", help="numbers as they are")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
