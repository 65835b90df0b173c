"""Who reads again and again, and keeps what did not change, sees what everybody sees."""

from __future__ import annotations

import os
import random
import struct

import pytest

import filebuilder as fb
import mutating
from mmstats.format import layout
from mmstats.format.cells import Cells
from mmstats.format.compound import Copies
from mmstats.format.decode import decode
from mmstats.format.runs import Schema
from mmstats.plan import batches
from mmstats.read.quick import QuickFamilies
from mmstats.read.snapshot import Reader
from mmstats.stat import Rows

WORDS = (0, 1, 2, 3, 7, 64, 1 << 31, (1 << 32) - 1, 1 << 63, (1 << 64) - 1)


def told(reader, path):
    """What a reader tells, so that NaN is like NaN; and whatever it cannot."""
    return [
        (
            one.origin,
            one.problems,
            one.processes,
            [(stat.about, stat.group, repr(stat.parts), repr(stat.value)) for stat in one.stats],
        )
        for one in reader.read(path)
    ]


class Twins:
    """A reader that keeps, and one that is made anew for each question."""

    def __init__(self, path):
        self.path = str(path)
        self.keeping = Reader(keep=True)

    def agree(self):
        kept = told(self.keeping, self.path)
        assert kept == told(Reader(), self.path)
        return kept


@pytest.fixture(scope="module")
def corpus():
    return mutating.corpus()


def test_every_file_read_three_times(corpus, tmp_path):
    for number, data in enumerate(corpus):
        path = tmp_path / f"{number}.mmstats"
        path.write_bytes(data)
        twins = Twins(path)
        assert twins.agree() == twins.agree() == twins.agree()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.main) for seed in (1, 2, 3))])
