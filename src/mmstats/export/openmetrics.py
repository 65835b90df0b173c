"""OpenMetrics 1.0: with units, states, infos, and when counting began."""

from __future__ import annotations

from mmstats.export.lines import quoted
from mmstats.export.names import HISTOGRAM, SUMMARY
from mmstats.export.text import Language, Renderer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmstats.export.families import Family
    from mmstats.stat import Snapshot

MEDIA_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

# Of what may fall: no counter. Of a histogram the last bucket is the count.
LEFT_OUT = {SUMMARY: ("_sum",), HISTOGRAM: ("_sum", "_count")}


def render(snapshot: Snapshot, octaves: int = 2) -> str:
    """One Snapshot as text that ends with `# EOF`; like `prometheus.render`.

    `_created` is there where one process is shown: what a combination began with is not known once it has
    taken in the totals of the dead. A sum that negative values went into is left out, as this format
    demands of what may fall.
    """
    return _renderer.text(snapshot, octaves)


def _head(family: Family) -> Iterator[str]:
    yield f"# TYPE {family.name} {family.type}"
    if family.unit:
        yield f"# UNIT {family.name} {family.unit}"
    if family.help:
        yield f"# HELP {family.name} {quoted(family.help)}"


_renderer = Renderer(Language(_head, "# EOF\n", LEFT_OUT, has_created=True))
