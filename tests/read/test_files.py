"""Paths, directories and globs become files, each once, in natural order."""

from __future__ import annotations

import os

import pytest

from mmstats.read.files import Finder, natural


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("MMSTATS_PATH", str(tmp_path / "default"))
    monkeypatch.delenv("MMSTATS_GLOB", raising=False)
    monkeypatch.delenv("MMSTATS_FILES", raising=False)
    for name in ("web-10-a", "web-9-b", "job-11-c", ".hidden"):
        (tmp_path / f"{name}.mmstats").touch()
    (tmp_path / "other.txt").touch()
    tmp_path.chmod(0o755)
    return tmp_path


def names(paths):
    finder = Finder(paths)
    found = [os.path.basename(one.path) for one in finder.files()]
    assert finder.problems == []
    return found


def test_a_directory_is_its_files_in_natural_order(place):
    assert names(str(place)) == ["job-11-c.mmstats", "web-9-b.mmstats", "web-10-a.mmstats"]


def test_a_path_object_and_several_paths(place):
    assert names([place / "web-10-a.mmstats", str(place)])[0] == "web-10-a.mmstats"
    assert len(names([place, str(place)])) == 3


def test_a_glob(place):
    assert names(f"{place}/web-*.mmstats") == ["web-9-b.mmstats", "web-10-a.mmstats"]
    assert names(f"{place}/.h*") == [".hidden.mmstats"]
    assert names(f"{place.parent}/{place.name[:-1]}?/w*b.mmstats") == ["web-9-b.mmstats"]
    assert names(f"{place}/../{place.name}/o*") == ["other.txt"]
    assert names(f"{place}/nothing/*.mmstats") == names(f"{place}/other.t?t/*") == []


def test_a_relative_glob(place, monkeypatch):
    monkeypatch.chdir(place)
    assert names("w*9-b.mmstats") == ["web-9-b.mmstats"]


def test_a_name_with_magic_in_it_that_is_there_is_that_file(place):
    (place / "a[1].mmstats").touch()
    assert names(f"{place}/a[1].mmstats") == ["a[1].mmstats"]


def test_a_named_file_is_a_candidate_even_if_it_is_missing(place):
    (candidate,) = Finder(f"{place}/missing").files()
    assert candidate.named


def test_the_default_places(place):
    assert names(None) == []
    (place / "default").mkdir(mode=0o700)
    (place / "default/x.mmstats").touch()
    assert names(None) == ["x.mmstats"]


def test_a_directory_that_cannot_be_listed_is_a_problem(place, monkeypatch):
    def denied(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", denied)
    finder = Finder(str(place))
    assert finder.files() == finder.retired() == []
    assert [str(problem) for problem in finder.problems] == [f"{place}: Permission denied; skipped"]


@pytest.mark.parametrize(
    "ordered",
    [
        ["a-2.mmstats", "a-10.mmstats"],
        ["worker2-1.mmstats", "worker10-1.mmstats"],
        ["a-1-x.mmstats", "a-1-y.mmstats"],
        ["a.mmstats", "b-1.mmstats"],
    ],
)
def test_natural_order(ordered):
    backwards = ordered[::-1]
    assert sorted(backwards, key=natural) == ordered
