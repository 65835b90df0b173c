"""A file of retired totals: its bytes → totals (spec/FORMAT.md section 9.1)."""

from __future__ import annotations

from struct import unpack_from

from mmstats.errors import FormatError
from mmstats.fold.totals import Total, Totals
from mmstats.format import layout
from mmstats.format.cells import Cells
from mmstats.format.compound import Copies
from mmstats.plan import Family, NoPlan, plan
from mmstats.stat import About, Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmstats.format.metric import Metric
    from mmstats.format.runs import Decoded

INTEGERS = (layout.CELL_TYPE_U64, layout.CELL_TYPE_I64)
MASK = 0xFFFFFFFFFFFFFFFF


def decode_retired(data: bytes, decoded: Decoded, unknown: Callable[[str], None]) -> tuple[Totals, Totals]:
    """The totals that a file holds: those that stand, and those of superseded declarations.

    `unknown` hears of a metric that is not known here, or damaged.
    """
    standing, superseded, cells = Totals(), Totals(), Cells(Copies.of_one(data), decoded)
    standing.created = decoded.header.created
    standing.drop(unpack_from("<8Q", data, layout.HEADER_DROPPED))
    for run, block in decoded.runs:
        for totals, metrics in ((standing, run.metrics), (superseded, run.apart)):
            for metric in metrics:
                try:
                    _take(metric, cells, block, totals, unknown)
                except FormatError as error:
                    unknown(f"damaged: {error}")
    return standing, superseded


def _take(metric: Metric, cells: Cells, block: int, totals: Totals, unknown: Callable[[str], None]) -> None:
    how = plan(metric)
    if isinstance(how, NoPlan):
        unknown(how.reason)
        return
    rows = Rows("")
    if isinstance(how, Family):
        for slot in how.added(rows, cells, 0.0):
            behind = cells.behind_member(metric, slot, layout.RETIRED_SIZE)
            totals.add(_total(metric, rows.abouts[-1], rows.parts[-1], behind, slot.folded))
    else:
        how.add(rows, cells, block, 0.0)
        behind = cells.behind(metric, layout.RETIRED_SIZE)
        totals.add(_total(metric, how.about, rows.parts[0], behind))


def _total(metric: Metric, about: About, parts: Any, behind: tuple[int, ...], folded: int = 0) -> Total:
    """What was written as such, with the two cells behind it."""
    carry, declared = behind
    if metric.cell_type in INTEGERS and parts is not None:
        parts = (parts & MASK) + (_signed(carry) << 64)
    return Total(_dated(about, declared), metric.cell_type, declared, parts, folded)


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


def _dated(about: About, declared: int) -> About:
    """What is said of the stat, with when it was declared."""
    return About(
        *(about.aggregate, about.help, about.keep, about.kind, about.label, about.tags, about.unit),
        declared=declared / 1e9,
        ttl=about.ttl,
    )
