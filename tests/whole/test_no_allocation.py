"""An update of the native twin takes no memory from Python, once a thread has begun."""

from __future__ import annotations

import sys

import pytest

import programs

pytestmark = [
    pytest.mark.main,
    pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy: there is no native twin"),
]

UPDATES = {
    "incr": "stats.count.incr()",
    "incr by five": "stats.count.incr(5)",
    "incr by keyword": "stats.count.incr(amount=5)",
    "a member that was kept": "kept.incr()",
    "observe": "stats.size.observe(0.25)",
    "add": "stats.mean.add(2.5)",
    "a number": "stats.number = 7",
    "a float": "stats.real = 2.5",
    "a bool": "stats.on = True",
    "a gauge": "stats.free.set(2.5)",
    "a gauge assigned": "stats.free = 2.5",
    "a timed block": "with stats.latency: pass",
    "nested blocks": "with stats.latency, stats.other: pass",
}
PROGRAM = """
import gc, tracemalloc
class Every(Model):
    on = mmstats.BoolField()
    free = mmstats.GaugeField()
    size = mmstats.HistogramField()
    mean = mmstats.AverageField()
    latency = mmstats.TimerField()
    other = mmstats.TimerField()
    requests = mmstats.CounterField(tags=("name",))

stats = Every()
kept = stats.requests.tagged("a")
def update(times):
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    for _ in times:
        {update}
    return tracemalloc.get_traced_memory()[1] - before
many = [None] * 200  # so that the loop makes no numbers
update(many)
gc.collect()
gc.disable()
tracemalloc.start()
print(min([update(many) for _ in range(10)]))  # now and then a duration needs an octave, which is new
"""


def taken(update, directory):
    """Bytes at most that two hundred updates had at one time."""
    return int(programs.run(programs.MODEL + PROGRAM.format(update=update), "native", directory).stdout)


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES.keys())
def test_updates_take_no_memory(stats_dir, update):
    assert taken(update, stats_dir) <= taken("pass", stats_dir)


def test_the_trace_would_show_a_number(stats_dir):
    """One small object that is freed at once: the test above can fail."""
    assert taken("bytes(100)", stats_dir) > taken("pass", stats_dir)
