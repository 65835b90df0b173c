"""The words of the command line, and the exit code."""

from __future__ import annotations

import argparse
import sys

from mmstats import __version__
from mmstats.tools import ends
from mmstats.tools.parser import FILES, WIDTH
from mmstats.tools.style import Style

NAME = "python -m mmstats doctor"
DESCRIPTION = """Say why a number is not there: where writers publish and readers look, here and now; which
file counts, which does not, and why. Tries what it tells, and leaves nothing behind."""
EXAMPLES = """examples:
  python -m mmstats doctor                         is all well, for this user in this environment?
  sudo -u www-data python -m mmstats doctor        and for the one that the server runs as?
  python -m mmstats doctor /run/app '*.mmstats'    why are these not counted?
  python -m mmstats doctor --json | jq '.files[] | select(.counts == "no")'

"""
EPILOG = """marks:
  ok  as it should be · -  worth knowing · !  will not work, or is not counted

exit codes:
  0 all is well · 1 a line is marked ! · 2 usage · 3 its output could not be written · 130 Ctrl-C
"""
WRONG = 1


class _Help(argparse.Action):
    """The examples first."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(EXAMPLES + parser.format_help())
        parser.exit()


def main(arguments: list[str] | None = None) -> int:
    """0 where all is well, 1 where something is not, 2 where the words make no sense."""
    words = sys.argv[1:] if arguments is None else arguments
    return ends.run(NAME, lambda: _doctor(words))


def _doctor(words: list[str]) -> int:
    try:
        given = _parser().parse_args(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ends.USAGE
    import logging

    from mmstats.doctor.examination import examine, is_well
    from mmstats.doctor.report import as_json, as_text

    logging.getLogger("mmstats").addHandler(logging.NullHandler())  # it is all told below
    sections = examine(given.files)
    sys.stdout.write(as_json(sections) + "\n" if given.json else as_text(sections, Style(color=given.color)))
    return ends.OK if is_well(sections) else WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=NAME,
        usage=f"{NAME} [FILES…] [--json]",
        description=DESCRIPTION,
        epilog=EPILOG,
        add_help=False,
        allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=WIDTH),
    )
    parser.add_argument("files", nargs="*", metavar="FILES", help=FILES)
    parser.add_argument("--json", action="store_true", help="one object, with keys that stay")
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="default: auto")
    parser.add_argument("--version", action="version", version=f"mmstats {__version__}")
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help="this")
    return parser
