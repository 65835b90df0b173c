"""Bytes of cells that a thread has for one histogram, with octaves on demand and in the dense form.

    python bench/octaves.py

Counted in the file itself: CELLS blocks of the metric's segment and of its octaves.
"""

from __future__ import annotations

import os
import random
import tempfile

import mmstats
from mmstats.format import encode, layout
from mmstats.format.decode import decode

UNIT = "seconds"
MEMBERS = 34


def bytes_of(filename: str) -> int:
    """Of all CELLS blocks of one file."""
    with open(filename, "rb") as file:
        decoded = decode(file.read())
    counts = [count for lanes in decoded.cells.values() for _, count in lanes.values()]
    return sum(encode.cells_length(count) for count in counts)


def octaves_of(filename: str) -> int:
    """How many octaves there are."""
    with open(filename, "rb") as file:
        return sum(segment >= layout.OCTAVE_STEP for segment in decode(file.read()).cells)


def values(kind: str, number: int) -> list[float]:
    """What is measured."""
    chosen = random.Random(5)  # noqa: S311 - the same numbers each time
    if kind == "constant":
        return [0.02] * number
    if kind == "lognormal, sigma 1":
        return [chosen.lognormvariate(-4, 1) for _ in range(number)]
    if kind == "lognormal, sigma 0.4":
        return [chosen.lognormvariate(-4, 0.4) for _ in range(number)]
    return [2 ** chosen.uniform(-20, 12) for _ in range(number)]


def row(kind: str) -> str:
    class One(mmstats.BaseMmStats):
        size = mmstats.HistogramField(unit=UNIT)

    class Many(mmstats.BaseMmStats):
        size = mmstats.HistogramField(unit=UNIT, tags=("route",))

    one, many = One(filename="one-{ID}.mmstats"), Many(filename="many-{ID}.mmstats")
    for value in values(kind, 1_000):
        one.size.observe(value)
        for member in range(MEMBERS):
            many.size.tagged(member).observe(value)
    cells = One.size.cells + (One.size.spread.octaves << One.size.spread.scale)
    told = one.filename, many.filename
    dense = encode.cells_length(cells), encode.cells_length(MEMBERS * (1 + cells)) // MEMBERS
    text = (
        f"| {kind} | {octaves_of(told[0])} | {bytes_of(told[0]):,} | {dense[0]:,} "
        f"| {bytes_of(told[1]) // MEMBERS:,} | {dense[1]:,} |"
    )
    one.remove(discard=True)
    many.remove(discard=True)
    return text


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.environ["MMSTATS_PATH"] = directory
        print("| values | octaves | on demand | dense | a member of 34, on demand | dense |")
        print("|---|---|---|---|---|---|")
        for kind in ("constant", "lognormal, sigma 0.4", "lognormal, sigma 1", "over the whole range"):
            print(row(kind))


if __name__ == "__main__":
    main()
