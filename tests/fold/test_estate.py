"""What the end of a process leaves of each metric in its file."""

from __future__ import annotations

import filebuilder as fb
from mmstats.fold.estate import left_in
from mmstats.format import layout
from mmstats.format.decode import decode

ROWS = (
    ("counter", "counter", fb.U64, 5),
    ("kept", "number", fb.U64, 3, {"keep": True, "aggregate": "max"}),
    ("not kept", "number", fb.U64, 4),
    ("not a sum", "number", fb.U64, 4, {"keep": True, "aggregate": "avg"}),
    ("bool", "bool", fb.BOOL, True),
    ("gauge", "gauge", fb.F64, 2.0),
    ("static", "static", fb.TEXT, "x"),
)
REMOVED = ("removed", "counter", fb.U64, 7, {"state": layout.METRIC_STATE_ENDED})
WITHDRAWN = ("withdrawn", "counter", fb.U64, 8, {"state": layout.METRIC_STATE_WITHDRAWN})


SUPERSEDED = ("superseded", "counter", fb.U64, 9, {"state": layout.METRIC_STATE_SUPERSEDED})


def left(*rows, **more):
    data = fb.whole(*fb.fields(*rows))
    unknown = []
    found = {one.about.label: one.parts for one in left_in(data, decode(data), unknown.append, **more)}
    return found, unknown


def test_what_goes_with_the_process_is_not_left():
    assert left(*ROWS) == ({"counter": 5, "kept": 3}, [])


def test_what_removed_models_counted_is_left_too():
    assert left(*ROWS, REMOVED, WITHDRAWN, SUPERSEDED)[0] == {"counter": 5, "kept": 3, "removed": 7}


def test_only_what_removed_models_counted():
    assert left(*ROWS, REMOVED, WITHDRAWN, removed_only=True)[0] == {"removed": 7}


def test_a_kind_that_is_not_known_is_said():
    found, unknown = left(*ROWS, ("h", 77, fb.U64, 0))
    assert (found, unknown) == (
        {"counter": 5, "kept": 3},
        ["kind 77 is not known to this reader; left out"],
    )
