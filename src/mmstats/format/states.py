"""The states of an enum (FORMAT.md 6): texts in `extra`, of which a cell has the number."""

from __future__ import annotations

from mmstats.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.metric import Metric


def states_of(metric: Metric) -> list[str]:
    """All states; FormatError where there are none."""
    try:
        *states, rest = metric.extra.decode().split("\0")
    except UnicodeDecodeError:
        states, rest = [], "?"
    if not states or rest or not all(states):
        raise FormatError(0, f"states {metric.extra[:40]!r} of {metric.label!r}", "texts, each with a NUL")
    return states


def texts_of(metric: Metric, states: list[str], found: list[Any]) -> list[str | None]:
    """The texts of the states that lanes are in; None: never written."""
    places = [place for place in found if place is not None]
    if max(places, default=0) >= len(states):
        raise FormatError(0, f"state {max(places)} of {metric.label!r}", f"below {len(states)}")
    return [None if place is None else states[place] for place in found]
