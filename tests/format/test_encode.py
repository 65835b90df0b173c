"""What is encoded is what spec/FORMAT.md shows: its worked examples, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mmstats.format import encode, layout

LAW = Path(__file__).resolve().parents[2] / "spec" / "FORMAT.md"


def example(heading: str) -> bytes:
    """The bytes of the worked example below a heading of the law."""
    section = LAW.read_text().split(f"\n{heading}\n", 1)[1]
    lines = section.split("*Example.*", 1)[1].split("```", 2)[1].strip().splitlines()
    return bytes.fromhex("".join(re.match(r"(?:[0-9a-f]{2}\s+)+", line + " ")[0] for line in lines))


def test_the_header():
    flags = layout.WRITER_FLAG_FENCES | layout.WRITER_FLAG_ATOMIC | layout.WRITER_FLAG_LANES
    header = encode.header(layout_gen=5, state=layout.STATE_LIVE, writer_flags=flags)
    shown = example("## 3. Header")
    assert (len(header), len(shown)) == (512, 48)
    assert header[: len(shown)] == shown
    assert not any(header[len(shown) :])


def test_a_metric():
    block = encode.metric(
        metric=7,
        kind=layout.KIND_COUNTER,
        cell_type=layout.CELL_TYPE_U64,
        aggregate=layout.AGGREGATE_SUM,
        flags=0,
        segment=1,
        index=2,
        cells=1,
        initial=0,
        label="hits",
        unit="",
        help="",
    )
    assert block == example("### 4.1 METRIC").ljust(128, b"\0")


def test_a_lane():
    assert encode.lane(1, encode.lane_state(4711, 1)) == example("### 4.2 LANE").ljust(64, b"\0")


def test_cells():
    assert encode.cells(1, 1, [0, 0, 42]) == example("### 4.3 CELLS").ljust(128, b"\0")


def test_a_field_that_the_header_does_not_have_is_refused():
    with pytest.raises(KeyError, match="colour"):
        encode.header(colour=1)


@pytest.mark.parametrize(
    ("text", "limit", "kept"), [("abc", 2, "ab"), ("a☃", 3, "a"), ("a☃", 4, "a☃"), ("", 0, "")]
)
def test_a_text_is_cut_at_a_code_point(text, limit, kept):
    assert encode.cut(text, limit) == kept.encode()


@pytest.mark.parametrize("count", [1, 8, 9, 24])
def test_cells_take_whole_pairs_of_cache_lines(count):
    assert encode.cells_length(count) % layout.LANE_ALIGN == 0
    assert len(encode.cells(1, 1, [0] * count)) == encode.cells_length(count)
