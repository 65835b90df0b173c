"""`python -m mmstats slurp …` does what the script slurpstats does.

`doctor` says why a number is not there. It has no script: it is about the Python that it is run with.
`export` writes what Prometheus reads, and needs none: cron or systemd run it.
"""

from __future__ import annotations

import sys

TOOLS = {
    "slurp": "mmstats.tools.slurpstats",
    "poll": "mmstats.tools.pollstats",
    "clean": "mmstats.tools.cleanstats",
    "mmash": "mmstats.tools.mmash.main",
    "export": "mmstats.tools.exporting",
    "doctor": "mmstats.doctor.main",
}
USAGE = f"usage: python -m mmstats {'|'.join(TOOLS)} …\n"


def main(arguments: list[str]) -> int:
    """The exit code of the tool that the first word names."""
    word = arguments[0] if arguments else ""
    if word in ("-h", "--help"):
        sys.stdout.write(USAGE)
        return 0
    if word not in TOOLS:
        sys.stderr.write(f"{USAGE}mmstats: {word!r} is no tool; expected {', '.join(TOOLS)}\n")
        return 2
    tool = __import__(TOOLS[word], fromlist=["main"])
    return int(tool.main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
