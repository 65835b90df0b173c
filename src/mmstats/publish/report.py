"""What went wrong with the machine, said once, and never where saying it could do harm.

An update may run inside a signal handler, a finalizer or a logging handler; writing a log record
there can deadlock the program. So an update only notes what happened; the note is written at the
next ordinary call: making or removing a model, flushing, reading `dropped`, the orderly exit.
"""

from __future__ import annotations

_noted: list[str] = []
_said: set[str] = set()


def note(message: str) -> None:
    """Remember to say this, unless it was said in this process."""
    if message not in _said:
        _said.add(message)
        _noted.append(message)


def end(faults: list[str], message: str) -> None:
    """Remember to say that these faults are over; they will be said again if they come again."""
    _said.difference_update(faults)
    _noted.append(message)


def say() -> None:
    """Write what was noted to the logger `mmstats`; called from ordinary places only."""
    if not _noted:
        return
    import logging  # dear, and hardly ever needed

    logger = logging.getLogger("mmstats")
    while True:
        try:
            message = _noted.pop(0)
        except IndexError:  # a handler that makes models, too, may have said it
            return
        logger.warning("%s", message)


def forget() -> None:
    """Begin anew, in a forked child: what its parent said is not said by it."""
    _said.clear()
    del _noted[:]
