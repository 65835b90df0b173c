"""Files become snapshots; what cannot be read becomes a problem and nothing else."""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import filebuilder as fb
from mmstats.format import layout
from mmstats.host.liveness import Judge
from mmstats.read import source as source_room
from mmstats.read.files import Finder
from mmstats.read.snapshot import Reader, snapshot
from mmstats.read.source import Source, UnreadableError

ROWS = (
    ("hits", "counter", fb.U64, [40, 2]),
    ("real", "counter", fb.F64, [0.5, 0.25]),
    ("max", "number", fb.F64, [None, -5.0], {"aggregate": "max"}),
    ("unwritten", "number", fb.I64, [None, None], {"aggregate": "min", "initial": -9}),
    ("last", "number", fb.U64, [7, None], {"aggregate": "last"}),
    ("nan", "number", fb.F64, [float("nan")], {"aggregate": "max"}),
    ("up", "updown", fb.I64, [5, -8]),
    ("ok", "bool", fb.BOOL, [None, False]),
    ("free", "gauge", fb.F64, 12.5, {"unit": "bytes", "help": "what is left"}),
    ("unset", "gauge", fb.F64, None, {"initial": 3.0}),
    ("sys.pid", "static", fb.U64, 4242),
    ("version", "static", fb.TEXT, "1.0"),
)


@pytest.fixture
def write(tmp_path):
    def write(data, name="a.mmstats"):
        return fb.write(tmp_path / name, data)

    return write


def only(path):
    (one,) = snapshot(path)
    return one


def reasons(one):
    return [problem.reason for problem in one.problems]


def test_values_of_every_kind(write):
    one = only(write(fb.whole(*fb.fields(*ROWS))))
    assert one.problems == []
    values = {stat.label: stat.value for stat in one.stats}
    assert str(values.pop("nan")) == "nan"
    assert values == {
        "hits": 42,
        "real": 0.75,
        "max": -5.0,
        "unwritten": -9,
        "last": 7,
        "up": -3,
        "ok": False,
        "free": 12.5,
        "unset": 3.0,
        "sys.pid": 4242,
        "version": "1.0",
    }
    assert [stat.label for stat in one.stats] == [row[0] for row in ROWS], (
        "stats stand in the order of their declaration"
    )
    free = next(stat for stat in one.stats if stat.label == "free")
    assert (free.kind, free.unit, free.help, free.aggregate, free.group) == (
        "gauge",
        "bytes",
        "what is left",
        "sum",
        "app",
    )


def test_the_origin(write):
    path = write(
        fb.whole(created=2_500_000_000, started=1_500_000_000, uuid=b"\xab" * 16, cmd="web", group="shop")
    )
    origin = only(path).origin
    assert (origin.cmd, origin.group, origin.pid, origin.uid) == ("web", "shop", os.getpid(), os.geteuid())
    assert (origin.created, origin.started, origin.uuid) == (2.5, 1.5, "ab" * 16)
    assert (origin.state, origin.file) == ("gone", path)


def test_what_was_dropped_is_a_stat(write):
    one = only(write(fb.whole(dropped=struct.pack("<2Q", 0, 3))))
    assert [(stat.label, stat.tags, stat.kind, stat.value) for stat in one.stats] == [
        ("mmstats.dropped", {"reason": "private"}, "counter", 3)
    ]


def test_a_dead_threads_values_go_as_their_kind_says(write):
    rows = [
        ("hits", "counter", fb.U64, [40, 2]),
        ("max", "number", fb.I64, [9, 3], {"aggregate": "max"}),
        ("ok", "bool", fb.BOOL, [True, False]),
        ("sum", "number", fb.I64, [9, 3]),
    ]
    data = fb.whole(*fb.fields(*rows)).replace(fb.lane(1), fb.lane(1, state=0))
    assert {stat.label: stat.value for stat in only(write(data)).stats} == {
        "hits": 42,
        "max": 3,
        "ok": False,
        "sum": 12,
    }


def test_kinds_that_are_not_known_are_said_once_and_left_out(write):
    blocks = [
        *(
            fb.metric("a", 78),
            fb.metric("b", 78),
            fb.metric("c", 77),
        ),
        *(fb.metric("e"), fb.cells(1, [5])),
    ]
    one = only(write(fb.whole(*blocks)))
    assert [stat.label for stat in one.stats] == ["e"]
    assert reasons(one) == [
        "kind 78 is not known to this reader; left out",
        "kind 77 is not known to this reader; left out",
    ]


