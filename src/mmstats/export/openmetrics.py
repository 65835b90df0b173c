"""OpenMetrics 1.0: with units, states, infos, and when counting began."""

from __future__ import annotations

from mmstats.export.families import families
from mmstats.export.lines import quoted, sample, tagged
from mmstats.export.names import HISTOGRAM, SUMMARY

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
    lines = [line + "\n" for family in families(snapshot, octaves) for line in _lines(family)]
    return "".join(lines) + "# EOF\n"


def _lines(family: Family) -> Iterator[str]:
    yield f"# TYPE {family.name} {family.type}"
    if family.unit:
        yield f"# UNIT {family.name} {family.unit}"
    if family.help:
        yield f"# HELP {family.name} {quoted(family.help)}"
    for member in family.members:
        left_out = LEFT_OUT.get(family.type, ()) if member.falls else ()
        tags = tagged(member.tags)
        for suffix, more, number in member.samples:
            if suffix not in left_out:
                yield sample(family.name + suffix, tags, more, number)
        if family.created:
            yield sample(f"{family.name}_created", tags, (), family.created)
