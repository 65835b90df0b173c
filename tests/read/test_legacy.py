"""Files of mmstats 0.x: what 0.8 itself read in them, and how they stand among the others."""

from __future__ import annotations

import io
import json
import mmap
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import filebuilder as fb
from mmstats import combined, snapshot
from mmstats.errors import FormatError
from mmstats.format.layout import MAGIC
from mmstats.format.legacy import decode_legacy
from mmstats.format.spread import Range
from mmstats.reader import InvalidMmStatsVersion, MmStatsReader, Stat
from mmstats.tools.text import Listing, float_text

DATA = Path(__file__).resolve().parent.parent / "data" / "v1"
EXPECTED = json.loads((DATA / "expected.json").read_text())
FILES = ("everything", "bare", "empty", "extreme")


def field(label, code, value, index=255, other=b""):
    """One field; `other` is the buffer that is being written."""
    raw, kind = label.encode(), code.encode()
    packed = value if isinstance(value, bytes) else struct.pack("<" + code, value)
    buffers = packed if index == 255 else (packed + other if index == 1 else other + packed)
    return struct.pack("<H", len(raw)) + raw + struct.pack("<H", len(kind)) + kind + bytes([index]) + buffers


def whole(*fields):
    return (b"\x01" + b"".join(fields)).ljust(4096, b"\0")


@pytest.fixture
def write(tmp_path):
    def write(data, name="app-1-1.mmstats"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def pairs(stats):
    return sorted([label, repr(value) if isinstance(value, float) else value] for label, value in stats)


@pytest.mark.parametrize("name", EXPECTED)
def test_golden_files_come_out_exactly(name):
    (one,) = snapshot(DATA / name)
    assert one.problems == []
    assert pairs((stat.label, stat.value) for stat in one.stats) == EXPECTED[name]
    for reader in (MmStatsReader.from_file, MmStatsReader.from_mmap):
        assert pairs(reader(DATA / name)) == EXPECTED[name]


@pytest.mark.parametrize("name", FILES)
def test_the_listing_is_that_of_the_first_slurpstats(name):
    (one,) = snapshot(DATA / f"{name}.mmstats")
    recorded = (DATA / f"{name}.txt").read_text(encoding="utf-8")
    assert Listing().of(one) == recorded.replace(f"==> {name}", f"==> {DATA / name}")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (99999999999.0, "99999999999.0"),
        (1e11, "1e+11"),
        (-123456789012.5, "-1.23456789012e+11"),
        (0.0, "0.0"),
    ],
)
def test_floats_are_as_python_2_printed_them(value, text):
    assert float_text(value) == text


def test_who_wrote_it_is_found_out(write):
    created = time.time()
    system = [("sys.pid", "I", os.getpid()), ("sys.uid", "Q", 4711), ("sys.created", "d", created)]
    data = whole(
        *(field(f"web.{name}", code, value) for name, code, value in system),
        field("hits", "Q", 5, 0, bytes(8)),
    )
    path = write(data, f"web-{os.getpid()}-77.mmstats")
    (one,) = snapshot(path)
    origin = one.origin
    assert (origin.cmd, origin.group, origin.pid, origin.uid, origin.created) == (
        "web",
        "web",
        os.getpid(),
        4711,
        created,
    )
    assert (origin.state, origin.host) == ("alive", os.uname().nodename)


def sleeper():
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def test_the_pid_and_the_time_tell_whether_the_writer_lives(write):
    def state(pid, created):
        system = field("sys.pid", "I", pid), field("sys.created", "d", created)
        return snapshot(write(whole(*system)))[0].origin.state

    now = time.time()
    child = sleeper()
    try:
        assert state(child.pid, now) == "alive"
        assert state(child.pid, now - 3600) == "gone", "the pid is another process's by now"
    finally:
        child.communicate(b"\n")
    assert state(child.pid, now) == "gone"
    assert state(0, now) == "unknown"
    assert snapshot(write(whole()))[0].origin.state == "unknown"


