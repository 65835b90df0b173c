"""What tests of distributions share: a range, octaves in memory of their own, and what they came to."""

from __future__ import annotations

from mmstats.format import compound, layout
from mmstats.format.spread import Range
from mmstats.format.window import take_of as window_of

RANGE = Range(3, -20, 12)
RING = layout.TIMER_DISTRIBUTION + RANGE.cells  # where that of a timer without bounds begins
ROOM = 1 << RANGE.scale
AGE = 1 << 58  # ns, nine years: the width of a slice that no test sees the end of
window = window_of(AGE, 0)
timer = compound.take_of("timer", RANGE)


# Cells of a value that keeps three values or slices, of a text of twelve bytes.
CELLS = {"Average": 3, "Moving": 6, "Window": 18, "Timing": RING + 4, "Text": 9}


def octaves_of(twin, room=ROOM):
    """A function that gives the segment of an octave: each thread has its own memory of it."""
    return lambda k: twin.Segment(lambda segment: segment.attach(bytearray(8 * room)))


def where(twin, wanted=RANGE):
    """What a Histogram or a Timing is told of its distribution."""
    return wanted.scale, wanted.low, wanted.high, wanted.bounds, octaves_of(twin, 1 << wanted.scale)


def sizes(twin, kind, size=3):
    """What comes between index and label."""
    of_kind = {"Average": (), "Moving": (size,), "Window": (size, AGE), "Timing": (size,), "Histogram": ()}[
        kind
    ]
    return of_kind + (where(twin) if kind in ("Timing", "Histogram") else ())
