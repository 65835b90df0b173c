"""The chain of blocks: what was lawful up to the damage is kept, and the damage is named."""

from __future__ import annotations

import pytest

import filebuilder as fb
from mmstats.errors import FormatError
from mmstats.format import decode as room
from mmstats.format import layout, runs
from mmstats.format.cells import Cells
from mmstats.format.compound import Copies
from mmstats.format.decode import decode
from mmstats.format.metric import decode_metric, stated
from mmstats.format.runs import Schema


def labels(out):
    return [metric.label for run, _ in out.runs for metric in run.metrics]


def metric_of(data, at=0):
    out = decode(data)
    return out, [metric for run, _ in out.runs for metric in run.metrics][at]


def values(data, at=0, *, living=False, never=False):
    out, metric = metric_of(data, at)
    return Cells(Copies.of_one(data), out).of(metric, living=living, never=never)


def test_a_file_without_blocks():
    out = decode(fb.whole())
    assert (out.runs, out.cells, out.lanes, out.problems) == ([], {}, {}, [])


def test_a_file_may_end_right_behind_its_header():
    assert decode(fb.header()).problems == []


def test_everything_of_a_metric_comes_back():
    block = fb.metric(
        *("größe", "number", fb.F64),
        aggregate="max",
        keep=True,
        segment=3,
        index=4,
        cells=2,
        initial=-1.5,
        unit="bytes",
        help="what it is",
        value="v",
        tags=("a", "b"),
        extra=b"\xff\0",
        number=9,
    )
    _, metric = metric_of(fb.whole(block))
    assert {name: getattr(metric, name) for name in metric.__slots__} == {
        "aggregate": "max",
        "cell_type": fb.F64,
        "cells": 2,
        "extra": b"\xff\0",
        "help": "what it is",
        "index": 4,
        "initial": -1.5,
        "keep": True,
        "kind": "number",
        "label": "größe",
        "number": 9,
        "segment": 3,
        "state": layout.METRIC_STATE_LIVE,
        "tags": ["a", "b"],
        "unit": "bytes",
        "value": "v",
    }


def test_order_of_declaration_is_kept_around_statics():
    blocks = [fb.metric(name, "static" if name in "bd" else "counter") for name in "abcde"]
    assert labels(decode(fb.whole(*blocks))) == list("abcde")


def test_withdrawn_metrics_are_left_out():
    data = fb.whole(
        fb.metric("a"), fb.metric("b", state=2), fb.metric("c", "static", state=2), fb.metric("d")
    )
    assert labels(decode(data)) == ["a", "d"]


def test_blocks_that_are_not_known_are_skipped():
    data = fb.whole(
        fb.pad(128), fb.pad(64, 0), fb.pad(64, 77), fb.metric("a"), fb.pad(192, 5), fb.metric("b")
    )
    out = decode(data)
    assert (labels(out), out.problems) == (["a", "b"], [])


def test_the_worked_example_of_the_law():
    data = fb.whole(fb.metric("n", index=2), fb.lane(1), fb.cells(1, [0, 0, 42]))
    assert values(data) == [42]


@pytest.mark.parametrize(
    ("cell_type", "value"),
    [(fb.U64, 2**64 - 2), (fb.I64, -(2**63) + 1), (fb.F64, -0.1), (fb.BOOL, True), (fb.BOOL, False)],
)
@pytest.mark.parametrize("never", [False, True])
def test_cells_of_each_type(cell_type, value, never):
    data = fb.whole(fb.metric("n", "number", cell_type), fb.cells(1, [fb.bits(value, cell_type)]))
    assert values(data, never=never) == [value]


@pytest.mark.parametrize("cell_type", [fb.U64, fb.I64, fb.F64, fb.BOOL])
def test_a_cell_that_was_never_written(cell_type):
    data = fb.whole(fb.metric("n", "number", cell_type), fb.cells(1, [fb.bits(None, cell_type)]))
    assert values(data, never=True) == [None]


