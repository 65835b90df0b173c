"""What mmash answers: 0.8's endpoints, the API, /metrics, the page; of whatever somebody asks."""

from __future__ import annotations

import csv
import io
import json
import os
import time

import httpx2 as httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

import filebuilder as fb
from mmstats.read.snapshot import snapshot
from mmstats.tools.mmash import Settings, create_app
from mmstats.tools.mmash.metrics import likes_openmetrics
from mmstats.tools.moment import Sample
from mmstats.tools.recordings import Recording

pytestmark = pytest.mark.main

WHOSE = f"<script>alert(1)</sc {os.getpid()}"
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m"


def one(hits, **more):
    rows = [
        ("web.hits", "counter", fb.U64, hits),
        ("web.hits.slow", "counter", fb.U64, 0),
        ("big", "counter", fb.U64, (1 << 64) - 1),
        ("level", "gauge", fb.F64, 0.5),
        ("odd", "gauge", fb.F64, float("inf")),
        ("name", "static", fb.TEXT, HOSTILE),
    ]
    return fb.whole(*fb.fields(*rows), group="app", cmd=HOSTILE[:20], **fb.ELSEWHERE, **more)


@pytest.fixture
def place(tmp_path):
    """A directory with two processes, one that is damaged, and something else that is nobody's business."""
    directory = tmp_path / "served"
    directory.mkdir(mode=0o700)
    for number in (2, 10):
        fb.write_held(directory / f"app-{number}.mmstats", one(number))
    (directory / "bad.mmstats").write_bytes(b"vm\0")
    fb.write_held(tmp_path / "secret.mmstats", one(99))
    (directory / "link.mmstats").symlink_to(tmp_path / "secret.mmstats")
    return directory


@pytest.fixture(params=["little", "much"])
def client(place, request, monkeypatch):
    """Asked where answers are worked out at once, and where there is so much that a thread does it."""
    if request.param == "much":
        monkeypatch.setattr("mmstats.tools.mmash.answers.MUCH", 0)
    app = create_app(Settings([str(place)], interval=0.05, keep=5, open_to_all=True))
    with TestClient(app, follow_redirects=False) as client:
        yield client


# --- 0.8's ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/stats/", {"stats": ["big", "level", "name", "odd", "web.hits", "web.hits.slow"]}),
        ("/stats/web", {"web.hits": [2, 10], "web.hits.slow": [0, 0]}),
        ("/stats/web.hits?exact", {"web.hits": [2, 10]}),  # 0.8 gave all that begin so
        ("/stats/web.hits?exact=1", {"web.hits": [2, 10]}),
        ("/stats/web.hits?exact=1&aggr=sum", {"web.hits": 12}),
        ("/stats/nothing", {}),
        ("/stats/big?aggr=max", {"big": (1 << 64) - 1}),
        ("/stats/odd", {"odd": [None, None]}),
        ("/stats/web?aggr=avg", {"web.hits": 6.0, "web.hits.slow": 0.0}),
        ("/stats/web.hits?aggr=one&exact", {"web.hits": 2}),
        ("/stats/web?aggr=nonzero-avg", {"web.hits": 6.0, "web.hits.slow": None}),
        ("/stats/web?aggr=nonzero-min", {"web.hits": 2, "web.hits.slow": None}),
        ("/stats/web.hits?aggr=p50&exact", {"web.hits": 2}),
        ("/stats/web.hits?aggr=count&exact", {"web.hits": 2}),
        ("/stats/name?aggr=sum", {}),  # 0.8 failed for all, where a text was among them
        ("/stats/web.hits?exact&glob=*10*", {"web.hits": [10]}),
        ("/stats/?glob=nothing*", {"stats": []}),
    ],
)
def test_answers_of_0_8(client, path, expected):
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert answer.headers["content-type"] == "application/json"


