"""What time it is for the writer of a file."""

from __future__ import annotations

import time

from mmstats.host.identity import NO_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.header import Header
    from mmstats.host.identity import Machine


def clock_of(header: Header, ours: Machine) -> int:
    """CLOCK_MONOTONIC where the writer is, now, in ns (FORMAT.md 5.1).

    On its own machine that is ours, and no setting of the other clock changes it. Elsewhere it is reckoned
    from the moment the file was created, and both machines' clocks are taken for right.
    """
    if ours.boot_id != NO_ID and (header.boot_id, header.time_ns) == (ours.boot_id, ours.time_ns):
        return time.monotonic_ns()
    return time.time_ns() - header.created + header.created_monotonic
