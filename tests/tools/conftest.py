"""Where programs publish that a tool is to look at, and how cleanstats is run in this process."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

import filebuilder as fb
import programs
from departed import Program
from mmstats.tools import cleanstats, ends, slurpstats


@pytest.fixture(params=programs.twins())
def twin(request):
    """The name of the twin that the test's programs publish with."""
    return request.param


@pytest.fixture
def stats_dir(monkeypatch):
    """Where this test's programs publish, and where cleanstats looks."""
    for name in ("MMSTATS_GLOB", "MMSTATS_FILES"):
        monkeypatch.delenv(name, raising=False)
    directory = Path(tempfile.mkdtemp(prefix="mmstats-test-", dir="/dev/shm"))
    monkeypatch.setenv("MMSTATS_PATH", str(directory))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def clean(capsys, monkeypatch):
    """Runs cleanstats in this process, whose signals stay as they were; (exit code, stdout, stderr)."""
    monkeypatch.setattr(ends, "_die_of_sigpipe", lambda: None)
    monkeypatch.setattr(ends.gc, "disable", lambda: None)

    def run(*words):
        code = cleanstats.main(list(map(str, words)))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def program(twin, stats_dir):
    """Starts programs; ends what is left of them."""
    started = []

    def start(script="", directory=stats_dir, **options):
        started.append(Program(twin, directory, script, **options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


@pytest.fixture
def quiet_world(tmp_path, monkeypatch):
    """No settings but this test's own; signals and the collector stay as they were."""
    for name in ("MMSTATS_GLOB", "MMSTATS_FILES", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MMSTATS_PATH", str(tmp_path / "stats"))
    monkeypatch.setattr(ends, "_die_of_sigpipe", lambda: None)
    monkeypatch.setattr(ends.gc, "disable", lambda: None)
    (tmp_path / "stats").mkdir(mode=0o700)


@pytest.fixture
def stats(tmp_path):
    """Writes a file of one process and gives its path; unless told, of one that lives."""

    def write(*rows, name="a", **header):
        data = fb.whole(*fb.fields(*rows), **{**fb.ELSEWHERE, **header})
        return fb.write_held(tmp_path / "stats" / f"{name}.mmstats", data)

    return write


@pytest.fixture
def slurp(capsys):
    """Runs the tool in this process; (exit code, stdout, stderr)."""

    def run(*words):
        code = slurpstats.main(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return run