def test_what_belongs_to_others_lives(write, monkeypatch):
    """A pid that may not be asked, and that /proc does not show, is somebody's."""
    monkeypatch.setattr("mmstats.host.identity.process", lambda pid: None)

    def refuse(pid, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    (one,) = snapshot(write(whole(field("sys.pid", "I", 4242))))
    assert one.origin.state == "alive"


def test_values_are_combined_as_their_types_were_meant(write, tmp_path):
    pid = field("sys.pid", "I", os.getpid())
    for number in (1, 2):
        fields = [
            *(field("hits", "Q", number, 0, bytes(8)), field("load", "d", number / 2, 1, bytes(8))),
            *(field("byte", "b", -number), field("on", "?", number == 2)),
            *(field("static", "Q", 7), field("text", "9s", b"naive %d\0" % number)),
        ]
        write(whole(pid, *fields), f"app-{os.getpid()}-{number}.mmstats")
    found = combined(tmp_path)
    assert found.processes == 1, "files of one process are one"
    values = {stat.label: stat.value for stat in found.stats if stat.label != "sys.pid"}
    assert values == {
        "hits": 3, "load": 1.5, "byte": -3, "on": True,
        "static": frozenset((7,)), "text": frozenset(("naive 1", "naive 2")),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "labels", "said"),
    [
        (whole(field("a", "Q", 1), field("b", "Q", 1, 2, bytes(8))), ["a"], "found buffer 2, expected 0, 1"),
        (whole(field("a", "Q", 1), field("b", "P", bytes(8))), ["a"], "found type 'P'"),
        (whole(field("a", "Q", 1), field("b", "QQ", bytes(16))), ["a"], "found type 'QQ'"),
        (whole(field("a", "Q", 1), field("b", "99999999s", b"")), ["a"], "found type '99999999s'"),
        (b"\x01" + field("a", "Q", 1) + field("b", "Q", 1)[:-3], ["a"], "after 5 bytes, expected 8"),
        (b"\x01" + field("a", "Q", 1) + b"\xff\xff", ["a"], "end of the file after 0 bytes, expected 65535"),
    ],
)  # fmt: skip
def test_damage_ends_a_file_and_keeps_what_stands_before_it(write, data, labels, said):
    path = write(data)
    (one,) = snapshot(path)
    assert [stat.label for stat in one.stats] == labels
    assert said in one.problems[0].reason
    seen = []
    with pytest.raises(FormatError, match="found"):
        seen.extend(MmStatsReader.from_file(path))
    reader = iter(MmStatsReader.from_file(path))
    assert next(reader) == Stat("a", 1)
    reader.close()


def test_a_file_may_end_with_its_last_field():
    assert [one.value for one in decode_legacy(b"\x01" + field("a", "Q", 1)).fields] == [1]
    assert decode_legacy(b"\x01").damage is None


def test_many_fields_are_damage():
    said = decode_legacy(b"\x01" + field("a", "b", 1) * 70_000)
    assert (len(said.fields), "more than 65536 fields" in str(said.damage)) == (65_536, True)


@pytest.mark.parametrize(("first", "said"), [(b"\x03", r"'\\x03'"), (b"", "''"), (b"\x02other", r"'\\x02'")])
def test_another_version_is_refused_as_the_first_reader_did(first, said):
    with pytest.raises(InvalidMmStatsVersion, match=said):
        MmStatsReader(io.BytesIO(first))


def test_the_reader_reads_files_of_version_2_too(tmp_path):
    ring = [2, 0, *(fb.bits(value, fb.F64) for value in (1.0, 3.0, 0.0))]
    timer = [1, 0, 7, *(fb.bits(value, fb.F64) for value in (0, 0, 0, 2.0, 2.0, 2.0))]
    timer += [0, 0, 0, 1, 0, 0, *(fb.bits(value, fb.F64) for value in (2.0, 0))]
    blocks = [
        *(fb.metric("hits"), fb.metric("mean", "moving", fb.F64, index=1, cells=5)),
        *(
            fb.metric("timer", "timer", fb.F64, index=6, cells=17, extra=Range(0, 40, 41).pack()),
            fb.lane(1),
            fb.cells(1, [5, *ring, *timer]),
        ),
    ]
    path = fb.write(
        tmp_path / "a.mmstats", fb.whole(*blocks, dropped=struct.pack("<8Q", 0, 3, 0, 0, 0, 0, 0, 0))
    )
    reader = MmStatsReader.from_file(path)
    assert reader.version == 2
    assert [*reader] == [("hits", 5), ("mean", 2.0), ("timer", 2.0), ('mmstats.dropped{reason="private"}', 3)]
    with open(path, "rb") as file:
        data = file.read()
    assert data.startswith(MAGIC)
    assert next(iter(MmStatsReader(io.BytesIO(data)))) == Stat("hits", 5)


def test_the_reader_takes_maps_and_pipes(tmp_path):
    """What has no `seekable`, and what cannot seek."""
    path = fb.write(tmp_path / "a.mmstats", fb.whole(fb.metric("hits"), fb.cells(0, [5])))
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
        assert [*MmStatsReader(view)] == [("hits", 5)]
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        assert [*MmStatsReader(cat.stdout)] == [("hits", 5)]


def test_the_reader_closes_its_file(tmp_path):
    reader = MmStatsReader.from_file(DATA / "bare.mmstats")
    assert [*reader] == [("only", 3)]
    assert reader.data.closed
    with pytest.raises(FileNotFoundError):
        MmStatsReader.from_file(tmp_path / "none")
