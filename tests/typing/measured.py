"""What the type checkers see of averages, timers, texts and bools; mypy and pyright must agree.

Nobody runs this file. A line that must be an error says so twice, once for each checker.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from fractions import Fraction
from typing import Optional

from typing_extensions import assert_type

import mmstats
from mmstats.publish.timers import Timer, TimerContext


class SlowField(mmstats.TimerField):
    """A program's own field, with its own defaults."""

    def __init__(self, label: str | None = None) -> None:
        super().__init__(time.process_time, 10, label)


class JobStats(mmstats.BaseMmStats):
    """Each field of 0.8 by its positions, and by its names."""

    ready = mmstats.BoolField(True)
    failed = mmstats.BoolField(label="failed", help="whether one ever was", keep=True)
    body = mmstats.AverageField("job.body", unit="bytes", help="how large they are")
    load = mmstats.MovingAverageField(50, "job.load")
    recent = mmstats.MovingAverageField(label="job.recent", window=60.0)
    latency = mmstats.TimerField(time.monotonic, 50, "job.latency")
    parsing = mmstats.TimerField(size=20, label="job.parsing")
    slow = SlowField()
    phase = mmstats.StringField(40, "job.phase", aggregate="set")


jobs = JobStats()

# The class gives the field, and the field what it was declared with.
assert_type(JobStats.ready, mmstats.BoolField)
assert_type(JobStats.slow, SlowField)
assert_type(JobStats.load.size, int)
assert_type(JobStats.recent.window, Optional[float])
assert_type(JobStats.latency.size, int)
assert_type(JobStats.phase.size, int)

# A bool takes anything, and counts by its truth.
assert_type(jobs.ready, bool)
jobs.ready = not jobs.failed
jobs.failed = []

# Averages take numbers.
jobs.body.add(5)
jobs.body.add(0.5)
jobs.body.add(True)
assert_type(jobs.body.label, str)
assert_type(jobs.body.value, float)
assert_type(jobs.load.value, float)
jobs.body.add("5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
jobs.load.add(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
jobs.load.add(Fraction(1, 2))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
jobs.body.add()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
jobs.body.value = 5.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
jobs.body.observe(5)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

# Timers are contexts, and have words for the rest.
assert_type(jobs.slow, Timer)
assert_type(jobs.latency.value, float)
jobs.latency.observe(1)
jobs.latency.add(0.25)
with jobs.latency, jobs.parsing as inner:
    assert_type(inner, TimerContext)
    inner.stop()
with ExitStack() as stack:
    assert_type(stack.enter_context(jobs.latency), TimerContext)
with jobs.latency.start() as started:
    assert_type(started.elapsed, float)
jobs.latency.observe("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
jobs.latency.last = 5.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
started.done = True  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def timed() -> int:
    """A block that ends in `return` ends the function: no timer swallows an exception."""
    with jobs.latency:
        return 5


# Texts are texts.
jobs.phase += ", still"
assert_type(jobs.phase.upper(), str)
jobs.phase = b"bytes"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
jobs.phase = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]

# What is declared wrongly.
mmstats.MovingAverageField(size="50")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
mmstats.MovingAverageField(window="60")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
mmstats.StringField(size=None)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
mmstats.TimerField(timer=5)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
mmstats.TimerField(timer=lambda: "now")  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