def test_files_that_are_changed_where_they_stand(corpus, tmp_path, seed):
    """Words of the header, of blocks, of cells, generations: in place, as a writer or a fault would."""
    choose = random.Random(seed)
    for number, data in enumerate(corpus):
        path = tmp_path / f"{number}.mmstats"
        path.write_bytes(data)
        twins = Twins(path)
        used = len(data.rstrip(b"\0")) + 64
        twins.agree()
        twins.agree()
        with open(path, "r+b") as file:
            for _ in range(6):
                at = choose.randrange(0, min(used, max(1, len(data) - 8)), 4)
                near = int.from_bytes(data[at : at + 8].ljust(8, b"\0"), "little")
                word = choose.choice(
                    [*WORDS, near + 1, near ^ 1 << choose.randrange(64), choose.getrandbits(64)]
                )
                file.seek(at)
                file.write(struct.pack("<Q", word & (1 << 64) - 1))
                file.flush()
                twins.agree()
                if choose.random() < 0.1:
                    os.truncate(path, choose.randrange(len(data) + 1) // 8 * 8)
                    twins.agree()
        path.unlink()


FAMILY = ("method",)


def family(lanes=1, members=3, cells=None, generations=None, states=None):
    """A file with one family, whose members stand side by side."""
    generations = generations or [1] * members
    blocks = [fb.metric("r", tags=FAMILY, segment=0)]
    blocks += [fb.member((f"m{at}",), 1, index=2 * at) for at in range(members)]
    for lane in range(1, lanes + 1):
        counts = [cell for at in range(members) for cell in (generations[at], 10 * lane + at)]
        blocks += [
            fb.lane(lane, **({"state": states[lane - 1]} if states else {})),
            fb.cells(lane, cells or counts),
        ]
    return fb.whole(*blocks, **fb.ELSEWHERE)


def values(one):
    return {stat.about.tags[0][1]: stat.value for stat in one.stats}


@pytest.mark.parametrize(
    ("lanes", "generations", "expected"),
    [
        (1, [1, 1, 1], {"m0": 10, "m1": 11, "m2": 12}),
        (2, [1, 1, 1], {"m0": 30, "m1": 32, "m2": 34}),
        (3, [1, 0, 7], {"m0": 60, "m1": 0, "m2": 0}),  # no lane counts for the others
    ],
)
def test_families_the_short_way(tmp_path, lanes, generations, expected):
    path = fb.write_held(tmp_path / "a.mmstats", family(lanes, generations=generations))
    twins = Twins(path)
    twins.agree()
    twins.agree()
    (one,) = twins.keeping.read(str(path))
    assert values(one) == expected
    (layout,) = twins.keeping._quick._met.values()
    assert len(layout.families) == 1


def test_sums_over_lanes_wrap(tmp_path):
    cells = [1, (1 << 64) - 1, 1, 5, 1, 0]
    path = fb.write_held(tmp_path / "a.mmstats", family(2, cells=cells))
    twins = Twins(path)
    twins.agree()
    twins.agree()
    (one,) = twins.keeping.read(str(path))
    assert values(one) == {"m0": (1 << 64) - 2, "m1": 10, "m2": 0}


def test_members_that_share_their_cells_are_read_the_long_way(tmp_path):
    """It is refused there that values share their cells, which a hostile file may claim without end."""
    blocks = [
        fb.metric("r", tags=FAMILY, segment=0),
        *(fb.member((f"m{at}",), 1, index=0) for at in range(40)),
    ]
    path = fb.write_held(
        tmp_path / "a.mmstats", fb.whole(*blocks, fb.lane(1), fb.cells(1, [1, 5]), **fb.ELSEWHERE)
    )
    twins = Twins(path)
    twins.agree()
    twins.agree()
    (layout,) = twins.keeping._quick._met.values()
    assert layout.families == {}


def test_a_family_beyond_what_the_file_has_is_read_the_long_way(tmp_path):
    """Cells that others claimed before: told of each member that is too many, as of any file."""
    rings = [fb.metric(f"o{at}", "moving", fb.F64, number=2 + at, cells=60) for at in range(400)]
    members = [fb.member((f"m{at}",), 1, index=2 * at) for at in range(30)]
    blocks = [*rings, fb.metric("r", tags=FAMILY, segment=0), *members]
    data = fb.whole(*blocks, fb.lane(1), fb.cells(1, [1, 5] * 30), **fb.ELSEWHERE)
    path = fb.write_held(tmp_path / "a.mmstats", data)
    twins = Twins(path)
    for _ in range(3):
        ((_, _, _, stats),) = twins.agree()
        assert sum(about.label == "r" for about, *_ in stats) < 30


def test_very_many_files_are_not_all_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("mmstats.read.kept.MOST_KEPT", 2)
    tmp_path.chmod(0o700)
    for name in "abcd":
        fb.write_held(tmp_path / f"{name}.mmstats", family())
    reader = Reader(keep=True)
    for _ in range(3):
        assert [values(one) for one in reader.read(str(tmp_path))] == [{"m0": 10, "m1": 11, "m2": 12}] * 4
        assert len(reader._kept) == 2


def test_what_is_said_of_members_is_said_by_one_object(tmp_path):
    """So that a thousand processes are told apart by nobody who combines them."""
    for name in ("a", "b"):
        fb.write_held(tmp_path / f"{name}.mmstats", family())
    tmp_path.chmod(0o700)
    reader = Reader(keep=True)
    for _ in range(3):
        one, other = reader.read(str(tmp_path))
    assert all(mine is its for mine, its in zip(one.columns().abouts, other.columns().abouts))


def test_what_was_kept_of_files_that_are_gone_is_let_go(tmp_path):
    tmp_path.chmod(0o700)
    path = fb.write_held(tmp_path / "a.mmstats", family())
    reader = Reader(keep=True)
    reader.read(str(tmp_path))
    assert len(reader._kept) == 1
    os.unlink(path)
    reader.read(str(tmp_path))
    assert len(reader._kept) == 0


# --- what goes on while a file is copied -----------------------------------------------------------


def quick(first, last):
    """Of a file that was so first and so last: whether each family went the short way, and its numbers."""
    decoded = decode(first, SCHEMA)
    for run, _ in decoded.runs:
        run.made = run.made or batches(run.metrics)
    families = QuickFamilies()
    families.of(decoded, Copies.of_one(first))
    copies = Copies(first, first, last, lambda at, length: last[at : at + length], lambda: True)
    found = families.of(decoded, copies)
    rows = Rows("g")
    return [each.add(rows, copies, Cells(copies, decoded)) for each in found.values()], rows.values


SCHEMA = Schema()
WHOLE = family(generations=[1, 1, 1])


def test_a_quiet_file():
    assert quick(WHOLE, WHOLE) == ([True], [10, 11, 12])


def test_a_number_that_moved_meanwhile():
    last = family(cells=[1, 99, 1, 99, 1, 99])
    assert quick(WHOLE, last) == ([True], [10, 11, 12])


def test_a_lane_that_began_another_member_meanwhile():
    assert quick(WHOLE, family(cells=[1, 10, 0, 0, 1, 12])) == ([False], [])


def test_a_slot_that_changed_hands_meanwhile():
    last = bytearray(WHOLE)
    at = WHOLE.index(b"m1\0")
    last[at : at + 2] = b"m9"
    assert quick(WHOLE, bytes(last)) == ([], [])


def test_blocks_that_begin_elsewhere_are_decoded_again(tmp_path):
    """Also where nothing else of the file is another."""
    path = tmp_path / "a.mmstats"
    path.write_bytes(WHOLE)
    twins = Twins(path)
    twins.agree()
    with open(path, "r+b") as file:
        file.seek(layout.HEADER_HEADER_SIZE)
        size = int.from_bytes(WHOLE[layout.HEADER_HEADER_SIZE :][:4], "little")
        file.write(struct.pack("<I", size + 64))
    twins.agree()
