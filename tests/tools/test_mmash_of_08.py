"""What 0.8's mmash answered of its files, recorded by tests/data/mmash08/record.py, is what ours answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mmstats.tools.mmash import Settings, create_app

pytestmark = pytest.mark.main

DATA = Path(__file__).resolve().parents[1] / "data/mmash08"
ANSWERS = json.loads((DATA / "answers.json").read_text())
BY_NAME = {"web.idle": [0, 0, 0], "web.requests": [1, 10, 100], "web.requests.slow": [0, 1, 2]}
CHOICES = "expected one of sum, avg, min, max, one, count, nonzero-min, nonzero-avg, p50, p90, p95, p99"
# What is meant to differ: docs/tools.md, mmash.
MEANT = {
    # The order of values and files is that of the files' names; 0.8's was the directory's, by chance.
    "/files/": {"files": [f"DIRECTORY/{name}.mmstats" for name in "abc"]},
    "/stats/flag": {"flag": [False, True, False]},
    "/stats/name": {"name": ["aaa", "bbb", "ccc"]},
    "/stats/web": BY_NAME,
    "/stats/web.requests": {name: BY_NAME[name] for name in ("web.requests", "web.requests.slow")},
    "/stats/web?aggr=one": {"web.idle": 0, "web.requests": 1, "web.requests.slow": 0},
    "/stats/level?aggr=one": {"level": -0.5},
    "/stats/flag?aggr=one": {"flag": False},
    # `exact` had no effect.
    "/stats/web.requests?exact=1": {"web.requests": [1, 10, 100]},
    "/stats/web.requests?exact=1&aggr=sum": {"web.requests": 111},
    # A text among them, or nothing that is not zero, made the whole answer fail.
    "/stats/name?aggr=sum": {},
    "/stats/web.idle?aggr=nonzero-avg": {"web.idle": None},
    "/stats/web.idle?aggr=nonzero-min": {"web.idle": None},
    "/stats/web?aggr=nonzero-avg": {"web.idle": None, "web.requests": 37.0, "web.requests.slow": 1.5},
    "/stats/web?aggr=nonzero-min": {"web.idle": None, "web.requests": 1, "web.requests.slow": 1},
    # What it did not know it passed over.
    "/stats/web?aggr=mode": (400, {"error": f"aggr=mode: {CHOICES}"}),
    # Its errors were pages.
    "/stats/web?glob=../*": (400, {"error": "the glob '../*' leads out of what is served"}),
    "/nothing": (404, {"error": "there is nothing here"}),
}


@pytest.fixture
def directory(tmp_path):
    for path in DATA.glob("*.mmstats"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", ANSWERS)
def test_the_same(path, directory):
    app = create_app(Settings([str(directory)], open_to_all=True))
    with TestClient(app) as client:
        answer = client.get(path)
    found = answer.status_code, json.loads(answer.text.replace(str(directory), "DIRECTORY"))
    expected = MEANT.get(path, tuple(ANSWERS[path]))
    assert found == (expected if isinstance(expected, tuple) else (200, expected))


def test_nothing_is_said_to_differ_that_is_the_same():
    """A correction that was not needed would hide one that is not made."""
    assert MEANT.keys() <= ANSWERS.keys()
    assert [path for path, meant in MEANT.items() if [200, meant] == ANSWERS[path]] == []
