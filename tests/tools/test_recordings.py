"""What is recorded is what is replayed."""

from __future__ import annotations

import gzip
import json
import time
from math import inf, nan
from pathlib import Path

import pytest

from exposed import histogram
from mmstats import kinds
from mmstats.stat import About, Origin, Problem, Snapshot, Stat
from mmstats.tools import pollstats, recordings
from mmstats.tools.moment import Sample
from mmstats.tools.recordings import Recording, RecordingError, replayed

ORIGIN = Origin("app", 1.5, "/d/app", "g", "h", 4242, 0.5, "alive", 1000, "ab" * 16)


def stat(kind, parts, aggregate="sum", *, unit="", tags=(), value=...):
    about = About(aggregate, "what \u2028 is", True, kind, f"a.{kind}", tags, unit, 2.5, 60.0)
    word = kinds.rule(kind, aggregate)
    return Stat(about, "g", parts, kinds.finish(word, parts) if value is ... else value)


def distributed(kind, values):
    made = histogram(values, timer=kind == "timer")
    rest = (1.5, 3, -inf, 0.5) if kind == "timer" else ()
    return stat(kind, (made.count, made.sum, made.min, made.max, *rest, made.spread), unit="seconds")


STATS = [
    stat("counter", 2**64 - 1, tags={"m": "GET", "u": "\x00é"}),
    stat("updown", -5),
    stat("number", 1.5, "max"),
    stat("number", inf),
    stat("gauge", (3.0, 2), "avg"),
    stat("gauge", None, value=None),
    stat("bool", True, "any"),
    stat("average", (8.0, 4)),
    stat("text", (12.5, "ü"), "last"),
    stat("static", frozenset((1, 2)), "set"),
    stat("static", ("a", "b"), "all"),
    stat("info", frozenset(('v="1"',)), "set"),
    stat("counter", None, value=0),
    stat("timer", None, value=kinds.BLANK["timer"]),
    distributed("timer", [0.1, 0.2, 0.0]),
    distributed("histogram", [-1.0, 5.0]),
]


def sample(*stats, at=100.0, elapsed=0.0):
    problems = [Problem("/d/x", "damaged")]
    return Sample([Snapshot(kinds.merged, ORIGIN, problems, 1, list(stats))], at, elapsed)


@pytest.fixture(params=["run.jsonl", "run.jsonl.gz"])
def path(request, tmp_path):
    return str(tmp_path / request.param)


def record(path, *samples):
    recording = Recording(path)
    assert list(recording.of(samples)) == list(samples)
    recording.close()


@pytest.mark.parametrize("one", STATS, ids=lambda one: one.kind)
def test_each_kind_comes_back(path, one):
    record(path, sample(one))
    (found,) = replayed(path)
    assert found.snapshots == sample(one).snapshots
    assert found.snapshots[0].stats[0].parts == one.parts
    assert type(found.snapshots[0].stats[0].parts) is type(one.parts)


def test_what_is_no_number(path):
    record(path, sample(stat("number", nan)))
    (found,) = replayed(path)
    assert found.snapshots[0].stats[0].value != found.snapshots[0].stats[0].value


def test_times_come_back_and_abouts_are_said_once(path):
    first, second = sample(*STATS, at=100.0), sample(*STATS, at=101.25, elapsed=1.25)
    second.interval = 1.0
    record(path, first, second)
    assert [(one.at, one.elapsed, one.interval) for one in replayed(path)] == [
        (100.0, 0.0, 1.0),
        (101.25, 1.25, 1.0),
    ]
    with gzip.open(path, "rt") if path.endswith("gz") else open(path) as file:
        lines = [json.loads(line) for line in file]
    assert lines[0]["format"] == "mmstats recording"
    assert [len(line.get("abouts", ())) for line in lines[1:]] == [
        len({one.about.label + one.unit + one.aggregate + str(one.tags) for one in STATS}),
        0,
    ]


