"""What a writer could not publish, as stats."""

from __future__ import annotations

from mmstats.stat import About

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.header import Header
    from mmstats.stat import Rows

DROPPED = "mmstats.dropped"


def add_dropped(rows: Rows, header: Header) -> None:
    """The stats that tell what the writer could not publish, where there was anything."""
    for reason, count in header.dropped:
        rows.add(about_dropped(reason), count, count)


def about_dropped(reason: str) -> About:
    """What is said of such a stat."""
    what, tags = "what could not be published", (("reason", reason),)
    return About("sum", what, keep=False, kind="counter", label=DROPPED, tags=tags, unit="")
