"""pollstats: vmstat for your application."""

from __future__ import annotations

import sys

from mmstats.tools import ends
from mmstats.tools.polling import poll


def main(arguments: list[str] | None = None) -> int:
    """The exit code; see `ends`."""
    words = sys.argv[1:] if arguments is None else arguments
    return ends.run("pollstats", lambda: poll(words))
