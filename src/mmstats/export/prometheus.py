"""Prometheus's text format 0.0.4, which every Prometheus ever scraped, and node_exporter's textfiles."""

from __future__ import annotations

from mmstats.export.lines import escaped
from mmstats.export.names import COUNTER, INFO, STATES
from mmstats.export.text import Language, Renderer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmstats.export.families import Family
    from mmstats.stat import Snapshot

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# This format has neither; a sample of 1 is a gauge.
TYPES = {INFO: "gauge", STATES: "gauge"}
NAMED = {COUNTER: "_total", INFO: "_info"}


def render(snapshot: Snapshot, octaves: int = 2) -> str:
    """One Snapshot, as `mmstats.combined()` gives it, as text that ends with a newline.

    `octaves`: histograms without `bounds` have a bucket at every so many-th power of two. Names, tags and
    types: docs/prometheus.md.
    """
    return _renderer.text(snapshot, octaves)


def _head(family: Family) -> Iterator[str]:
    name = family.name + NAMED.get(family.type, "")
    if family.help:
        yield f"# HELP {name} {escaped(family.help)}"
    yield f"# TYPE {name} {TYPES.get(family.type, family.type)}"


_renderer = Renderer(Language(_head))
