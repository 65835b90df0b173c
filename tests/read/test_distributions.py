"""Files whose distributions cost more than they are worth, or do not come to what they say."""

from __future__ import annotations

import struct

import pytest

import filebuilder as fb
import plainly
from mmstats import reader, snapshot
from mmstats.errors import FormatError
from mmstats.fold.folder import Folder
from mmstats.format import cells, layout
from mmstats.format.decode import decode
from mmstats.format.encode import octave_segment
from mmstats.format.octaves import Octaves
from mmstats.format.spread import Range
from mmstats.read import snapshot as reading

RANGE = Range(1, 3, 5, (12.0,))
CELLS = layout.HISTOGRAM_DISTRIBUTION + RANGE.cells


def histogram(label="h", index=0, wanted=RANGE, number=1):
    extra = wanted.pack()
    own = layout.HISTOGRAM_DISTRIBUTION + wanted.cells
    return fb.metric(
        label, "histogram", fb.F64, index=index, cells=own, extra=extra, number=number, aggregate="sum"
    )


def words(n, counts, wanted=RANGE, zero=0):
    """The first cells of n values of 10.0, whose update n + 1 never began."""
    own = [n, *[fb.bits(x, fb.F64) for x in (10.0 * n, 10.0, 10.0)] * 2, (n & 0xFFFFFFFF) << 32, 0, 0]
    return [*own, zero, 0, 0, *(counts if wanted.bounds else [])]


def dead(path, *blocks):
    return fb.write(path, fb.whole(*blocks, state=layout.STATE_CLOSED))


def folded(directory, *names):
    with Folder(str(directory)) as folder:
        return [result.what for result in folder.fold(names)]


def told(directory):
    """Stats, and problems."""
    found = snapshot(directory)
    return [stat.value for one in found for stat in one.stats], [
        p.reason for one in found for p in one.problems
    ]


@pytest.mark.parametrize(
    ("n", "row", "counts"),
    [(5, [3, 0], [5, 0]), (3, [5, 0], [3, 0]), (5, [5, 0], [1, 1]), (5, [5, 0], [9, 0])],
    ids=["too few", "too many", "too few by bounds", "too many by bounds"],
)
def test_what_the_dead_left_torn_keeps_nobody_from_folding(tmp_path, n, row, counts):
    """What is in the totals is whole, and more can be added to it."""
    dead(
        tmp_path / "a.mmstats",
        histogram(),
        fb.cells(1, words(n, counts)),
        fb.cells(1, row, octave_segment(1, 0)),
    )
    assert "was written all the time" in told(tmp_path)[1][0]
    assert folded(tmp_path, "a.mmstats") == ["folded"]
    (value,), problems = told(tmp_path)
    assert problems == []
    assert value.count == value.spread.most(0) == max(n, sum(row), sum(counts))
    assert value.bounds[0][1] <= value.count
    dead(tmp_path / "b.mmstats", fb.metric("hits"), fb.cells(1, [7]))
    assert folded(tmp_path, "b.mmstats") == ["folded"]


def test_counts_beyond_64_bits_wrap_when_they_are_folded(tmp_path):
    """As sums of integers over lanes do: whoever folds goes on."""
    most = 2**64 - 1
    for name in ("a.mmstats", "b.mmstats"):
        blocks = (
            histogram(),
            fb.cells(1, words(most, [most, 0])),
            fb.cells(1, [most, 0], octave_segment(1, 0)),
        )
        dead(tmp_path / name, *blocks)
    dead(
        tmp_path / "c.mmstats",
        fb.metric("mean", "average", fb.F64, cells=3),
        fb.cells(1, [most, fb.bits(1.0, fb.F64), fb.bits(1.0, fb.F64)]),
    )
    assert folded(tmp_path, "a.mmstats", "b.mmstats", "c.mmstats") == ["folded"] * 3
    (value, mean), problems = told(tmp_path)
    assert problems == []
    assert (value.count, value.spread.buckets, mean) == (most - 1, {6: most - 1}, 1.0 / most)