def test_lanes_whose_thread_ended_are_left_out_where_that_is_asked():
    blocks = [
        fb.metric("n"),
        fb.lane(1),
        fb.lane(2, state=0),
        fb.cells(1, [3]),
        fb.cells(2, [4]),
        fb.cells(0, [5]),
    ]
    assert values(fb.whole(*blocks)) == [3, 4, 5]
    assert values(fb.whole(*blocks), living=True) == [3, 5]


def test_a_metric_that_no_lane_has_yet():
    assert values(fb.whole(fb.metric("n"))) == []


def test_the_short_way_is_open_where_one_living_lane_has_the_segment():
    blocks = [fb.lane(1), fb.lane(2, 0), fb.cells(1, [1, 2]), fb.cells(2, [1], 2), fb.cells(1, [1], 3)]
    out = decode(fb.whole(*blocks, fb.cells(2, [1], 3)))
    assert set(Cells(Copies.of_one(b""), out).alone) == {1}


def test_a_static_number_stands_in_its_block():
    data = fb.whole(fb.metric("n", "static", fb.I64, initial=-7, segment=0, cells=0))
    out, metric = metric_of(data)
    assert stated(data, out.runs[0][1], metric) == -7


@pytest.mark.parametrize(
    ("cell_type", "value", "shown"),
    [
        (fb.F64, None, None),
        (fb.F64, 1.5, 1.5),
        (fb.I64, -2, -2),
        (fb.U64, 3, 3),
        (fb.BOOL, True, True),
        (fb.BOOL, None, False),
    ],
)
def test_initial_is_read_by_cell_type(cell_type, value, shown):
    _, metric = metric_of(fb.whole(fb.metric("n", "number", cell_type, initial=value)))
    assert metric.initial == shown


# --- damage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [65, 32, 8, 1 << 20, 0xFFFF_FFC0])
def test_a_chain_that_leads_nowhere_keeps_what_stood_before(length):
    bad = fb.pad(64)[:4] + length.to_bytes(4, "little") + bytes(56)
    out = decode(fb.whole(fb.metric("a"), bad, fb.metric("b")))
    assert labels(out) == ["a"]
    assert out.problems == [
        f"damaged: offset=640: found a block of length {length}, expected a multiple of 64, at most 3456"
    ]


def test_damage_within_a_run_keeps_the_run_so_far():
    bad = (2).to_bytes(4, "little") + (100).to_bytes(4, "little") + bytes(56)
    out = decode(fb.whole(fb.metric("a"), fb.metric("b"), bad))
    assert (labels(out), len(out.problems)) == (["a", "b"], 1)


def patched(block, offset, value, width=4):
    return block[:offset] + value.to_bytes(width, "little") + block[offset + width :]


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (patched(fb.metric("bad"), layout.METRIC_STATE, 7), layout.METRIC_STATE),
        (patched(fb.metric("bad"), layout.METRIC_LABEL_LENGTH, 4000), layout.METRIC_LABEL_LENGTH),
        (fb.metric(""), layout.METRIC_LABEL_LENGTH),
        (fb.metric("bad")[:64] + b"\xff" + fb.metric("bad")[65:], 64),
        (patched(fb.metric("bad", "static"), layout.METRIC_STATE, 7), layout.METRIC_STATE),
    ],
)
def test_a_damaged_metric_is_named_in_each_file_and_the_others_are_kept(bad, where):
    schema = Schema()
    for before in ([], [fb.pad(64)]):
        out = decode(fb.whole(*before, fb.metric("a"), bad, fb.metric("b")), schema)
        offset = 512 + 64 * len(before) + 128 + where
        assert labels(out) == ["a", "b"]
        assert [problem.split(":")[1] for problem in out.problems] == [f" offset={offset}"]


def test_a_metric_too_short_for_its_fields_cannot_be():
    with pytest.raises(FormatError, match="a METRIC of 63 bytes"):
        decode_metric(bytes(63))


def test_a_huge_metric_is_not_taken_apart():
    out = decode(fb.whole(fb.metric("x" * (1 << 20))))
    assert "at most 1048576" in out.problems[0]


