"""The cells: one value in shared memory, stored and loaded whole. Chooses a twin.

Knows how a value is stored and loaded, and where the calling thread's cells are.
Never knows what a label means, a help, another cell, that there is a file.

`protocol` says what both twins do. `CELLS` is the name of the one in use, and `CELLS.reason` says why.
The environment variable MMSTATS_CELLS forces one; it is read here, when this package is first imported.
"""

from __future__ import annotations

import os

from mmstats.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "CELLS",
    "Average",
    "Counter",
    "Duration",
    "Gauge",
    "Histogram",
    "Instance",
    "Lookup",
    "Moving",
    "Number",
    "Segment",
    "Text",
    "Timing",
    "UpDown",
    "Window",
    "token",
]


class Choice(str):
    """The name of a twin, and why it was chosen."""

    __slots__ = ("reason",)
    reason: str

    def __new__(cls, name: str, reason: str) -> Choice:  # noqa: PYI034 - typing_extensions is not here
        self = str.__new__(cls, name)
        self.reason = reason
        return self


def choose(wanted: str | None) -> tuple[Any, Choice]:
    """The twin's module, and the choice."""
    if wanted not in (None, "", "native", "pure"):
        raise UsageError(f"MMSTATS_CELLS is 'native' or 'pure', not {wanted!r}")
    if wanted == "pure":
        return load_pure(), Choice("pure", "MMSTATS_CELLS=pure says so")
    try:
        native = load_native()
    except ImportError as error:
        if wanted == "native":
            raise UsageError(f"MMSTATS_CELLS=native, but the native twin cannot be loaded: {error}") from None
        return load_pure(), Choice("pure", f"the native twin cannot be loaded: {error}")
    reason = "MMSTATS_CELLS=native says so" if wanted else "it is there, and the faster one"
    return native, Choice("native", reason)


def load_native() -> Any:
    """The native twin's module; ImportError where it was not built."""
    # Not `from mmstats.cells import _native`: where there is none, that speaks of a circular import.
    return __import__("mmstats.cells._native", fromlist=["token"])


def load_pure() -> Any:
    """The pure twin's module."""
    from mmstats.cells import pure

    return pure


_twin, CELLS = choose(os.environ.get("MMSTATS_CELLS"))
token = _twin.token
Segment = _twin.Segment
Instance = _twin.Instance
Counter = _twin.Counter
UpDown = _twin.UpDown
Number = _twin.Number
Average = _twin.Average
Moving = _twin.Moving
Window = _twin.Window
Timing = _twin.Timing
Duration = _twin.Duration
Histogram = _twin.Histogram
Text = _twin.Text
Gauge = _twin.Gauge
Lookup = _twin.Lookup
