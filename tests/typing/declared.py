"""What the type checkers see of a model; mypy and pyright must agree. Nobody runs this file.

A line that must be an error says so twice, once for each checker; both complain when it is none.
"""

from __future__ import annotations

from typing_extensions import assert_type

import mmstats
from mmstats.cells.protocol import Counter


class WebStats(mmstats.MmStats):
    """One field of each kind."""

    requests = mmstats.CounterField(label="requests", help="requests served")
    seconds = mmstats.CounterField(label="seconds", float=True)
    last_hit = mmstats.DoubleField(label="last_hit", unit="timestamp")
    load = mmstats.FloatField()
    working = mmstats.BoolField(initial=True)
    errors = mmstats.UIntField()
    level = mmstats.IntField()
    small = mmstats.ByteField()
    wide = mmstats.Int64Field(aggregate="max")
    name = mmstats.StaticTextField(value="web")
    number = mmstats.StaticUIntField(value=lambda: 7)
    share = mmstats.StaticDoubleField(value=0.5)


class ApiStats(WebStats):
    """What is inherited is typed as well."""

    calls = mmstats.CounterField()


web = WebStats(label_prefix="web.")
api = ApiStats(path="/run/app", filename="{CMD}-{PID}.mmstats", group="api", strict=True)

# An instance gives what is counted with, or the value.
assert_type(web.requests, Counter)
assert_type(web.last_hit, float)
assert_type(web.load, float)
assert_type(web.working, bool)
assert_type(web.errors, int)
assert_type(web.level, int)
assert_type(web.small, int)
assert_type(web.wide, int)
assert_type(web.name, str)
assert_type(web.number, int)
assert_type(web.share, float)
assert_type(api.requests, Counter)
assert_type(api.calls, Counter)

# The class gives the field.
assert_type(WebStats.requests, mmstats.CounterField)
assert_type(WebStats.last_hit, mmstats.DoubleField)
assert_type(WebStats.working, mmstats.BoolField)
assert_type(WebStats.level, mmstats.IntField)
assert_type(WebStats.name, mmstats.StaticTextField)

# Counting.
web.requests.incr()
web.requests.incr(3)
web.requests.inc(n=2)
web.seconds.incr(0.25)
web.requests.incr("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Plain fields are assigned to; counters and statics are not.
web.last_hit = 1.5
web.last_hit = 2
web.working = False
web.errors += 1
web.requests = 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.errors = "five"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
web.name = "api"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]

# A misspelt name is an error: the front door is lazy, and still says what it has.
mmstats.CounterFeild()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
web.reqests.incr()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

# Reading.
whole = mmstats.combined()
for snapshot in mmstats.snapshot(["/run/app", "/run/other"]):
    assert_type(snapshot.origin.pid, int)
    assert_type(snapshot.origin.state, str)
    for stat in snapshot.stats:
        assert_type(stat.label, str)
whole.value("web.requests", default=0)
