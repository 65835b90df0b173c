"""The worked examples of spec/FORMAT.md are what the programs write and read."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

import filebuilder as fb
import plainly
from mmstats import snapshot
from mmstats.distribution import DistributionValue, TimerValue
from mmstats.format import encode, layout
from mmstats.format.cells import Cells
from mmstats.format.compound import Copies
from mmstats.format.decode import decode
from mmstats.format.legacy import decode_legacy
from mmstats.format.spread import Range, Spread
from mmstats.format.window import pack
from mmstats.plan import plan
from mmstats.stat import Rows

LAW = (Path(__file__).resolve().parents[2] / "spec" / "FORMAT.md").read_text()


def section(heading):
    """The text below a heading of the law, up to the next of its rank."""
    rank = heading.partition(" ")[0]
    text = LAW.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^#{{2,{len(rank)}}} ", text, maxsplit=1, flags=re.MULTILINE)[0]


def example(text):
    """The bytes of the first worked example of a text."""
    lines = text.split("*Example.*", 1)[1].split("```", 2)[1].strip().splitlines()
    return bytes.fromhex("".join(re.match(r"(?:[0-9a-f]{2}\s+)+", line + " ")[0] for line in lines))


def words(raw):
    return list(struct.unpack(f"<{len(raw) // 8}Q", raw))


@pytest.mark.parametrize("heading", re.findall(r"^## .*", LAW, re.MULTILINE))
def test_each_section_has_one(heading):
    assert "*Example.*" in section(heading)
    assert "```\n" in section(heading)


RANGE = Range(3, -20, 12)
AHEAD = 4_102_444_800_000_000_000  # the year 2100: of a window of time the reader takes the writer's clock
COMPOUND = {
    "Average": ("average", fb.F64, 2.0),
    "Moving average": ("moving", fb.F64, 7.5),
    "Moving average of a window of time": ("moving", fb.F64, 14 / 3),
    "Timer": ("timer", fb.F64, TimerValue(1, 0.25, 0.25, 0.25, 0.25, 0.25, Spread(RANGE, {-17: 1}))),
    "Text": ("text", fb.TEXT, "down"),
}


@pytest.mark.parametrize("title", COMPOUND)
def test_a_compound_value_reads_as_it_says(tmp_path, title):
    kind, cell_type, value = COMPOUND[title]
    raw = words(example(section("### 5.1 Compound values").split(f"**{title}.**", 1)[1]))
    extra = RANGE.pack() if kind == "timer" else pack(3_000_000_000) if "window" in title else b""
    metric = fb.metric("a", kind, cell_type, cells=len(raw), extra=extra)
    octave = fb.cells(1, [0] * 7 + [1], segment=1 + layout.OCTAVE_STEP * 18)  # which stands beside it
    whole = fb.whole(metric, fb.lane(1), fb.cells(1, raw), octave, created=AHEAD, boot_id=bytes(16))
    path = fb.write(tmp_path / "a.mmstats", whole)
    (one,) = snapshot(path)
    assert [stat.value for stat in one.stats] == [value]


@pytest.mark.parametrize(("lane_1", "value"), [(1, -7), (0, 3)], ids=["alive", "ended"])
def test_a_maximum_over_lanes(tmp_path, lane_1, value):
    one, two = words(example(section("## 6. Kinds")))
    metric = fb.metric("a", "number", fb.I64, aggregate="max", initial=3)
    lanes = [fb.lane(1, lane_1), fb.cells(1, [one]), fb.lane(2), fb.cells(2, [two])]
    (read,) = snapshot(fb.write(tmp_path / "a.mmstats", fb.whole(metric, *lanes)))
    assert read.value("a") == value


def test_two_headers(tmp_path):
    """The first is read, the second refused."""
    raw = example(section("## 1. Rules of change"))
    for at, refused in (0, False), (16, True):
        data = bytearray(fb.whole(fb.metric("a")))
        data[8:24] = raw[at : at + 16]
        (one,) = snapshot(fb.write(tmp_path / "a.mmstats", bytes(data)))
        assert bool(one.problems) == refused


def test_who_wrote_it():
    raw = example(section("## 8. Life"))
    told = {"pid": 4711, "uid": 1000, "start_ticks": 86_243, "pid_ns": 4_026_531_836}
    header = encode.header(state=layout.STATE_LIVE, time_ns=4_026_531_834, **told)
    assert header[96:128] == raw


def test_folded():
    raw = example(section("## 9. Totals of other files"))
    uuid = bytes.fromhex("0f1e2d3c4b5a69788796a5b4c3d2e1f0")
    block = raw[:16].ljust(64, b"\0") + raw[16:].ljust(64, b"\0")
    entry = (uuid, 0x18E0B6B3A7640000, 0)
    assert encode.folded([entry]) == block
    assert decode(fb.whole(block)).folded == [entry]


def test_a_total_beyond_64_bits():
    raw = example(section("### 9.1 Retired totals"))
    block = raw[:20].ljust(64, b"\0") + raw[24:].ljust(64, b"\0")
    assert encode.cells(0, 1, [5, 1, 1_700_000_000_000_000_000]) == block


def test_a_file():
    """Section 2 tells of a vector what a reader finds in it, step by step."""
    text = section("## 2. What a reader does")
    data = {vector.name: vector.data for vector in plainly.vectors().vectors()}["valid/one_counter"]
    found = decode(data)
    assert f"has {len(data)} bytes" in text
    assert [offset for _, offset in found.runs] == [512]
    assert found.lanes.keys() == {1}
    assert found.cells == {1: {1: (768 + 64, 1)}}
    assert data[832:840] == example(text)


def test_a_member():
    raw = example(section("### 4.4 MEMBER"))
    assert encode.member(5, ("GET", "200"), metric=7, segment=2, index=3) == raw[:32].ljust(64, b"\0") + raw[
        32:
    ].ljust(64, b"\0")


def test_a_member_s_cells():
    _, cells = section("### 4.4 MEMBER").split("*Example.* Its", 1)
    assert struct.unpack("<4Q", example(f"*Example.*{cells}")) == (5, 42, 4, 17)


def test_a_histogram():
    """Its first cells and those of one octave, read as a reader does."""
    raw, wanted = example(section("### 5.2 Distributions")), Range(1, 3, 5)
    first = (raw[:24].ljust(64, b"\0") + raw[24:128]).ljust(192, b"\0")
    octave = (raw[128:152].ljust(64, b"\0") + raw[152:]).ljust(128, b"\0")
    data = fb.whole(
        fb.metric("it", "histogram", fb.F64, segment=2, cells=13, extra=wanted.pack()),
        fb.lane(1),
        first,
        octave,
    )
    decoded = decode(data)
    assert decoded.problems == []
    assert decoded.cells.keys() == {2, 2 + layout.OCTAVE_STEP}
    rows = Rows("")
    plan(decoded.runs[0][0].metrics[0]).add(rows, Cells(Copies.of_one(data), decoded), 0, 0.0)
    assert rows.values == [DistributionValue(41, 412.0, 10.0, 12.0, Spread(wanted, {6: 40, 7: 1}))]


def test_version_1():
    said = decode_legacy(example(section("## Appendix: version 1")))
    assert [(one.label, one.type, one.value) for one in said.fields] == [("hits", "Q", 42)]
    assert said.damage is None


def test_an_enum_is_the_text_of_its_state(tmp_path):
    text = section("## 6. Kinds").split("*Example.* An enum", 1)[1]
    metric = example(f"*Example.*{text}").ljust(128, b"\0")
    for place, state in ((1, "busy"), (0, "ready"), (layout.NEVER_U64, "")):
        path = fb.write(tmp_path / f"{state}.mmstats", fb.whole(metric, fb.cells(0, [place], 2)))
        (one,) = snapshot(path)
        assert [(stat.label, stat.kind, stat.value) for stat in one.stats] == [("mode", "enum", state)]
