"""--check: what does not hold of the stats that are looked at."""

from __future__ import annotations

from mmstats.stat import Snapshot
from mmstats.tools.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.tools.expressions import Expression


def offenders(checks: Sequence[Expression], snapshots: Sequence[Snapshot]) -> tuple[str, list[Snapshot]]:
    """The stats of which a check is not true; and a sentence, if one says nothing of any stat."""
    found: list[Snapshot] = []
    met: set[str] = set()
    for one in snapshots:
        wrong = []
        for stat in one.stats:
            said = [check for check in checks if check.matches(stat.about)]
            met.update(check.text for check in said)
            if not all(check.holds(stat.value) for check in said):
                wrong.append(stat)
        found.append(Snapshot(one.merge, one.origin, one.problems, one.processes, wrong))
    for check in checks:
        if check.text not in met:
            return _nothing(check, snapshots), found
    return "", found


def _nothing(check: Expression, snapshots: Sequence[Snapshot]) -> str:
    from mmstats.near import close

    near = close(check.pattern.text, {stat.label for one in snapshots for stat in one.stats})
    hint = f". Close: {', '.join(map(shown, near))}" if near else ""
    return f"--check {check.text!r}: no stat is called {check.pattern.text!r}{hint}"