def test_whoever_was_killed_left_whole_lines(path):
    record(path, sample(STATS[0]), sample(STATS[0], elapsed=1.0))
    whole = Path(path).read_bytes()
    for end in range(1, len(whole)):
        Path(path).write_bytes(whole[:end])
        try:
            assert len(list(replayed(path))) <= 2
        except RecordingError:
            assert end < 30  # not even the beginning of a packed file


def test_each_sample_is_there_before_the_next(tmp_path):
    path = str(tmp_path / "run.jsonl")
    recording = Recording(path)
    recording.write(sample(STATS[0]))
    assert len(list(replayed(path))) == 1
    recording.close()


def test_as_fast_as_it_was(path, monkeypatch):
    slept = []
    monkeypatch.setattr(recordings.time, "sleep", slept.append)
    record(path, sample(STATS[0]), sample(STATS[0], elapsed=1.0), sample(STATS[0], elapsed=2.0))
    list(replayed(path))
    assert slept == []
    list(replayed(path, 2.0))
    assert slept == [0.5, 1.0]
    assert time is recordings.time


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", None),
        ("nonsense\n", "line 1 is none of a recording"),
        ('{"format":"other","schema":1}\n', "begins with"),
        ('{"format":"mmstats recording","schema":2}\n', "begins with"),
        ("[]\n", "line 1 is none of a recording"),
        ('{"format":"mmstats recording","schema":1}\n{"t":1}\n', "line 2 is none of a recording"),
        ('{"format":"mmstats recording","schema":1}\n{"t":1,"dt":1,"files":[{"stats":[[9,1]]}]}\n', "line 2"),
    ],
)
def test_what_is_no_recording(tmp_path, content, why):
    path = tmp_path / "run.jsonl"
    path.write_text(content)
    if why is None:
        assert list(replayed(str(path))) == []
        return
    with pytest.raises(RecordingError, match=why):
        list(replayed(str(path)))


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(RecordingError, match="No such file or directory"):
        list(replayed(str(tmp_path / "none")))
    with pytest.raises(RecordingError, match="No such file or directory"):
        Recording(str(tmp_path / "none" / "x"))
    (tmp_path / "x.gz").write_bytes(b"not packed")
    with pytest.raises(RecordingError, match="gzip"):
        list(replayed(str(tmp_path / "x.gz")))


def test_the_same_rows(path, capsys, monkeypatch):
    """Rows of a recording are those that were."""
    monkeypatch.setattr("mmstats.tools.ends._die_of_sigpipe", lambda: None)
    monkeypatch.setattr("mmstats.tools.ends.gc.disable", lambda: None)
    many = [
        sample(
            stat("counter", at * at),
            distributed("timer", [0.5] * (at + 1)),
            at=100.0 + at,
            elapsed=float(at > 0),
        )
        for at in range(4)
    ]
    record(path, *many)
    assert pollstats.main(["a.counter,a.timer:count", "--csv", "--replay", path, "-q"]) == 3
    out = capsys.readouterr().out.splitlines()
    assert [line.split(",")[3:] for line in out] == [
        ["a.counter", "a.timer count"],
        ["1", "1"],
        ["3", "1"],
        ["5", "1"],
    ]
    assert pollstats.main(["x", "--replay", path + ".none"]) == 3
    assert "No such file" in capsys.readouterr().err


def test_a_slow_recording_is_not_late(path, capsys, monkeypatch):
    """Its rows are of the interval that it was made with, and say so."""
    monkeypatch.setattr("mmstats.tools.ends._die_of_sigpipe", lambda: None)
    monkeypatch.setattr("mmstats.tools.ends.gc.disable", lambda: None)
    many = [sample(stat("counter", at), at=100.0 + 5 * at, elapsed=5.0 * (at > 0)) for at in range(3)]
    for one in many:
        one.interval = 5.0
    record(path, *many)
    pollstats.main(["a.counter", "-q", "--replay", path])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "delta per 5 s, sum of 1 process"
    assert not any("~" in line for line in lines)