def test_files(client, place):
    names = ["app-2.mmstats", "app-10.mmstats", "bad.mmstats", "link.mmstats"]
    assert client.get("/files/").json() == {"files": [str(place / name) for name in names]}
    assert client.get("/files/app-1*").json() == {"files": [str(place / "app-10.mmstats")]}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/stats/web?aggr=mode", "aggr=mode: expected one of sum, avg,"),
        ("/stats/web?aggr=", "aggr=: expected one of"),
        ("/stats/?glob=../*", "leads out of what is served"),
        ("/stats/web?glob=/etc/*", "leads out"),
        ("/stats/web?glob=a/../../*", "leads out"),
        ("/stats/web?glob=%2Fetc%2F*", "leads out"),
        ("/stats/web?glob=%2e%2e/*", "leads out"),
        ("/stats/web?glob=%00", "leads out"),
        ("/files/%2e%2e/secret*", "leads out"),
        (f"/stats/web?glob={'*' * 9}", "more than 8 stars"),
        (f"/stats/web?glob={'a' * 257}", "more than 256 characters"),
        ("/api/v1/stats?selekt=a", "selekt: expected one of select, where, by, aggr"),
        ("/api/v1/stats?select=/(a%2b)%2b$/", "regular expressions are for the command line"),
        ("/api/v1/stats?select=a{b=~c}", "regular expressions"),
        ("/api/v1/stats?select=a{b}", "expected key=value"),
        (f"/api/v1/stats?select={'*' * 9}", "more than 8 stars"),
        ("/api/v1/stats?where=cmd~(a%2b)%2b$", "regular expressions"),
        ("/api/v1/stats?where=", "where=:"),
        ("/api/v1/stats?by=a,,b", "expected all, or keys"),
        ("/api/v1/stats?aggr=mode", "aggr=mode"),
        ("/api/v1/stats?" + "select=a&" * 40, "more than 32 words"),
        ("/api/v1/history?since=-1", "expected the number of a sample"),
        ("/api/v1/history?since=1e3", "expected the number"),
        ("/api/v1/history?since=" + "9" * 40, "expected the number"),
        ("/api/v1/events?since=x", "expected one as 0a1b2c3d-42"),
    ],
)
def test_what_makes_no_sense_is_400_and_says_why(client, path, said):
    answer = client.get(path)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/../settings.py", "/static/%2e%2e/main.py", "/api/v1/", "/stat"]
)
def test_what_is_not_there_is_404(client, path):
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text
    assert "settings" not in answer.text
    assert client.get(path).json() == {"error": "there is nothing here"}


def test_a_key_that_nothing_has(client):
    answer = client.get("/api/v1/stats?by=pd")
    assert answer.status_code == 404
    assert answer.json() == {"error": "by=pd: nothing has a tag 'pd'. Close: pid, cmd, uid"}


