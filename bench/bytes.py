"""Bytes that a series takes in the files of one process, for each kind, beside prometheus_client's.

    python bench/bytes.py

Counted in the files themselves, of a process with one thread that wrote each series once: the blocks of an
mmstats file, and of the multiprocess mode's files what their first word says is used. `by itself`: as a
metric of its own, `a member`: as one of a hundred of one family with one tag. Each further thread that writes
takes the cells once more. Files grow in steps: one of mmstats begins with 4 KiB, one of each type of
prometheus_client's with 64 KiB.
"""

from __future__ import annotations

import glob
import os
import struct
import subprocess
import sys
import tempfile

SERIES = 100
# The field, an update, and what stands for it in prometheus_client, if anything does.
KINDS = {
    "counter": ("CounterField({})", "{}.incr()", "counter"),
    "up and down": ("UpDownField({})", "{}.incr()", "gauge"),
    "gauge": ("GaugeField({})", "{}.set(1)", "gauge"),
    "number": ("DoubleField({})", "{}.set(1)", "gauge"),
    "average": ("AverageField({})", "{}.add(1)", "summary"),
    "histogram": ("HistogramField({})", "{}.observe(0.02)", "histogram"),
    "histogram with 14 bounds": ("HistogramField(bounds=BOUNDS, {})", "{}.observe(0.02)", "histogram"),
    "timer, the last 100": ("TimerField({})", "{}.observe(0.02)", "histogram"),
    "moving average of 100": ("MovingAverageField({})", "{}.add(1)", None),
    "moving average of 60 s": ("MovingAverageField(window=60.0, {})", "{}.add(1)", None),
    "text of up to 255 bytes": ("StringField({})", "{}.set('up')", None),
}
THEIRS = {
    "counter": ("Counter", "inc()"),
    "gauge": ("Gauge", "inc()"),
    "summary": ("Summary", "observe(1)"),
    "histogram": ("Histogram", "observe(0.02)"),
}
OURS_ALONE = """
import mmstats
BOUNDS = (.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10)
fields = {{f"series_{{at:03}}": mmstats.{field} for at in range({count})}}
stats = type(mmstats.BaseMmStats)("Stats", (mmstats.BaseMmStats,), fields)()
for name in fields:
    {update}
"""
OURS_TAGGED = """
import mmstats
BOUNDS = (.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10)
fields = {{"series": mmstats.{field}}} if {count} else {{}}
stats = type(mmstats.BaseMmStats)("Stats", (mmstats.BaseMmStats,), fields)()
for at in range({count}):
    {update}
"""
THEIR_ALONE = """
import prometheus_client as theirs
for at in range({count}):
    theirs.{kind}(f"series_{{at:03}}", "").{update}
"""
THEIR_TAGGED = """
import prometheus_client as theirs
family = theirs.{kind}("series", "", ["tag"])
for at in range({count}):
    family.labels(f"{{at:03}}").{update}
"""


def run(program: str, directory: str) -> None:
    """The program, to an end that leaves its files."""
    environment = {**os.environ, "MMSTATS_PATH": directory, "PROMETHEUS_MULTIPROC_DIR": directory}
    command = [sys.executable, "-c", program + "\nimport os; os._exit(0)"]
    subprocess.run(command, env=environment, check=True)


def used_by_ours(program: str) -> int:
    """Bytes up to the end of the chain of blocks."""
    with tempfile.TemporaryDirectory() as directory:
        run(program, directory)
        (path,) = glob.glob(f"{directory}/*.mmstats")
        with open(path, "rb") as file:
            data = file.read()
    (at,) = struct.unpack_from("<I", data, 12)
    while at + 64 <= len(data) and (length := struct.unpack_from("<I", data, at + 4)[0]):
        at += length
    return at


def used_by_theirs(program: str) -> int:
    """What each file says is used, in its first word, less the eight bytes of its head."""
    with tempfile.TemporaryDirectory() as directory:
        run(program, directory)
        total = 0
        for path in glob.glob(f"{directory}/*.db"):
            with open(path, "rb") as file:
                total += struct.unpack("<i", file.read(4))[0] - 8
    return total


def ours(field: str, update: str) -> tuple[float, float]:
    """Bytes of a series by itself, and of a member."""
    plain = "getattr(stats, name)"
    if "DoubleField" in field or "StringField" in field:  # plain attributes
        update_alone = update.replace("{}.set(", "setattr(stats, name, ")
    else:
        update_alone = update.format(plain)
    alone = {"field": field.format(""), "update": update_alone}
    tagged = {
        "field": field.format("tags=('tag',)"),
        "update": update.format("stats.series.tagged(f'{at:03}')"),
    }
    return tuple(
        (used_by_ours(template.format(count=SERIES, **how)) - used_by_ours(template.format(count=0, **how)))
        / SERIES
        for template, how in ((OURS_ALONE, alone), (OURS_TAGGED, tagged))
    )


def theirs(kind: str) -> tuple[float, float]:
    """Likewise."""
    name, update = THEIRS[kind]
    return tuple(
        used_by_theirs(template.format(count=SERIES, kind=name, update=update)) / SERIES
        for template in (THEIR_ALONE, THEIR_TAGGED)
    )


def main() -> None:
    """Print the table."""
    known = {kind: theirs(kind) for kind in THEIRS}
    print("| kind | by itself | a member | prometheus_client: | by itself | a member |")
    print("|---|---|---|---|---|---|")
    for kind, (field, update, other) in KINDS.items():
        alone, member = ours(field, update)
        beside = f"{other} | {known[other][0]:,.0f} | {known[other][1]:,.0f}" if other else " | | "
        print(f"| {kind} | {alone:,.0f} | {member:,.0f} | {beside} |", flush=True)


if __name__ == "__main__":
    main()
