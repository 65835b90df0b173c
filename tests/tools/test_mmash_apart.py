"""Histories told apart, by process or by tags; and of recordings that are sent."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from mmstats import kinds
from mmstats.stat import About, Origin, Snapshot, Stat
from mmstats.tools import recordings
from mmstats.tools.mmash import Settings, create_app, splits, uploads
from mmstats.tools.mmash.series import Between
from mmstats.tools.mmash.splits import MOST_SPLITS, PROCESS, UNASKED, Splits
from mmstats.tools.moment import Sample
from mmstats.tools.recordings import Recording
from mmstats.tools.select import Pattern, Selection

pytestmark = pytest.mark.main


def counter(value, label="hits", **tags):
    about = About("sum", "", keep=True, kind="counter", label=label, tags=tags, unit="")
    return Stat(about, "app", value, value)


def process(pid, *stats, state="alive", cmd="web"):
    origin = Origin(pid=pid, cmd=cmd, uuid=f"{cmd}{pid}{state}", state=state, created=1.0, group="app")
    return Snapshot(kinds.merged, origin, [], 1, list(stats))


def sample(at, *snapshots):
    return Sample(list(snapshots), 1_000.0 + at, 1.0)


def two(at):
    """At each second the one process has counted once more for each method, the other one thrice."""
    return sample(
        at,
        process(7, counter(at, method="GET", status="200"), counter(at, method="PUT", status="200")),
        process(8, counter(3 * at, method="GET", status="500")),
    )


def fed(made, samples):
    before = None
    for now in samples:
        made.add(Between(before, now))
        before = now
    return made


def rates(history):
    """Process and tags → what it did a second, of all samples."""
    return {
        (one.process, *(text for _, text in one.about.tags)): history.values(at, history.first, history.last)
        for at, one in enumerate(history.series)
        if one.what == "rate"
    }


def everything():
    return Selection([], "")


def test_what_each_process_did_is_known_before_anybody_asks():
    made = fed(Splits(10), [two(1), two(2), two(3)])
    history = made.of((), everything(), PROCESS, (PROCESS,))
    assert rates(history) == {
        ("web 7", "GET", "200"): [None, 1.0, 1.0],
        ("web 7", "PUT", "200"): [None, 1.0, 1.0],
        ("web 8", "GET", "500"): [None, 3.0, 3.0],
    }


def test_by_a_tag_from_when_somebody_asks():
    made = fed(Splits(10), [two(1)])
    history = made.of((), everything(), "method", ("method",))
    assert history.last == 0
    made.add(Between(two(1), two(2)))
    assert rates(history) == {("", "GET"): [4.0], ("", "PUT"): [1.0]}
    assert made.of((), everything(), "method", ("method",)) is history


def test_of_what_is_wanted_alone():
    made = Splits(10)
    chosen = Selection([(True, Pattern("hits{status=500}"))], "")
    history = made.of(("hits{status=500}",), chosen, "status", ("status",))
    fed(made, [two(1), two(2)])
    assert rates(history) == {("", "500"): [None, 3.0]}


def test_retired_totals_are_a_line_of_their_own():
    made = fed(Splits(10), [sample(1, process(0, counter(5), state="retired"))])
    assert {one.process for one in made.of((), everything(), PROCESS, ()).series} == {"web retired"}


def test_too_many_processes_are_kept_for_who_asks_alone(monkeypatch):
    monkeypatch.setattr(splits, "MOST_EACH", 4)
    made = fed(Splits(10), [sample(1, *(process(pid, counter(pid)) for pid in range(1, 7)))])
    history = made.of(("hits",), everything(), PROCESS, ())
    assert history.last == 0
    made.add(Between(None, sample(2, process(7, counter(1)))))
    assert [one.process for one in history.series] == ["web 7"]


def test_processes_that_are_long_gone_make_room(monkeypatch):
    """Five short lives a sample would soon be more than may be kept, were the dead kept for ever."""
    monkeypatch.setattr(splits, "MOST_EACH", 30)
    made = Splits(3)
    for at in range(1, 40):
        made.add(Between(None, sample(at, *(process(5 * at + one, counter(1)) for one in range(5)))))
    history = made.of((), everything(), PROCESS, ())
    assert history.last == 39
    assert {f"web {5 * 39 + one}" for one in range(5)} <= {one.process for one in history.series}


def test_what_nobody_asks_for_any_more_ends():
    now = [0.0]
    made = Splits(10, clock=lambda: now[0])
    first = made.of((), everything(), "method", ("method",))
    now[0] = UNASKED
    made.add(Between(None, two(1)))
    assert first.last == 1
    now[0] += 0.1
    made.add(Between(None, two(2)))
    assert first.last == 1
    assert made.of((), everything(), "method", ("method",)) is not first


def test_the_one_that_was_asked_for_least_lately_makes_room():
    now = [0.0]
    made = Splits(10, clock=lambda: now[0])
    all_ = []
    for number in range(MOST_SPLITS + 1):
        now[0] += 1
        all_.append(made.of((str(number),), everything(), "method", ("method",)))
    assert made.of((str(MOST_SPLITS),), everything(), "method", ("method",)) is all_[-1]
    assert made.of(("1",), everything(), "method", ("method",)) is all_[1]
    assert made.of(("0",), everything(), "method", ("method",)) is not all_[0]


# --- recordings that are sent ---------------------------------------------------------------------


@pytest.fixture
def client(tmp_path):
    app = create_app(Settings([str(tmp_path / "nothing")], interval=60, keep=60, open_to_all=True))
    with TestClient(app) as client:
        yield client


def recorded(path, samples):
    made = Recording(str(path))
    for one in samples:
        made.write(one)
    made.close()
    return path.read_bytes()


@pytest.mark.parametrize("name", ["some.jsonl", "some.jsonl.gz"])
def test_a_recording_is_sent(client, tmp_path, name):
    sent = recorded(tmp_path / name, [two(at) for at in range(1, 5)])
    told = client.post("/api/v1/replay", content=sent).json()
    assert told["t"] == [1001.0, 1002.0, 1003.0, 1004.0]
    (put,) = [one for one in told["series"] if one["tags"].get("method") == "PUT" and one["what"] == "rate"]
    assert put["values"] == [None, 1.0, 1.0, 1.0]
    told = client.post("/api/v1/replay?by=process&select=hits", content=sent).json()
    assert {one["process"] for one in told["series"]} == {"web 7", "web 8"}
    told = client.post("/api/v1/replay?by=status", content=sent).json()
    assert [one["values"] for one in told["series"] if one["what"] == "rate"] == [
        [None, 2.0, 2.0, 2.0],
        [None, 3.0, 3.0, 3.0],
    ]


def test_of_a_long_one_some_samples_with_the_rates_in_between(client, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_SAMPLES", 10)
    sent = recorded(tmp_path / "long.jsonl", [sample(at, process(7, counter(2 * at))) for at in range(100)])
    told = client.post("/api/v1/replay", content=sent).json()
    assert len(told["t"]) == 10
    assert told["interval"] == 10.0
    (rate,) = [one["values"] for one in told["series"] if one["what"] == "rate"]
    assert rate == [None] + 9 * [2.0]


def test_of_one_with_many_series_as_many_samples_as_an_answer_may_have(client, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_NUMBERS", 150)
    some = [sample(at, process(7, *(counter(at, label=f"s{one}") for one in range(5)))) for at in range(90)]
    told = client.post("/api/v1/replay", content=recorded(tmp_path / "wide.jsonl", some)).json()
    assert (told["t"][0], told["interval"], len(told["series"])) == (1000.0, 6.0, 10)
    rates = [one["values"] for one in told["series"] if one["what"] == "rate"]
    assert rates == 5 * [[None] + 14 * [1.0]]


def test_what_was_cut_short_is_shown_up_to_there(client, tmp_path):
    sent = recorded(tmp_path / "some.jsonl.gz", [two(at) for at in range(1, 5)])
    lines = gzip.decompress(sent).splitlines(keepends=True)
    whole = client.post("/api/v1/replay", content=b"".join(lines[:3]) + lines[3][:-5]).json()
    assert whole["t"] == [1001.0, 1002.0]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "there is nothing in it"),
        (b"hello\n", "line 1 is none of a recording"),
        (b'{"format":"other"}\n', "begins with ('other', None)"),
        (b"\x1f\x8bnonsense", "the recording: "),
        (b"\xff\xfe\n", "can't decode"),
        (b"[" * 100_000 + b"\n", "line 1 is none of a recording"),
    ],
)
def test_what_is_no_recording(client, sent, said):
    answer = client.post("/api/v1/replay", content=sent)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def odd(where, value):
    """A recording with something else in that place of its only sample."""
    head = {"format": "mmstats recording", "schema": 1}
    about = ["sum", "", True, "counter", "hits", [], "", False, None]
    one = dict.fromkeys(("cmd", "file", "group", "host", "state", "uuid"), "x")
    line = {
        "abouts": [about],
        "t": 1.0,
        "dt": 1.0,
        "interval": 1.0,
        "files": [{**one, "created": 1.0, "pid": 1, "started": 1.0, "uid": 1, "stats": [[0, 5]]}],
    }
    at = line
    for step in where[:-1]:
        at = at[step]
    at[where[-1]] = value
    return "".join(json.dumps(one) + "\n" for one in (head, line)).encode()


PLACES = [
    *[(name,) for name in ("abouts", "t", "dt", "interval", "files")],
    *[("files", 0, name) for name in ("stats", "created", "pid", "cmd", "state", "group")],
    *[("files", 0, "stats", 0, at) for at in (0, 1)],
    *[("abouts", 0, at) for at in range(9)],
]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(PLACES), ODD)
def test_whatever_stands_in_a_recording_it_is_shown_or_refused(client, where, value):
    for by in ("all", "process", "pid"):
        answer = client.post(f"/api/v1/replay?by={by}", content=odd(where, value))
        assert answer.status_code in (200, 400), answer.text


def test_more_than_may_be_sent(client, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", 1000)
    answer = client.post("/api/v1/replay", content=b"x" * 1001)
    assert (answer.status_code, answer.json()["error"]) == (413, "a recording of more than 0 MiB")


def test_what_grows_without_end_when_unpacked(client, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_UNPACKED", 1 << 20)
    answer = client.post("/api/v1/replay", content=gzip.compress(b" \n" * (1 << 20)))
    assert answer.status_code == 400
    assert "more than 1 MiB when unpacked" in answer.json()["error"]


def test_a_line_that_is_longer_than_any_sample(client, monkeypatch):
    monkeypatch.setattr(recordings, "LONGEST", 1 << 20)
    answer = client.post("/api/v1/replay", content=gzip.compress(b" " * (2 << 20)))
    assert (answer.status_code, answer.json()["error"]) == (400, "the recording: a line of more than 1 MiB")


def test_no_page_from_elsewhere_may_send_one(client):
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
    ):
        assert client.post("/api/v1/replay", content=b"", headers=headers).status_code == 403
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": "http://testserver"}):
        assert client.post("/api/v1/replay", content=b"", headers=headers).status_code == 400
    answer = client.get("/api/v1/replay")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
