"""What the demo shows: a line each second, and a table at the end."""

from __future__ import annotations

import sys


class Lines:
    """A line for each beat: on a terminal always the same one, else one after the other."""

    def __init__(self, statuses: tuple[str, ...]) -> None:
        self.live = sys.stdout.isatty()
        self.statuses = [status for status in statuses if status != "other"]
        self.before = 0
        heads = "".join(f"{status:>9}" for status in self.statuses)
        print(f"{'time':>5}{heads}{'a second':>10}  processes", flush=True)

    def line(self, seconds: float, counts: dict[str, int], processes: tuple[int, int]) -> None:
        """Show what was counted until now."""
        total = sum(counts.values())
        cells = "".join(f"{counts[status]:>9,}" for status in self.statuses)
        alive, ever = processes
        text = f"{seconds:>4.0f}s{cells}{total - self.before:>10,}  {alive} alive, {ever} workers so far"
        self.before = total
        print(f"\r\x1b[K{text}" if self.live else text, end="" if self.live else "\n", flush=True)

    def done(self) -> None:
        """Leave the last line standing."""
        print("\n" if self.live else "", flush=True)


def table(answered: dict[str, int], counted: dict[str, int]) -> bool:
    """Print both ledgers; whether every line is the same in both."""
    print(f"{'status':<8}{'load generator':>16}{'mmstats':>12}")
    rows = [(status, answered[status], counted[status]) for status in answered]
    rows = [row for row in rows if row[1] or row[2]]
    rows.append(("total", sum(answered.values()), sum(counted.values())))
    for status, ours, theirs in rows:
        print(f"{status:<8}{ours:>16,}{theirs:>12,}{'' if ours == theirs else '   <--'}")
    return bool(rows[-1][1]) and all(ours == theirs for _, ours, theirs in rows)


def remarks(report: dict, total: int, elapsed: float, processes: int) -> None:
    """Print what else is worth knowing, and what could explain a difference."""
    print(f"\n{total / elapsed:,.0f} answers a second; counted by {processes} workers, one after the other")
    if report["reopened"]:
        print(f"{report['reopened']} kept connections were closed unasked; the request was made again")
    if report["cut"] or report["refused"]:
        print(f"{report['cut']} answers were cut short, {report['refused']} connections refused")