@pytest.mark.parametrize(
    "bad",
    [
        fb.metric("x", "bool", fb.U64),
        fb.metric("x", "gauge", fb.I64),
        fb.metric("x", "counter", 9),
        fb.metric("x", segment=0),
        fb.metric("x", cells=0),
        fb.metric("x", aggregate=99),
        fb.metric("x", index=9),
    ],
)
def test_a_metric_that_contradicts_itself_is_a_problem(write, bad):
    one = only(write(fb.whole(bad, fb.metric("ok"), fb.cells(1, [5]))))
    assert [stat.label for stat in one.stats] == ["ok"]
    assert one.problems[0].reason.startswith("damaged: ")
    assert "'x'" in one.problems[0].reason


def test_a_text_has_no_sum(write):
    (stat,) = only(write(fb.whole(*fb.fields(("t", "static", fb.TEXT, "x", {"aggregate": "sum"}))))).stats
    assert (stat.aggregate, stat.parts, stat.value) == ("set", frozenset(("x",)), "x")


def test_a_file_that_is_not_ready_yet_has_no_stats_and_no_problem(write):
    one = only(write(fb.whole(state=layout.STATE_BUILDING)))
    assert (one.stats, one.problems) == ([], [])


# --- what cannot be read ---------------------------------------------------------------------------


def test_a_missing_file_that_was_named():
    one = only("/does/not/exist.mmstats")
    assert (one.stats, one.origin.state, one.origin.file) == ([], "unknown", "/does/not/exist.mmstats")
    assert str(one.problems[0]) == "/does/not/exist.mmstats: No such file or directory; skipped"


def test_a_file_that_vanished_after_the_directory_was_listed_is_ordinary_life(write, monkeypatch):
    path = write(fb.whole())

    def files(finder):
        found = there(finder)
        if found:
            os.unlink(path)
        return found

    there = Finder.files
    monkeypatch.setattr(Finder, "files", files)
    assert snapshot(os.path.dirname(path)) == []


def test_a_copy_is_never_counted(write, tmp_path):
    path = write(fb.whole(*fb.fields(*ROWS)))
    shutil.copy(path, tmp_path / "b.mmstats")
    one, copy = snapshot(tmp_path)
    assert (len(one.stats), copy.stats) == (len(ROWS), [])
    assert copy.problems[0].reason.startswith("a copy: inode ")


def test_one_file_under_two_names_is_one_file(write, tmp_path):
    os.link(write(fb.whole()), tmp_path / "b.mmstats")
    assert len(snapshot(tmp_path)) == 1


def test_a_fifo_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.mmstats")
    done = []
    thread = threading.Thread(target=lambda: done.append(snapshot(tmp_path)), daemon=True)
    thread.start()
    thread.join(10)
    assert "not a regular file" in str(done[0][0].problems[0])


def test_links_and_directories_and_devices(tmp_path):
    (tmp_path / "a.mmstats").symlink_to("/dev/zero")
    (tmp_path / "b.mmstats").mkdir()
    assert [str(one.problems[0]).partition(": ")[2] for one in snapshot(tmp_path)] == [
        "a link, and links are not followed; skipped",
        "not a regular file (mode drwxr-xr-x); skipped",
    ]
    assert "not a regular file" in str(only("/dev/zero").problems[0])


def test_a_tebibyte_of_nothing(tmp_path):
    path = tmp_path / "a.mmstats"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert str(only(path).problems[0]) == f"{path}: {1 << 40} bytes, at most {256 << 20} are read; skipped"


def test_a_name_that_is_none():
    assert "null" in str(only("a\0b").problems[0])


def test_truncated_at_every_eighth_byte(write, tmp_path):
    data = fb.whole(*fb.fields(*ROWS))
    whole = [stat.label for stat in only(write(data)).stats]
    for length in range(0, len(data), 8):
        one = only(write(data[:length]))
        labels = [stat.label for stat in one.stats]
        assert labels == whole[: len(labels)]
        assert one.problems or length >= layout.HEADER_SIZE


