"""What the command lines of all tools share: -h is short, --help begins with examples and says all."""

from __future__ import annotations

import argparse
import sys

from mmstats import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WIDTH = 80  # of the help
FILES = (
    "files, directories or quoted globs; default: $MMSTATS_GLOB, else $MMSTATS_PATH, else the usual places"
)


def new_parser(
    name: str, usage: str, examples: str, description: str, epilog: str
) -> argparse.ArgumentParser:
    """A parser that takes FILES; `add_rest` makes it whole."""
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
    parser.add_argument("files", nargs="*", metavar="FILES", help=FILES)
    return parser


def add_rest(parser: argparse.ArgumentParser, *, quiet: str, verbose: str) -> None:
    """The options that every tool has."""
    rest = parser.add_argument_group("the rest")
    rest.add_argument("-q", "--quiet", action="store_true", help=quiet)
    rest.add_argument("-v", "--verbose", action="count", default=0, help=verbose)
    rest.add_argument("--version", action="version", version=f"{parser.prog} {__version__}")
    rest.add_argument("-h", "--help", action=_Help, nargs=0, help="short with -h, all of this with --help")


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
