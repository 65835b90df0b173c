"""slurpstats --by KEY: a family by one of its tags, everything by a property of its process."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import filebuilder as fb
from mmstats.tools import ends, slurpstats

NAMES = ("method", "user")
MEMBERS = {("GET", "ann"): 5, ("GET", "bob"): 7, ("PUT", "ann"): 11}


@pytest.fixture(autouse=True)
def processes(tmp_path, monkeypatch):
    """Two processes with one family, and a plain counter; and retired totals of that."""
    monkeypatch.setenv("MMSTATS_PATH", str(tmp_path))
    monkeypatch.setattr(ends, "_die_of_sigpipe", lambda: None)
    monkeypatch.setattr(ends.gc, "disable", lambda: None)
    tmp_path.chmod(0o700)
    for pid, host in ((4242, "one"), (4243, "two")):
        members = [fb.member(values, 1, index=1 + 2 * at) for at, values in enumerate(MEMBERS)]
        counts = [cell for count in MEMBERS.values() for cell in (1, count)]
        blocks = [
            fb.metric("requests", tags=NAMES, segment=0),
            *members,
            fb.metric("hits", number=2),
            fb.lane(1),
            fb.cells(1, [pid, *counts]),
        ]
        told = {**fb.ELSEWHERE, "pid": pid, "hostname": host.encode(), "group": b"app", "cmd": b"app"}
        fb.write_held(tmp_path / f"app-{pid}.mmstats", fb.whole(*blocks, **told))


@pytest.fixture
def by(capsys):
    """A function: exit code, and label and tags → value, as --jsonl has it."""

    def run(*words):
        code = slurpstats.main(["--jsonl", "--by", *words])
        out, err = capsys.readouterr()
        objects = [json.loads(line) for line in out.splitlines()]
        values = {(one["label"], *one["tags"].items()): one["value"] for one in objects}
        assert len(values) == len(objects)
        return code, values, err

    return run


def test_by_a_tag_all_else_is_combined(by):
    code, values, err = by("method")
    assert (code, err) == (0, "")
    assert values == {
        ("requests", ("method", "GET")): 24,
        ("requests", ("method", "PUT")): 22,
        ("hits",): 8485,
    }


def test_by_what_a_process_is_tags_are_left_out(by):
    assert by("host")[1] == {
        ("requests", ("host", "one")): 23,
        ("hits", ("host", "one")): 4242,
        ("requests", ("host", "two")): 23,
        ("hits", ("host", "two")): 4243,
    }


def test_a_tag_comes_before_a_property_of_its_name(by):
    _, values, _ = by("user", "-s", "requests")
    assert values == {("requests", ("user", "ann")): 32, ("requests", ("user", "bob")): 14}


def test_by_several_keys(by):
    _, values, _ = by("pid,method,pid", "-s", "requests")
    assert values == {
        ("requests", ("method", method), ("pid", str(pid))): count
        for method, count in (("GET", 12), ("PUT", 11))
        for pid in (4242, 4243)
    }


def test_what_is_selected_is_selected_by_all_tags(by):
    assert by("method", "-s", "requests{user=bob}")[1] == {("requests", ("method", "GET")): 14}


def test_retired_totals_have_no_pid(by, tmp_path):
    total = fb.total("hits", 100)
    told = {**fb.ELSEWHERE, "state": 3, "group": b"app", "pid": 0}
    fb.write(Path(os.environ["MMSTATS_PATH"]) / "app-retired.mmstats", fb.whole(*total, **told))
    _, values, _ = by("pid", "-s", "hits")
    assert values == {("hits",): 100, ("hits", ("pid", "4242")): 4242, ("hits", ("pid", "4243")): 4243}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("metod", "slurpstats: nothing has a tag 'metod'. Close: method\n"),
        ("age", "slurpstats: nothing has a tag 'age'\n"),
        ("method,zz9", "slurpstats: nothing has a tag 'zz9'\n"),
    ],
)
def test_a_key_that_nothing_has(by, key, said):
    assert by(key) == (1, {}, said)


@pytest.mark.parametrize("keys", ["", ",", "method,", "method,,pid"])
def test_keys_that_are_none(by, keys):
    code, values, err = by(keys)
    assert (code, values) == (2, {})
    assert f"--by {keys!r}: expected all, or keys with commas between them" in err


def test_the_table(capsys):
    assert slurpstats.main(["--by", "method", "-s", "requests"]) == 0
    assert (
        capsys.readouterr().out
        == """\
2 processes · 2 files · 2 stats
  LABEL                   KIND     SUM  MIN  MAX  WHO HAS MAX
  requests{method="GET"}  counter   24    5    7  app 4242
  requests{method="PUT"}  counter   22   11   11  app 4242
"""
    )
