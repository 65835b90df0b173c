"""What is built: an sdist, a wheel of it with a compiler and without, and what comes of installing that."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.main, pytest.mark.slow]
ROOT = Path(__file__).resolve().parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "*.so", "dist", "node_modules")
SCRIPTS = ("slurpstats", "pollstats", "cleanstats", "mmash")
SHARED = [
    *(f"share/man/man1/{name}.1" for name in SCRIPTS),
    *(f"share/bash-completion/completions/{name}" for name in SCRIPTS),
    *(f"share/zsh/site-functions/_{name}" for name in SCRIPTS),
    *(f"share/fish/vendor_completions.d/{name}.fish" for name in SCRIPTS),
    *(f"share/mmstats/{name}.{end}" for name in SCRIPTS for end in ("csh", "ps1")),
]


def run(*words, env=None, check=True, **more):
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("MMSTATS_", "PYTHON"))}
    told = {**ours, **(env or {})}
    done = subprocess.run(words, env=told, capture_output=True, text=True, timeout=240, check=False, **more)
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The sdist of this tree, unpacked."""
    place = tmp_path_factory.mktemp("sdist")
    shutil.copytree(ROOT, place / "tree", ignore=LEFT_OUT)
    run(sys.executable, "setup.py", "-q", "sdist", "-d", place / "dist", cwd=place / "tree")
    (archive,) = (place / "dist").iterdir()
    with tarfile.open(archive) as tar:
        tar.extractall(place / "out", **({"filter": "data"} if sys.version_info >= (3, 12) else {}))
    (unpacked,) = (place / "out").iterdir()
    return unpacked


def wheel(sdist, tmp_path_factory, name, **env):
    place = tmp_path_factory.mktemp(name)
    shutil.copytree(sdist, place / "tree")
    words = [
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
        "-w",
        place / "dist",
        ".",
    ]
    run(sys.executable, *words, cwd=place / "tree", env=env)
    (made,) = (place / "dist").iterdir()
    return made


@pytest.fixture(scope="module")
def npm(tmp_path_factory):
    """One that does nothing but note that it was called, in the directory that is given."""
    place = tmp_path_factory.mktemp("npm")
    (place / "npm").write_text(f"#!/bin/sh\necho called >>{place}/called\nexit 1\n")
    (place / "npm").chmod(0o755)
    return place


@pytest.fixture(scope="module")
def with_compiler(sdist, tmp_path_factory, npm):
    return wheel(sdist, tmp_path_factory, "with", PATH=f"{npm}:{os.environ['PATH']}")


@pytest.fixture(scope="module")
def without_compiler(sdist, tmp_path_factory):
    return wheel(sdist, tmp_path_factory, "without", CC="/bin/false")


def installed(made, place):
    """A fresh venv that has the wheel and nothing else; the directory of its programs."""
    venv.create(place, with_pip=False)
    words = ["-m", "pip", "--python", place, "install", "-q", "--no-index", "--no-deps", made]
    run(sys.executable, *words)
    return place / "bin"


def test_an_sdist_has_what_builds_and_tests_it(sdist):
    for name in (
        "c/threads.c",
        "src/mmstats/cells/_native.c",
        "tests/conftest.py",
        "spec/FORMAT.md",
        "Makefile",
    ):
        assert (sdist / name).is_file(), name
    assert not list(sdist.rglob("*.so"))


def test_a_wheel_has_twins_types_and_what_shells_want(with_compiler):
    with zipfile.ZipFile(with_compiler) as archive:
        names = archive.namelist()
        pages = {name: archive.read(name).decode() for name in names if "/data/share/" in name}
    inside = {name.partition(".data/data/")[2] for name in names}
    assert [name for name in SHARED if name not in inside] == []
    assert {"mmstats/py.typed", "mmstats/cells/_native.pyi"} <= set(names)
    assert sum("_native." in name and name.endswith(".so") for name in names) == 2
    assert not any(name.startswith("tests/") or name.endswith((".c", ".h")) for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any("--until" in text for name, text in pages.items() if name.endswith("pollstats.1"))
    assert any("--check" in text for name, text in pages.items() if name.endswith("completions/slurpstats"))


def test_the_page_of_mmash_is_in_it_and_no_npm_was_asked(with_compiler, npm, sdist):
    """What is built once, for the sdist, is built for every wheel."""
    page = ROOT / "src/mmstats/tools/mmash"
    if not ((page / "page/node_modules").exists() or (page / "static/app.js").exists()):
        pytest.skip("not on a machine whose npm reaches no registry: the page is not built")
    assert (sdist / "src/mmstats/tools/mmash/page/package-lock.json").is_file()
    assert not (sdist / "src/mmstats/tools/mmash/page/node_modules").exists()
    assert not (npm / "called").exists()
    with zipfile.ZipFile(with_compiler) as archive:
        names = {name for name in archive.namelist() if name.startswith("mmstats/tools/mmash/static/")}
        page = archive.read("mmstats/tools/mmash/static/app.js")
        licences = archive.read("mmstats/tools/mmash/static/app.LICENSES.txt").decode()
    assert {name.rpartition("/")[2] for name in names} >= {"app.js", "app.css", "mmash.css", "icon.svg"}
    assert not any(name.endswith((".ts", ".tsx")) for name in names)
    assert len(page) > 10_000
    assert licences.count("MIT") >= 2


def test_man_pages_are_clean(with_compiler, tmp_path):
    if shutil.which("mandoc") is None:
        pytest.skip("needs mandoc")
    with zipfile.ZipFile(with_compiler) as archive:
        pages = [name for name in archive.namelist() if "/man1/" in name]
        archive.extractall(tmp_path, pages)
    done = run("mandoc", "-Tlint", "-Wwarning", *(tmp_path / name for name in pages), check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert len(pages) == len(SCRIPTS)


def test_installed_with_a_compiler(with_compiler, tmp_path):
    programs = installed(with_compiler, tmp_path / "venv")
    code = "import mmstats; print(mmstats.CELLS, mmstats.CELLS.reason, sep=': ')"
    said = run(programs / "python", "-c", code, env={"MMSTATS_CELLS": "native"}).stdout
    assert said == "native: MMSTATS_CELLS=native says so\n"
    for name in SCRIPTS:
        assert run(programs / name, "--version").stdout.startswith(name)


def test_installed_without_a_compiler(without_compiler, tmp_path):
    """All works, in pure Python, and it says why; who demands the native twin is told what to do."""
    programs = installed(without_compiler, tmp_path / "venv")
    code = "import mmstats; print(mmstats.CELLS, mmstats.CELLS.reason, sep=': ')"
    said = run(programs / "python", "-c", code).stdout
    assert said.startswith("pure: the native twin cannot be loaded: ")
    code = """
import mmstats
class Stats(mmstats.MmStats):
    hits = mmstats.CounterField()
stats = Stats()
stats.hits.incr(5)
print(mmstats.combined().value("hits"))
"""
    (tmp_path / "stats").mkdir(mode=0o700)
    place = {"MMSTATS_PATH": str(tmp_path / "stats")}
    assert run(programs / "python", "-c", code, env=place).stdout == "5\n"
    done = run(programs / "python", "-c", code, check=False, env={**place, "MMSTATS_CELLS": "native"})
    assert done.returncode == 1
    assert "MMSTATS_CELLS=native" in done.stderr.splitlines()[-1]
