"""What is known of the end of a writer, in 0.8's words where it had any. The verdict is made elsewhere."""

from __future__ import annotations

import time

from mmstats.format import layout
from mmstats.host import identity
from mmstats.host.liveness import DEAD_STATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.format.header import Header
    from mmstats.host.identity import Machine, Process

SHORT, EXACT, LONG = "%H:%M", "%H:%M:%S", "%Y-%m-%d %H:%M:%S"
DAY = "%Y-%m-%d"


def end_of(header: Header, ours: Machine) -> str:
    """How the writer of a file ended that is gone, as the beginning of a sentence."""
    pid = header.pid
    if header.state == layout.STATE_CLOSED:
        return f"PID {pid} ended"
    if header.boot_id != ours.boot_id:
        return f"PID {pid} ended with an earlier boot"
    if (header.pid_ns, header.time_ns) != (ours.pid_ns, ours.time_ns):
        return f"PID {pid} of another PID namespace ended"
    process = identity.process(pid)
    if process is not None and process.start_ticks != header.start_ticks:
        return _another(pid, process, header.created / 1e9)
    return _end_of_pid(pid, process)


def end_of_old(pid: int, created: float) -> str:
    """The same of a file of version 1."""
    process = identity.process(pid)
    if process is None or process.state in DEAD_STATES:
        return _end_of_pid(pid, process)
    return _another(pid, process, created)


def why_unknown(header: Header, ours: Machine) -> str:
    """Why nobody can tell whether the writer lives."""
    if header.boot_id != ours.boot_id:
        return f"written on {header.hostname or 'another machine'}, cannot tell"
    if header.pid_ns != ours.pid_ns:
        return "written in another PID namespace, cannot tell"
    return "its locks cannot be asked for, cannot tell"


def _end_of_pid(pid: int, process: Process | None) -> str:
    if process is None:
        return f"PID {pid} not found"
    if process.state in DEAD_STATES:
        return f"PID {pid} is a zombie"
    return f"PID {pid} does not publish there any more"


def _another(pid: int, process: Process, created: float) -> str:
    started, written = _apart(identity.seconds_since_1970(process.start_ticks), created)
    return f"PID {pid} is another program now (started {started}, file from {written})"


def _apart(one: float, other: float) -> tuple[str, str]:
    """Two moments, with as much of each as tells them apart, and from other days."""
    today = time.strftime(DAY)
    for form in (SHORT, EXACT, LONG):
        pair = _text(form, one), _text(form, other)
        is_today = {_text(DAY, one), _text(DAY, other)} == {today}
        if form == LONG or (is_today and pair[0] != pair[1]):
            break
    return pair


def _text(form: str, seconds: float) -> str:
    try:
        return time.strftime(form, time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # what a file says may be no moment at all
        return f"{seconds:g}"
