"""Publishing again after a fault of the machine: who waits for that, and when it is tried.

A publication is *ill* while something of it cannot be seen by readers: its file could not be made or
was deleted, or there was no space for a thread's cells or for a metric. The token stays down then, so that
every update asks its opener; once a second one of them tries again, under the slow path's lock, and
the others only look at the clock. When all is published the token stays down until the next look, a
second later: a thread may have been in the middle of an update, whose end is brought over then.
"""

from __future__ import annotations

import time

from mmstats.cells import token
from mmstats.publish import process, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.publish.recovery import Recovery
    from mmstats.publish.region import Region

PERIOD = 1.0  # seconds
clock = time.monotonic

_ill: dict[Recovery, None] = {}
_due = 0.0
_is_trying = False
_expects_end = False


def is_waiting() -> bool:
    """Whether somebody is ill, in this very process, and the next try is later: asked at every update."""
    return bool(_ill) and clock() < _due and token.is_ours


def look(patient: Recovery, region: Region) -> None:
    """Take note of it if this region of it is ill. A file that was deleted is made anew at once."""
    global _due
    if patient not in _ill and patient.is_one_ill(region):
        if not _ill:
            _due = clock() + PERIOD
        _ill[patient] = None
        token.lower()
        _expect_end()
        try_again(at_once=region.is_lost)


def try_again(*, at_once: bool = False) -> None:
    """Let those who are ill try to publish, if it is time for that."""
    global _due, _is_trying
    if not _ill or _is_trying or (clock() < _due and not at_once):
        return
    _is_trying = True
    try:
        for patient in list(_ill):
            _treat(patient)
    finally:
        _due = clock() + PERIOD
        _is_trying = False
    if not _ill:
        token.renew()
    if _ill:  # by a signal handler, just before
        token.lower()


def _treat(patient: Recovery) -> None:
    if patient.is_ill:
        patient.heal()
    else:
        patient.catch_up()
        _ill.pop(patient, None)


def _expect_end() -> None:
    """Let there be a last try when the interpreter ends; once in a line of forks is enough."""
    global _expects_end
    if not _expects_end:
        import atexit

        _expects_end = True
        atexit.register(_try_for_the_last_time)


def _try_for_the_last_time() -> None:
    if token.is_ours and _ill:
        for _ in range(2):  # what threads were at is brought over by the second
            process.alone(lambda: try_again(at_once=True))
        report.say()


def forget() -> None:
    """Begin anew, in a forked child: who is ill there will be found out."""
    global _due, _is_trying
    _ill.clear()
    _due, _is_trying = 0.0, False


process.begins.append(forget)