def test_what_is_said_of_a_request_is_escaped(client):
    answer = client.get("/stats/x?aggr=<script>", headers={"accept": "text/html,*/*"})
    assert answer.status_code == 400
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nobody_changes_anything(client, method):
    answer = client.request(method, "/stats/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_head_has_no_body(client):
    answer = client.head("/stats/")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_query_that_is_too_long(client):
    assert client.get("/stats/?" + "a" * 5_000).status_code == 414


# --- the API -------------------------------------------------------------------------------------


def test_stats_of_each_process_and_of_all(client, place):
    told = client.get("/api/v1/stats?select=web.*").json()
    assert told["schema"] == 1
    assert [(one["label"], one["value"], one["pid"]) for one in told["stats"]] == [
        ("web.hits", 2, os.getpid()),
        ("web.hits.slow", 0, os.getpid()),
        ("web.hits", 10, os.getpid()),
        ("web.hits.slow", 0, os.getpid()),
    ]
    assert told["problems"][0]["file"] == str(place / "bad.mmstats")
    (whole,) = client.get("/api/v1/stats?select=web.hits&by=all").json()["stats"]
    assert (whole["value"], whole["group"], whole["kind"], whole["state"]) == (12, "app", "counter", "alive")
    (least,) = client.get("/api/v1/stats?select=web.hits&aggr=min").json()["stats"]
    assert least["value"] == 12  # two files of one process are one process
    apart = client.get(f"/api/v1/stats?select=level&by=pid&where=pid={os.getpid()}").json()["stats"]
    assert [one["tags"] for one in apart] == [{"pid": str(os.getpid())}]
    assert client.get("/api/v1/stats?where=pid=1").json()["stats"] == []


def test_processes(client):
    found = client.get("/api/v1/processes").json()["processes"]
    assert [(one["pid"], one["state"], one["group"], one["stats"]) for one in found] == [
        (os.getpid(), "alive", "app", 6)
    ] * 2


def samples(client, count):
    """The history, once it has so many samples."""
    end = time.monotonic() + 20
    while True:
        told = client.get("/api/v1/history").json()
        if told["last"] >= count:
            return told
        assert time.monotonic() < end
        time.sleep(0.02)


def test_history_and_the_table_of_it(client, place):
    samples(client, 2)
    fb.write_held(place / "app-3.mmstats", one(5))
    told = samples(client, 6)
    assert told["failed"] is None
    assert len(told["t"]) == told["last"] - told["first"] + 1
    by_name = {(series["name"], series["what"]): series for series in told["series"]}
    assert set(by_name[("level", "value")]["values"]) == {1.0, 1.5}
    assert by_name[("web.hits", "value")]["values"][0] == 12.0
    assert by_name[("web.hits", "rate")]["unit"] == "1/s"
    assert by_name[("web.hits", "rate")]["values"][0] is None
    assert ("odd", "value") not in by_name
    chosen = client.get(f"/api/v1/history?select=level&since={told['last'] - 1}").json()
    assert chosen["first"] == told["last"]
    assert [series["name"] for series in chosen["series"]] == ["level"]
    each = client.get("/api/v1/history?by=process&select=web.hits").json()
    assert {series["process"] for series in each["series"]} == {WHOSE}
    answer = client.get("/api/v1/history?by=metod")
    assert (answer.status_code, answer.json()["error"]) == (404, "by=metod: nothing has a tag 'metod'")
    answer = client.get("/api/v1/export.csv?select=level&by=process")
    assert next(csv.reader(io.StringIO(answer.text))) == ["time", f"level value {WHOSE}"]
    answer = client.get("/api/v1/export.csv?select=level")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["time", "level value"]
    assert [float(row[1]) for row in rows[1:3]] == [1.0, 1.0]
    assert rows[1][0].endswith("+00:00")


def test_the_description_is_what_is_answered(place):
    app = create_app(Settings([str(place)], interval=60, keep=60, open_to_all=True))
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    described = set(schema.raw_schema["paths"])
    routes = {route.path.replace(":anything", "") for route in app.routes if hasattr(route, "methods")}
    assert described | {"/", "/graph/", "/files/{glob}"} == routes
    # The one does not end; of the other's body no schema tells which are recordings.
    checked = schema.exclude(path="/api/v1/events").exclude(path="/api/v1/replay")

    for operation in checked.get_all_operations():
        run = given(case=operation.ok().as_strategy())(validated)
        settings(
            max_examples=20,
            deadline=None,
            database=None,
            derandomize=True,  # each run asks the same
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(run)()


def validated(case):
    """What is answered is what the description says."""
    case.call_and_validate()


# --- /metrics ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "likes"),
    [
        ("", False),
        ("*/*", False),
        ("text/html", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        ("text/plain;q=0.9, application/openmetrics-text;q=0.1", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=x", False),
    ],
)
def test_which_format_somebody_likes(accept, likes):
    assert likes_openmetrics(accept) is likes


def test_metrics_in_both_formats(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    hits = [family for family in parse_text(answer.text) if family.name == "web_hits"]
    assert hits[0].samples[0].value == 12
    answer = client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert {family.name for family in parse_openmetrics(answer.text)} >= {"web_hits", "level"}


def test_health(client):
    assert client.get("/healthz").json() == {"status": "ok"}


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/graph/"])
def test_the_page_without_any_script(client, path):
    answer = client.get(path)
    text = answer.text
    assert "1 process alive" in text
    assert ">web.hits</a>" in text
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text
    assert "bad.mmstats" in text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    for link in links_of(text, path):
        assert client.get(link).status_code == 200, link


def links_of(text, path):
    """All of a page at that path, as a browser takes them."""
    base, *links = [part.partition('"')[0].replace("&amp;", "&") for part in text.split('href="')[1:]]
    assert len(links) > 5
    return [str(httpx.URL(f"http://testserver{path}").join(base).join(link)) for link in links]


def test_a_page_with_nothing_on_it_says_where_it_looks(tmp_path):
    with TestClient(create_app(Settings([str(tmp_path / "*.none")], open_to_all=True))) as client:
        text = client.get("/").text
    assert "No files yet" in text
    assert f"<code>{tmp_path}/*.none</code>" in text
    assert "MMSTATS_PATH" in text


# --- where it is mounted, and what it shows ------------------------------------------------------


def in_starlette(inner):
    return Starlette(routes=[Mount("/debug/stats", app=inner)])


def in_fastapi(inner):
    made = FastAPI()
    made.mount("/debug/stats", inner)
    return made


@pytest.mark.parametrize("mounted", [in_starlette, in_fastapi])
def test_mounted_in_another_application(place, mounted):
    inner = create_app(Settings([str(place)], interval=0.05, keep=5, open_to_all=True))
    outer = mounted(inner)
    with TestClient(outer) as client:
        assert client.get("/debug/stats/stats/web.hits?exact").json() == {"web.hits": [2, 10]}
        text = client.get("/debug/stats/").text
        for link in links_of(text, "/debug/stats/"):
            assert client.get(link).status_code == 200, link
        end = time.monotonic() + 20
        while client.get("/debug/stats/api/v1/history").json()["last"] < 2:
            assert time.monotonic() < end
            time.sleep(0.02)
    inner.state.watch.end()
    inner.state.watch.join()


def test_a_path_in_front_of_all(place):
    with TestClient(create_app(Settings([str(place)], base_path="/a/b", open_to_all=True))) as client:
        assert client.get("/a/b/stats/web.hits?exact&aggr=sum").json() == {"web.hits": 12}
        assert client.get("/stats/").status_code == 404
        for link in links_of(client.get("/a/b/graph/").text, "/a/b/graph/"):
            assert client.get(link).status_code == 200, link
        assert client.get("/a/b/healthz").status_code == 200


def test_a_recording(place, tmp_path):
    path = str(tmp_path / "run.jsonl.gz")
    recording = Recording(path)
    for at in range(5):
        fb.write(place / "app-2.mmstats", one(2 + at))
        recording.write(Sample(snapshot(str(place)), 1000.0 + at, float(at > 0)))
    recording.close()
    settings = Settings(replay=path, speed=1000, open_to_all=True)
    with TestClient(create_app(settings)) as client:
        told = samples(client, 5)
        assert told["t"] == [1000.0, 1001.0, 1002.0, 1003.0, 1004.0]
        hits = next(one for one in told["series"] if (one["name"], one["what"]) == ("web.hits", "value"))
        assert hits["values"] == [12.0, 13.0, 14.0, 15.0, 16.0]
        assert client.get("/stats/web.hits?exact").json() == {"web.hits": [6, 10]}
        assert client.get("/files/*10*").json()["files"] == [str(place / "app-10.mmstats")]
        assert "web_hits_total" in client.get("/metrics").text
        assert client.get("/healthz").json() == {"status": "failed", "reason": "the recording is over"}


def test_a_recording_that_is_none(tmp_path):
    path = tmp_path / "none.jsonl"
    path.write_text("{}\n")
    with TestClient(create_app(Settings(replay=str(path), open_to_all=True))) as client:
        end = time.monotonic() + 20
        while client.get("/healthz").status_code != 503:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert "none.jsonl" in client.get("/healthz").json()["reason"]


# --- events --------------------------------------------------------------------------------------


def events(text):
    """(event, id, data) of each."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if "event" in fields:
            found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


class Streamed:
    """A stream, read until the watch is ended after so many samples."""

    def __init__(self, client, samples, **headers):
        self.watch = client.app.state.watch
        first = self.watch.history.last
        with client.stream("GET", "/api/v1/events", headers=headers) as answer:
            self.status, self.type = answer.status_code, answer.headers["content-type"]
            text = ""
            for part in answer.iter_text():
                text += part
        self.events = events(text)
        self.first, self.samples = first, samples


def test_streams_end_with_the_watch_and_have_all_that_was_missed(place):
    app = create_app(Settings([str(place)], interval=0.05, keep=5, open_to_all=True))
    with TestClient(app) as client:
        told = samples(client, 4)
        app.state.watch.end()
        app.state.watch.join()  # a sample may be on its way
        epoch = told["epoch"]
        last = app.state.watch.history.last

        def stream(**headers):
            return Streamed(client, 0, **{name.replace("_", "-"): value for name, value in headers.items()})

        fresh = stream()
        assert fresh.type.startswith("text/event-stream")
        assert [kind for kind, _, _ in fresh.events] == ["index", "s", "end"]
        assert fresh.events[1][1] == f"{epoch}-{last}"
        assert fresh.events[1][2]["whole"] is True
        names = [one["name"] for one in fresh.events[0][2]["series"]]
        values = {names[place]: value for place, value in fresh.events[1][2]["v"]}
        assert values["level"] == 1.0
        again = stream(last_event_id=f"{epoch}-1")
        assert [data["n"] for kind, _, data in again.events if kind == "s"] == list(range(2, last + 1))
        assert not any(data.get("whole") for kind, _, data in again.events)
        restarted = stream(last_event_id="00000000-3")
        assert [data["n"] for kind, _, data in restarted.events if kind == "s"] == list(range(1, last + 1))
        assert restarted.events[1][2]["whole"] is True
        ahead = stream(last_event_id=f"{epoch}-{last + 7}")
        assert ahead.events[1][2]["n"] == 1
        assert fresh.events[-1] == ("end", None, {"reason": "mmash ends"})


def test_a_stream_whose_last_sample_is_forgotten_begins_anew(place):
    """What is missing in between would stand on the page as if it were now."""
    app = create_app(Settings([str(place)], interval=0.05, keep=0.2, open_to_all=True))
    with TestClient(app) as client:
        epoch = samples(client, 12)["epoch"]
        app.state.watch.end()
        app.state.watch.join()
        history = app.state.watch.history
        again = Streamed(client, 0, **{"last-event-id": f"{epoch}-1"})
        told = [data for kind, _, data in again.events if kind == "s"]
        assert [data["n"] for data in told] == list(range(history.first, history.last + 1))
        assert told[0]["whole"] is True
        assert not any(data.get("whole") for data in told[1:])


def test_only_so_many_streams(client, monkeypatch):
    monkeypatch.setattr("mmstats.tools.mmash.events.MOST_STREAMS", 0)
    answer = client.get("/api/v1/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