def test_cells_beyond_their_block_are_damage():
    out = decode(fb.whole(fb.cells(1, [1, 2], count=9)))
    assert (out.cells, out.problems) == ({}, ["damaged: offset=528: found count=9, expected at most 8"])


def test_a_lane_has_a_segment_once():
    out = decode(fb.whole(fb.cells(1, [1]), fb.cells(1, [2])))
    assert (len(out.cells[1]), len(out.problems)) == (1, 1)


@pytest.mark.parametrize("lanes", [[0], [1, 1]])
def test_lane_blocks_have_numbers_of_their_own(lanes):
    assert len(decode(fb.whole(*map(fb.lane, lanes))).problems) == 1


def test_an_index_beyond_the_cells_is_damage():
    with pytest.raises(FormatError, match="found 1 cells, expected cell 5 of 'n'"):
        values(fb.whole(fb.metric("n", index=5), fb.cells(1, [1])))


def test_metrics_that_share_cells_cannot_make_the_reader_work_for_ever():
    data = fb.whole(*[fb.metric("n")] * 30, *[fb.cells(lane, [1]) for lane in range(60)])
    out, metric = metric_of(data)
    cells = Cells(Copies.of_one(data), out)

    def read_all():
        for _ in range(30):
            cells.of(metric, living=False, never=False)

    with pytest.raises(FormatError, match="share their cells"):
        read_all()


def test_problems_are_not_listed_without_end():
    out = decode(fb.whole(*[fb.metric("")] * 20))
    assert len(out.problems) == runs.MAX_PROBLEMS + 1
    assert out.problems[-1] == "damaged: and more of the kind"


def test_a_problem_of_the_file_is_noted_once():
    out = decode(fb.whole())
    out.note("x")
    out.note("x")
    assert out.problems == ["x"]


@pytest.mark.parametrize(
    ("limit", "value", "blocks"),
    [
        ("MAX_BLOCKS", 3, [fb.pad(64)] * 4),
        ("MAX_TEXT", 300, [fb.metric("a"), fb.pad(64), fb.metric("b"), fb.pad(64), fb.metric("c")]),
        ("MAX_METRICS", 2, [fb.metric("a"), fb.pad(64), fb.metric("b"), fb.pad(64), fb.metric("c")]),
    ],
)
def test_limits_end_the_walk_and_keep_what_was_read(monkeypatch, limit, value, blocks):
    monkeypatch.setattr(room, limit, value)
    out = decode(fb.whole(*blocks))
    assert len(out.problems) == 1
    assert f"more than {value}" in out.problems[0]
    assert labels(out) == ([] if limit == "MAX_BLOCKS" else ["a", "b"])


def test_long_runs_are_cut(monkeypatch):
    monkeypatch.setattr(room, "MAX_RUN", 2)
    out = decode(fb.whole(*[fb.metric(name) for name in "abcde"]))
    assert (labels(out), len(out.runs)) == (list("abcde"), 3)


# --- what is remembered ----------------------------------------------------------------------------


def test_runs_and_statics_are_taken_apart_once():
    schema = Schema()
    one, two = (
        decode(fb.whole(fb.metric("pid", "static", initial=pid), fb.metric("a"), fb.metric("b")), schema)
        for pid in (1, 2)
    )
    assert [run for run, _ in one.runs] == [run for run, _ in two.runs]


def test_runs_that_only_begin_alike_are_told_apart():
    schema = Schema()
    assert labels(decode(fb.whole(fb.metric("a"), fb.metric("b")), schema)) == ["a", "b"]
    assert labels(decode(fb.whole(fb.metric("a"), fb.metric("c")), schema)) == ["a", "c"]
    assert labels(decode(fb.whole(fb.metric("a")), schema)) == ["a"]


def test_what_is_remembered_has_a_limit(monkeypatch):
    monkeypatch.setattr(runs, "MAX_SCHEMA", 0)
    schema = Schema()
    assert labels(decode(fb.whole(fb.metric("a"), fb.metric("s", "static")), schema)) == ["a", "s"]
    assert (schema.runs, schema.statics) == ({}, {})