def test_octaves_of_other_lanes_cost_nothing(tmp_path):
    """A lane is asked for its own octaves, and for none beyond the range."""
    wanted = Range(0, -8, 8)
    blocks = [histogram(wanted=wanted), fb.cells(1, words(1, [], wanted))]
    blocks += [fb.cells(lane, [1], octave_segment(1, k)) for lane, k in ((1, 3), (1, 40), (2, 5))]
    decoded = decode(fb.whole(*blocks))
    assert [k for k, _, _ in decoded.octaves(1, 1)] == [3, 40]
    assert [k for k, _, _ in decoded.octaves(1, 2)] == [5]
    assert decoded.octaves(2, 1) == []
    metric = decoded.runs[0][0].metrics[0]
    assert Octaves(decoded, metric, wanted, 1, 1, 0, metric.cells).cells == 1


def test_so_many_buckets_are_kept_and_no_more(tmp_path, monkeypatch):
    """Each that has a value takes some hundred bytes; what is small comes in all the same."""
    monkeypatch.setattr(cells, "MAX_BUCKETS", 3)
    blocks = [histogram(f"h{at}", at * CELLS, number=at + 1) for at in range(3)]
    blocks.append(fb.cells(1, words(2, [2, 0]) * 3))
    blocks.append(fb.cells(1, [1, 1, 1, 1, 2, 0], octave_segment(1, 0)))
    (one,) = snapshot(fb.write(tmp_path / "a.mmstats", fb.whole(*blocks)))
    assert [stat.label for stat in one.stats] == ["h0", "h2"]
    assert ["more than 3 buckets" in problem.reason for problem in one.problems] == [True]


def test_values_that_share_their_octaves_are_damage(tmp_path):
    """They are counted against what the file has, before they are looked for."""
    blocks = [histogram(f"h{at}", number=at + 1) for at in range(300)]
    blocks += [fb.cells(1, words(1, [1, 0])), fb.cells(1, [1, 0], octave_segment(1, 0))]
    (one,) = snapshot(fb.write(tmp_path / "a.mmstats", fb.header() + b"".join(blocks)))
    assert 0 < len(one.stats) < 300
    assert "values that share their cells" in one.problems[0].reason


def growing(path):
    """A file whose only value has its octave one block later; and what makes it have that block."""
    blocks = [histogram(), fb.cells(1, words(1, [1, 0]))]
    fb.write(path, fb.whole(*blocks, layout_gen=2))
    grown = fb.whole(*blocks, fb.cells(1, [1, 0], octave_segment(1, 0)), layout_gen=3)

    def grow():
        with open(path, "r+b") as file:
            file.write(grown)

    return grow


READERS = {
    "snapshot": (
        reading,
        lambda path: [(stat.value.count, stat.value.sum) for stat in snapshot(path)[0].stats],
    ),
    "0.8's": (reader, lambda path: [stat.value for stat in reader.MmStatsReader.from_file(path)]),
}


@pytest.mark.parametrize("which", READERS)
def test_an_octave_that_came_after_the_blocks_were_read(tmp_path, monkeypatch, which):
    """A value that is not whole without it is no damage, and nobody writes it: the file has grown."""
    room, read = READERS[which]
    path, times = tmp_path / "a.mmstats", []
    grow, cells_of = growing(path), room.Cells

    def too_late(*args):
        times.append(len(times))
        grow()
        return cells_of(*args)

    monkeypatch.setattr(room, "Cells", too_late)
    first = read(path)
    assert times == [0, 1]
    assert first == read(path) != []


def test_an_octave_that_came_after_the_plain_reader_read_the_blocks(tmp_path, monkeypatch):
    plain, path = plainly.reader(), tmp_path / "a.mmstats"
    grow, stats_of = growing(path), plain.stats_of

    def too_early(*args, **kwargs):
        grow()
        return stats_of(*args, **kwargs)

    monkeypatch.setattr(plain, "stats_of", too_early)
    first, second = plain.read(path), plain.read(path)
    assert first == second
    assert first["problems"] == []


@pytest.mark.parametrize("which", READERS)
def test_a_file_that_grows_each_time_is_given_up(tmp_path, monkeypatch, which):
    room, read = READERS[which]
    path, ended = tmp_path / "a.mmstats", []
    growing(path)
    decode = room.decode

    def decoded_and_changed(data, *rest):
        ended.append(len(ended))
        with open(path, "r+b") as file:
            file.seek(layout.HEADER_LAYOUT_GEN)
            file.write(struct.pack("<Q", 100 + len(ended)))
        return decode(data, *rest)

    monkeypatch.setattr(room, "decode", decoded_and_changed)
    if which == "snapshot":
        assert "grew 20 times" in told(path)[1][0]
    else:
        with pytest.raises(FormatError, match="grew 20 times"):
            read(path)
    assert len(ended) >= 20