def test_damage_keeps_what_stood_before(write):
    bad = struct.pack("<II", layout.BLOCK_TYPE_METRIC, 100)
    one = only(write(fb.whole(fb.metric("a"), fb.cells(1, [5]), bad)))
    assert ([stat.value for stat in one.stats], len(one.problems)) == ([5], 1)


def test_somebody_elses_file_in_a_directory_for_everybody_is_passed_over(write):
    path = write(fb.whole())
    with pytest.raises(UnreadableError, match="owned by uid") as caught:
        Source(path, frozenset((os.geteuid() + 1,)))
    assert caught.value.ordinary


# --- races -----------------------------------------------------------------------------------------


def test_a_file_that_grows_while_it_is_read_is_read_again(write, monkeypatch):
    path = write(fb.whole(fb.metric("a"), fb.cells(1, [5])))
    read = Source.read

    def grow(self):
        data = read(self)
        if not grown:
            grown.append(1)
            more = fb.whole(fb.metric("a"), fb.metric("b"), fb.cells(1, [5]), layout_gen=1, ino=self.ino)
            with open(path, "r+b") as file:
                file.write(more + bytes(4096))
        return data

    grown = []
    monkeypatch.setattr(Source, "read", grow)
    assert [stat.label for stat in only(path).stats] == ["a", "b"]


def test_a_file_that_never_rests_is_given_as_it_is(write, monkeypatch):
    path = write(fb.whole(fb.metric("a"), fb.cells(1, [5])))
    monkeypatch.setattr(Source, "read_at", lambda *_: os.urandom(8))
    with open(path, "rb") as file:
        data = file.read()
    monkeypatch.setattr(Source, "read", lambda _: data)
    assert [stat.value for stat in only(path).stats] == [5]


def test_a_read_that_comes_in_pieces(write, monkeypatch):
    data = fb.whole(fb.metric("a"), fb.cells(1, [5]))
    path = write(data)
    pread = os.pread
    monkeypatch.setattr(
        source_room.os, "pread", lambda fd, length, offset: pread(fd, min(length, 1000), offset)
    )
    with Source(path) as source:
        assert len(source.read()) == len(data)
        source.size += 100
        assert len(source.read()) == len(data)


def test_a_read_that_fails(write, monkeypatch):
    def broken(*_):
        raise OSError(5, "Input/output error")

    path = write(fb.whole())
    monkeypatch.setattr(source_room.os, "pread", broken)
    assert reasons(only(path)) == ["Input/output error; skipped"]


def test_locks_that_fail_leave_the_writer_unknown(write, monkeypatch):
    def broken(*_):
        raise OSError(9, "Bad file descriptor")

    path = write(fb.whole())
    monkeypatch.setattr(Judge, "verdict", broken)
    assert only(path).origin.state == "unknown"


def test_a_reader_reads_again(write, tmp_path):
    reader = Reader()
    write(fb.whole(*fb.fields(*ROWS)))
    first, second = reader.read(tmp_path), reader.read(tmp_path)
    assert [one.origin for one in first] == [one.origin for one in second]
    assert [len(one.stats) for one in second] == [len(ROWS)]


# --- total -----------------------------------------------------------------------------------------

GOOD = fb.whole(*fb.fields(*ROWS), fb.pad(64, 0), fb.metric("late", segment=9), fb.cells(1, [1], 9), ino=0)


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) // 8 - 1), st.integers(0, 2**64 - 1)), max_size=6), st.data()
)
@settings(max_examples=400, deadline=None)
def test_no_content_raises(words, data):
    """Words of a good file changed at random, blocks' words most of all; then perhaps cut."""
    changed = bytearray(GOOD)
    for at, word in words:
        changed[8 * at : 8 * at + 8] = word.to_bytes(8, "little")
    if words:
        at = data.draw(st.integers(64, len(GOOD) // 8 - 1)) * 8
        changed[at : at + 4] = data.draw(st.integers(0, 5)).to_bytes(4, "little")
    _total(bytes(changed[: data.draw(st.integers(0, len(GOOD)))]))


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_no_bytes_behind_a_good_header_raise(tail):
    _total(fb.header(ino=0) + tail)


def _total(data):
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        found = snapshot(file.name)
    assert len(found) in (1, 2)  # what a removed model left is an origin of its own
    for stat in [stat for one in found for stat in one.stats]:
        assert isinstance(stat.label, str)
        repr(stat)
