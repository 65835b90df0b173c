"""Man pages and completions, made of the tools' own parsers when a wheel is built: see setup.py."""  # noqa: INP001 - no package: setup.py loads it

from __future__ import annotations

import importlib
import os
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

TOOLS = {
    "slurpstats": "mmstats.tools.options",
    "pollstats": "mmstats.tools.poll_options",
    "cleanstats": "mmstats.tools.clean_options",
    "mmash": "mmstats.tools.mmash.options",
}
# Where each shell looks, below the prefix; the last two load nothing by themselves.
PLACES = {
    "bash": "share/bash-completion/completions/{}",
    "zsh": "share/zsh/site-functions/_{}",
    "fish": "share/fish/vendor_completions.d/{}.fish",
    "tcsh": "share/mmstats/{}.csh",
    "powershell": "share/mmstats/{}.ps1",
}


def write(directory: str) -> list[tuple[str, list[str]]]:
    """Write all of them below the directory; where each belongs, as setuptools' `data_files` have it."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(int(Path("CHANGELOG.md").stat().st_mtime)))
    found = []
    for name, module in TOOLS.items():
        parser = importlib.import_module(module).make_parser()
        found.append(_written(directory, f"share/man/man1/{name}.1", _page(parser)))
        for shell, place in PLACES.items():
            found.append(_written(directory, place.format(name), shtab.complete(parser, shell=shell)))
    return found


def _page(parser: object) -> str:
    page = Manpage(parser)
    page.manual = "mmstats"
    page.description = page.parser.description[0].lower() + page.parser.description[1:].rstrip(".")
    head, rest = str(page).split("\n", 1)
    rest, _, notes = rest.partition(".SH COMMENTS\n")
    # A date is read only as it is written, and lines of the notes stay lines.
    return "\n".join([head.replace("\\-", "-"), f"{rest}.SH NOTES", ".nf", notes.rstrip(), ".fi", ""])


def _written(directory: str, place: str, text: str) -> tuple[str, list[str]]:
    path = Path(directory, place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return os.path.dirname(place), [str(path)]
