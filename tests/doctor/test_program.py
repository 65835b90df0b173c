"""What runs here: the twin and why, and each variable of the environment that is ours."""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib.machinery import EXTENSION_SUFFIXES

import pytest

import mmstats
import programs
from mmstats.doctor import program

pytestmark = pytest.mark.main  # asking takes a process each time, and says the same on every Python


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("MMSTATS_")]:
        monkeypatch.delenv(name)


def cells(world, **more):
    answer = world.doctor(**more)
    found = answer.lines("What runs here")
    at = next(number for number, line in enumerate(found) if line[6:].startswith("cells"))
    return answer.code, " ".join(" ".join(found[at:]).split())


def test_versions_and_who_asks(world):
    first, second, *_ = world.doctor().lines("What runs here")
    assert f"ok  mmstats  {mmstats.__version__}, " in first
    assert ".".join(map(str, sys.version_info[:3])) in first
    assert second.startswith(
        f"  ok  run by   root (uid 0) on {os.uname().nodename}, Linux {os.uname().release}"
    )


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("", "ok cells native: it is there, and the faster one"),
        ("native", "ok cells native: MMSTATS_CELLS=native says so"),
        ("pure", "ok cells pure: MMSTATS_CELLS=pure says so; the native one could be loaded"),
    ],
)
def test_the_twin_and_why(world, wanted, text):
    assert cells(world, MMSTATS_CELLS=wanted) == (0, text)


MISSING = "No module named 'mmstats.cells._native'"


@pytest.fixture
def without_native(world):
    """The sources, as they are installed where nothing could be compiled."""
    shutil.copytree(
        programs.ROOT / "src/mmstats",
        world.directory / "src/mmstats",
        ignore=shutil.ignore_patterns("*.so", "__py*"),
    )
    world.env["PYTHONPATH"] = str(world.directory / "src")
    return world


def test_no_native_twin(without_native):
    code, text = cells(without_native)
    assert code == 0
    assert text.startswith(f"- cells pure: the native twin cannot be loaded: {MISSING}")
    assert text.endswith(
        "→ all works, and an update costs several times as much; a C compiler and pip install build it"
    )
    assert cells(without_native, MMSTATS_CELLS="pure")[1].endswith("says so; the native one cannot be loaded")


def test_a_native_twin_that_is_forced_and_missing(without_native):
    """The doctor goes on where the program would not."""
    code, text = cells(without_native, MMSTATS_CELLS="native")
    assert code == 1
    assert text.startswith(f"! cells MMSTATS_CELLS=native, but the native twin cannot be loaded: {MISSING}")
    assert "; a program that imports mmstats stops here → unset MMSTATS_CELLS" in text
    assert "ok  /dev/shm/mmstats-0" in without_native.doctor(MMSTATS_CELLS="native").text


def test_a_native_twin_that_is_broken(without_native):
    (without_native.directory / "src/mmstats/cells" / f"_native{EXTENSION_SUFFIXES[0]}").write_bytes(
        b"\x7fELF"
    )
    assert "cannot be loaded: " in cells(without_native)[1]
    assert "file too short" in cells(without_native)[1]


# --- variables -------------------------------------------------------------------------------------

NAMES = "writers publish there and nowhere else, and readers look there"
MATCHES = "readers look at what it matches and nowhere else; writers do not ask it"
CALLED = "the name of files; readers take those that are called so"
RELATIVE = "; it is relative: another place in each working directory"
WORDS = "{CMD} {PID} {TID} {ID} {UID} {CLASS}"


@pytest.mark.parametrize(
    ("name", "value", "mark", "text"),
    [
        ("PATH", "/run/app", "ok", NAMES),
        ("PATH", "app", "wrong", NAMES + RELATIVE),
        ("PATH", "/x/{WHAT}", "wrong", f"template '/x/{{WHAT}}': 'WHAT' is no word; there are {WORDS}"),
        ("PATH", "", "note", "empty, which is as if it were not set"),
        ("FILES", "{CMD}.stats", "ok", CALLED),
        ("FILES", "a/{CMD}", "ok", CALLED + "; the directory in it is left out: MMSTATS_PATH names that"),
        ("GLOB", "/x/*", "ok", MATCHES),
        ("GLOB", "*.mmstats", "wrong", MATCHES + RELATIVE),
        ("GROUP", "shop", "ok", "the group of all that is published here"),
        ("GROUP", "x" * 65, "wrong", f"group has 65 bytes, at most 64 fit: '{'x' * 40}'…"),
        ("MODE", "0600", "ok", "files of mode 0600: their owner writes, nobody else reads them"),
        ("MODE", "0640", "ok", "files of mode 0640: their owner writes, their group reads them"),
        ("MODE", "0644", "ok", "files of mode 0644: their owner writes, everybody reads them"),
        ("MODE", "rw", "wrong", "expected an octal mode, as 0640"),
        ("CELLS", "pure", "ok", "counts with the pure twin or not at all"),
        ("CELLS", "fast", "wrong", "expected native or pure; a program that imports mmstats stops there"),
        ("DISABLE", "1", "wrong", "what is counted stays in private memory, and no reader sees it"),
        ("DISABLE", "0", "note", "as if it were not set"),
        ("PAHT", "/x", "wrong", "nothing reads it"),
        ("COLOUR", "blue", "note", "nothing reads it"),
        ("X", "", "note", "nothing reads it"),
    ],
)  # fmt: skip
def test_what_a_variable_does(monkeypatch, name, value, mark, text):
    monkeypatch.setenv(f"MMSTATS_{name}", value)
    (finding,) = program.environment()
    assert (finding.mark, finding.name, finding.text) == (mark, f"MMSTATS_{name}={value}", text)
    assert finding.facts == {"variable": f"MMSTATS_{name}", "value": value}


def test_a_misspelt_variable_is_one_that_was_meant(monkeypatch):
    monkeypatch.setenv("MMSTATS_PAHT", "/x")
    (finding,) = program.environment()
    assert finding.hint == "did you mean MMSTATS_PATH?"


def test_every_variable_that_the_code_reads_is_explained():
    source = "".join(path.read_text() for path in (programs.ROOT / "src").rglob("*.py"))
    assert set(re.findall(r"MMSTATS_[A-Z]+\b", source)) == set(program.VARIABLES)
