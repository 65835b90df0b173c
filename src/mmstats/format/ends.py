"""What the end of a thread, and of a process, leaves of a metric (spec/FORMAT.md section 6)."""

from __future__ import annotations

GO_WITH_THREAD = frozenset(("bool", "moving", "text"))
STAYS, KEEP, TOTALS, GONE = "stays", "keep", "totals", "gone"  # keep: with the flag, of sums and extremes
OF_PROCESS = {
    "counter": STAYS,
    "updown": KEEP,
    "number": KEEP,
    "average": STAYS,
    "moving": GONE,
    "timer": TOTALS,
    "histogram": STAYS,
    "text": GONE,
    "bool": GONE,
    "gauge": GONE,
    "enum": GONE,
    "info": GONE,
    "static": GONE,
}
KEPT = frozenset(("sum", "max", "min"))


def goes_with_thread(kind: str, aggregate: str) -> bool:
    """Whether what a thread wrote is left out once the thread has ended."""
    return kind in GO_WITH_THREAD or (kind == "number" and aggregate != "sum")


def goes_with_process(kind: str, aggregate: str, keep: bool) -> bool:
    """Whether combinations leave the metric out once its writer is gone; so of kinds that nobody knows."""
    what = OF_PROCESS.get(kind, GONE)
    return not (keep and aggregate in KEPT) if what == KEEP else what == GONE
