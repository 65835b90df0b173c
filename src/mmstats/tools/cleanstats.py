"""cleanstats: removes what is provably dead, once its totals are in those of its group.

Without options, and where nobody died, this module and the roll call are all there is to load.
"""

from __future__ import annotations

import sys

from mmstats.tools import ends
from mmstats.tools.cleaning import Wanted, clean

NAME = "cleanstats"


def main(arguments: list[str] | None = None) -> int:
    """The exit code; see `ends`."""
    words = sys.argv[1:] if arguments is None else arguments
    return ends.run(NAME, lambda: _clean(words))


def _clean(words: list[str]) -> int:
    if not any(word.startswith("-") for word in words):
        return clean(Wanted(words))
    from mmstats.tools.clean_options import parse

    wanted = parse(words)
    if isinstance(wanted, int):
        return wanted
    if not wanted.watch:
        return clean(wanted)
    from mmstats.tools.watching import watch

    return watch(wanted.watch, lambda: clean(wanted))
