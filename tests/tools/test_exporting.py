"""`python -m mmstats export` as its users meet it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import filebuilder as fb
from exposed import promtool
from mmstats.tools import exporting

SRC = Path(__file__).resolve().parent.parent.parent / "src"

pytestmark = pytest.mark.usefixtures("quiet_world")
TEXT = '# TYPE web_hits_total counter\nweb_hits_total{group="app"} 33\n'


@pytest.fixture(autouse=True)
def three(quiet_world, stats):
    """Three processes of one group."""
    for pid, hits in ((4242, 1), (4243, 2), (4244, 30)):
        row = ("web.hits", "counter", fb.U64, hits)
        stats(row, name=f"app-{pid}", pid=pid, group=b"app", cmd=b"app")


@pytest.fixture
def export(capsys):
    """Runs the tool in this process; (exit code, stdout, stderr)."""

    def run(*words):
        code = exporting.main(list(map(str, words)))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_to_standard_output(export):
    assert export() == (0, TEXT, "")
    assert "error" not in promtool(TEXT)[1]


def test_openmetrics_by_process(export):
    code, out, _ = export("-o", "openmetrics", "--by", "pid")
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()] == ["counter", "1", "2", "30", "EOF"]


@pytest.mark.parametrize(("octaves", "count"), [(1, 34), (2, 18), (64, 3)])
def test_how_many_buckets(export, tmp_path, octaves, count):
    (tmp_path / "empty").mkdir(mode=0o700)
    program = """
import mmstats, os, sys
class Stats(mmstats.BaseMmStats):
    size = mmstats.HistogramField(label="size", unit="seconds")
stats = Stats()
stats.size.observe(0.5)
os._exit(0)
"""
    env = {**os.environ, "MMSTATS_PATH": str(tmp_path / "empty"), "PYTHONPATH": str(SRC)}
    subprocess.run([sys.executable, "-c", program], env=env, check=True, timeout=60)
    _, out, _ = export(tmp_path / "empty", "--octaves", octaves)
    assert out.count("size_seconds_bucket{") == count


def test_into_a_file(export, tmp_path):
    path = tmp_path / "app.prom"
    path.write_text("old")
    assert export("--textfile", path) == (0, "", "")
    assert (path.read_text(), path.stat().st_mode & 0o777) == (TEXT, 0o644)
    assert sorted(os.listdir(tmp_path)) == ["app.prom", "stats"]


def test_a_file_that_cannot_be_written_stays(export, tmp_path):
    path = tmp_path / "app.prom"
    path.write_text("old")
    missing = tmp_path / "missing" / "app.prom"
    code, out, err = export("--textfile", missing)
    assert (code, out) == (3, "")
    assert err == f"mmstats export: {missing}: No such file or directory; what was there stays\n"
    assert export("--textfile", tmp_path)[0] == 3  # a directory
    assert sorted(os.listdir(tmp_path)) == ["app.prom", "stats"]
    assert path.read_text() == "old"


def test_nothing_matches(export, tmp_path):
    """Yesterday's numbers are not shown as today's."""
    path = tmp_path / "app.prom"
    path.write_text("old")
    code, _, err = export("--textfile", path, "-f", "pid=1")
    assert (code, path.read_text()) == (1, "")
    assert err == "mmstats export: no process matches pid=1; looked at 3\n"
    code, _, err = export("--textfile", path, tmp_path / "none")
    assert (code, path.read_text(), "no mmstats file matches" in err or "No such file" in err) == (
        1,
        "",
        True,
    )


def test_what_cannot_be_read_is_said(export, tmp_path):
    (tmp_path / "stats" / "z.mmstats").write_bytes(b"nonsense")
    code, out, err = export()
    assert (code, out, "not an mmstats file" in err) == (3, TEXT, True)
    assert export("-q")[2] == ""
    assert "app 4242, 1 stats" in export("-v")[2]


def test_by_what_nothing_has(export):
    assert export("--by", "pit") == (1, "", "mmstats export: nothing has a tag 'pit'. Close: pid\n")


def test_a_choice_of_stats(export):
    assert export("-s", "web.nothing") == (0, "", "")
    assert export("-x", "web.*")[1] == ""
    assert export("-p", "web")[1] == TEXT


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--octaves", "0"], "--octaves 0: expected 1 to 64"),
        (["--octaves", "x"], "invalid int value: 'x'"),
        (["--every", "0"], "--every takes a time as 15, 1m or 0.5: '0'"),
        (["--every", "soon"], "--every takes a time as 15, 1m or 0.5: 'soon'"),
        (["--every", "15"], "--every writes a file anew: name it with --textfile"),
        (["-o", "json"], "invalid choice: 'json'"),
        (["-f", "/x.mmstats"], "-f took '/x.mmstats'"),
    ],
)
def test_what_makes_no_sense(export, words, message):
    code, out, err = export(*words)
    assert (code, out, message in err) == (2, "", True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_again_and_again(tmp_path, number):
    """A file that was removed comes again, until somebody ends it; each time whole."""
    path = tmp_path / "app.prom"
    words = [sys.executable, "-m", "mmstats", "export", "--textfile", path, "--every", "0.05"]
    env = {**os.environ, "PYTHONPATH": str(SRC)}
    running = subprocess.Popen(words, env=env, stderr=subprocess.PIPE)
    try:
        for _ in range(3):
            until = time.monotonic() + 20
            while not path.exists():
                assert time.monotonic() < until
                time.sleep(0.01)
            assert path.read_text() == TEXT
            path.unlink()
    finally:
        running.send_signal(number)
        _, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (0, b"")


def test_help(export):
    code, out, err = export("-h")
    assert (code, err, len(out.splitlines())) == (0, "", 3)
    assert max(map(len, export("--help")[1].splitlines())) <= 80
