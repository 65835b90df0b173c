"""What the type checkers see of families; mypy and pyright must agree. Nobody runs this file.

A line that must be an error says so twice, once for each checker.
"""

from __future__ import annotations

from typing_extensions import assert_type

import mmstats
from mmstats.cells.compound_protocol import Average, Moving
from mmstats.cells.protocol import Counter, Gauge, UpDown
from mmstats.publish.attributes import Attribute
from mmstats.publish.families import Family
from mmstats.publish.timers import Timer


class WebStats(mmstats.MmStats):
    """A family of each kind."""

    requests = mmstats.CounterField(label="requests", tags=("method", "status"))
    seconds = mmstats.CounterField("seconds", True, tags=["route"], ttl=3600, max_series=100)
    inflight = mmstats.UpDownField(tags=("route",))
    free = mmstats.GaugeField(tags=("pool",), aggregate="max")
    body = mmstats.AverageField(tags=("route",))
    load = mmstats.MovingAverageField(50, tags=("route",))
    latency = mmstats.TimerField(size=20, tags=("route",))
    errors = mmstats.UIntField(tags=("route",))
    last = mmstats.DoubleField(tags=("route",))
    ready = mmstats.BoolField(tags=("route",))
    phase = mmstats.StringField(size=40, tags=("route",))
    mode = mmstats.EnumField(states=("up", "down"), tags=("route",))
    plain = mmstats.CounterField()


web = WebStats()
assert_type(web.requests, Family[Counter])
assert_type(web.seconds, Family[Counter])
assert_type(web.inflight, Family[UpDown])
assert_type(web.free, Family[Gauge])
assert_type(web.body, Family[Average])
assert_type(web.load, Family[Moving])
assert_type(web.latency, Family[Timer])
assert_type(web.errors, Family[Attribute[int]])
assert_type(web.last, Family[Attribute[float]])
assert_type(web.ready, Family[Attribute[bool]])
assert_type(web.phase, Family[Attribute[str]])
assert_type(web.mode, Family[Attribute[str]])
assert_type(web.plain, Counter)

# The class has the field, which is what it was.
assert_type(WebStats.plain, mmstats.CounterField)
assert_type(WebStats.requests.max_series, int)

# A member is what the field alone would be.
assert_type(web.requests.tagged("GET", 200), Counter)
assert_type(web.requests.tagged(method="GET", status="200"), Counter)
assert_type(web.errors.tagged("/").value, int)
assert_type(web.phase.tagged("/").value, str)
web.requests.tagged("GET", "200").incr()
web.requests.forget(method="GET", status="200")
web.requests.incr()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
web.errors = 5  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]

# Added, and without a class.
assert_type(web.add("late", mmstats.CounterField(tags=("route",))), Family[Counter])
assert_type(web.add("plainly", mmstats.CounterField()), Counter)
assert_type(mmstats.counter("jobs", tags=("queue",)), Family[Counter])
assert_type(mmstats.counter("jobs.done"), Counter)
assert_type(mmstats.gauge("free", tags=("pool",)), Family[Gauge])
assert_type(mmstats.text("phase", tags=("pool",)).tagged("a"), Attribute[str])
