"""slurpstats: everything, once, now.

Without options this module and `text` are all there is to load: a look at the stats should cost
little more than starting Python. Options, tables and JSON are loaded by who asks for them.
"""

from __future__ import annotations

import sys

from mmstats.read.snapshot import snapshot
from mmstats.tools import ends
from mmstats.tools.text import Listing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.stat import Snapshot

NAME = "slurpstats"


def main(arguments: list[str] | None = None) -> int:
    """The exit code; see `ends`."""
    words = sys.argv[1:] if arguments is None else arguments
    return ends.run(NAME, lambda: _slurp(words))


def _slurp(words: list[str]) -> int:
    if any(word.startswith("-") for word in words) or not _is_plain():
        from mmstats.tools.slurping import slurp

        return slurp(words)
    return show_all(snapshot(words or None), words)


def _is_plain() -> bool:
    """Whether the output is read by a program, as far as one can see."""
    import os

    return not sys.stdout.isatty() and not os.environ.get("FORCE_COLOR")


def show_all(snapshots: list[Snapshot], words: list[str]) -> int:
    """Print 0.8's text of each file, then what a person should know, on stderr."""
    readable = [one for one in snapshots if one.origin.uuid]
    text = Listing()
    for one in readable:
        sys.stdout.write(text.of(one))
    sys.stdout.flush()
    return ends.close(NAME, snapshots, readable, words)
