"""What this process says of itself in the header of its file."""

from __future__ import annotations

import os
import time

from mmstats.format.encode import cut
from mmstats.host import identity
from mmstats.publish.settings import command

TOTAL_STORE_ORDER = frozenset(("x86_64", "i686", "i586", "i486", "i386", "s390x"))


def header_fields(group: str) -> dict[str, object]:
    """The fields of the header that tell who writes, by their names in the layout."""
    machine = identity.Machine()
    return {
        "boot_id": machine.boot_id,
        "machine_id": machine.machine_id,
        "hostname": cut(machine.hostname, 64),
        "pid_ns": machine.pid_ns,
        "time_ns": machine.time_ns,
        "pid": os.getpid(),
        "uid": os.geteuid(),
        "start_ticks": identity.start_ticks(),
        "started": identity.started(),
        "created": time.time_ns(),
        "created_monotonic": time.monotonic_ns(),
        "created_boottime": time.clock_gettime_ns(identity.CLOCK_BOOTTIME),
        "group": group.encode(),
        "cmd": cut(command(), 64),
    }


def stores_are_ordered() -> bool:
    """Whether other processors see our stores in their order; Python has no fences of its own."""
    return os.uname().machine in TOTAL_STORE_ORDER
