"""Snapshots for exporters, and what the formats' own parsers make of their text."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from mmstats import kinds
from mmstats.distribution import DistributionValue, TimerValue
from mmstats.format.spread import Range, Spread
from mmstats.stat import About, Origin, Snapshot, Stat

SECONDS = Range(3, -20, 12)


def stat(label, kind, value, *, unit="", tags=(), group="g", aggregate="sum", help="", parts=...):
    about = About(aggregate, help, False, kind, label, dict(tags), unit)
    return Stat(about, group, value if parts is ... else parts, value)


def snapshot(*stats, created=0.0):
    return Snapshot(kinds.merged, Origin(created=created), [], 1, list(stats))


def histogram(values, range_=SECONDS, timer=False):
    """What counted those, that are all within the range, above none of its bounds but the last."""
    from mmstats.buckets import index_of

    buckets, counts = {}, [0] * (len(range_.bounds) + 1)
    negative = sum(value < 0 for value in values)
    for value in values:
        if value > 0:
            at = index_of(value, range_.scale)
            buckets[at] = buckets.get(at, 0) + 1
        counts[sum(value > bound for bound in range_.bounds)] += 1
    zero = sum(value == 0 for value in values)
    spread = Spread(range_, buckets, zero, 0, negative, counts)
    made = TimerValue if timer else DistributionValue
    least, most = (min(values), max(values)) if values else (0.0, 0.0)
    rest = (0.5, 0.5) if timer else ()
    return made(len(values), float(sum(values)), least, most, *rest, spread if values else None)


def promtool(text):
    """(exit code, what it says) of `promtool check metrics`."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("needs promtool")
    words = [program, "check", "metrics"]
    done = subprocess.run(words, input=text.encode(), capture_output=True, timeout=30, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()
