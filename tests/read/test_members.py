"""Members of families, while slots change hands and lanes are reset (FORMAT.md 4.4)."""

from __future__ import annotations

import pytest

import filebuilder as fb
from mmstats import snapshot
from mmstats.errors import FormatError
from mmstats.format import decode as decoding
from mmstats.format.cells import Cells
from mmstats.format.compound import Copies
from mmstats.format.decode import decode
from mmstats.plan import plan
from mmstats.read import source as reading
from mmstats.stat import Rows

NAMES = ("method", "status")
GET, PUT = ("GET", "200"), ("PUT", "201")


def state(values=GET, generation=5, word=5, cells=(42,), kind="counter", cell_type=fb.U64):
    """A file with one family, one slot, one lane."""
    return fb.whole(
        fb.metric("hits", kind, cell_type, tags=NAMES, segment=0, cells=len(cells)),
        fb.member(values, generation),
        fb.lane(1),
        fb.pad(64),
        fb.cells(1, [word, *cells]),
    )


def read(first, middle, last, *later, large=False):
    """What is read of these states, one copy after the other; `later`: what is read again."""
    states = [*later, later[-1] if later else last]

    def again(offset, length):
        data = states[0] if len(states) == 1 else states.pop(0)
        return data[offset : offset + length]

    decoded = decode(first)
    copies = Copies(b"" if large else first, middle, b"" if large else last, again, lambda: False)
    rows = Rows("")
    plan(decoded.runs[0][0].metrics[0]).add(rows, Cells(copies, decoded), 0, 0.0)
    return {tuple(dict(about.tags).values()): value for about, value in zip(rows.abouts, rows.values)}


def test_nothing_changed():
    assert read(state(), state(), state()) == {GET: 42}
    assert read(state(), state(), state(), state(), large=True) == {GET: 42}


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("then", [state(generation=0), state(PUT, 6, 5), state(PUT, 6, 6, (3,))])
def test_a_slot_that_changes_hands_is_left_out(then, large):
    before = state()
    assert read(before, then, then, then, large=large) == {}
    assert read(before, before, then, before, then, large=large) == {}


def test_a_slot_that_is_taken_after_the_first_copy_is_for_the_next_time():
    assert read(state(generation=0), state(PUT, 6, 6), state(PUT, 6, 6)) == {}


@pytest.mark.parametrize("late", [5, 0])
def test_a_lane_that_is_reset_in_the_middle_is_read_again(late):
    """Its value was another's when the copy was taken, and its generation was not."""
    before, after = state(word=late, generation=6, cells=(1_000,)), state(word=6, generation=6, cells=(1,))
    mixed = state(word=6, generation=6, cells=(1_000,))
    assert read(before, mixed, after) == {GET: 1}


def test_a_lane_that_counts_for_another_stays_out():
    other = state(word=4)
    assert read(other, other, other) == {GET: 0}
    assert read(other, state(word=0), other) == {GET: 0}


def test_a_compound_value_is_told_by_its_witness_too():
    def average(n, even, odd, word=5):
        cells = (n, fb.bits(even, fb.F64), fb.bits(odd, fb.F64))
        return state(word=word, cells=cells, kind="average", cell_type=fb.F64)

    one, mixed, two = average(1, 0.0, 3.0), average(1, 8.0, 3.0), average(2, 8.0, 3.0)
    assert read(one, mixed, one) == {GET: 3.0}
    assert read(one, mixed, two) == {GET: 4.0}
    assert read(average(9, 0.0, 99.0, word=4), two, two) == {GET: 4.0}


@pytest.fixture
def file(tmp_path):
    return lambda *blocks: fb.write(tmp_path / "a.mmstats", fb.whole(*blocks))


def test_members_that_share_their_cells_cost_no_more_than_the_file(file):
    """As many members as there is room for, each claiming the same cells of a thousand lanes."""
    lanes = [block for lane in range(1, 200) for block in (fb.cells(lane, [1, 1]),)]
    members = [fb.member(("GET", str(number)), 1) for number in range(5_000)]
    (one,) = snapshot(file(fb.metric("hits", tags=NAMES, segment=0), *members, *lanes))
    assert any("share their cells" in problem.reason for problem in one.problems)


def test_there_is_a_limit(file, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_MEMBERS", 3)
    members = [fb.member(("GET", str(number)), 1) for number in range(4)]
    (one,) = snapshot(file(fb.metric("hits", tags=NAMES, segment=0), *members, fb.metric("late")))
    assert [stat.tags["status"] for stat in one.stats] == ["0", "1", "2"]
    assert "more than 3 members" in one.problems[0].reason


def test_a_large_file_is_read_piece_by_piece(file, monkeypatch):
    monkeypatch.setattr(reading, "LARGE", 0)
    path = file(fb.metric("hits", tags=NAMES, segment=0), fb.member(GET, 5), fb.cells(1, [5, 42]))
    (one,) = snapshot(path)
    assert ([stat.value for stat in one.stats], one.problems) == ([42], [])


def test_values_and_tags_of_a_snapshot(file):
    members = [fb.member(GET, 1), fb.member(PUT, 1, index=2), fb.member((), 1, index=4)]
    path = file(
        fb.metric("hits", tags=NAMES, segment=0), *members, fb.pad(64), fb.cells(1, [1, 5, 1, 7, 1, 9])
    )
    (one,) = snapshot(path)
    assert one.value("hits", method="GET") == 5
    assert one.value("hits", method="PUT", status=201) == 7
    assert one.value("hits", overflow=True, default="none") == "none"
    assert one.value("hits", overflow="true") == 9
    assert one.value("hits") == 21


def test_0_8_s_reader_labels_them(file):
    from mmstats.reader import MmStatsReader

    path = file(fb.metric("hits", tags=NAMES, segment=0), fb.member(GET, 5), fb.pad(64), fb.cells(1, [5, 42]))
    assert list(MmStatsReader.from_file(path)) == [('hits{method="GET",status="200"}', 42)]


def test_what_is_damaged_is_the_member(file):
    blocks = [fb.member(GET, 1, index=9), fb.member(PUT, 1), fb.cells(1, [1, 7])]
    (one,) = snapshot(file(fb.metric("hits", tags=NAMES, segment=0), *blocks))
    assert [stat.tags["method"] for stat in one.stats] == ["PUT"]
    assert "damaged" in one.problems[0].reason
    with pytest.raises(FormatError):
        read(*[state(values=("GET",))] * 3)
