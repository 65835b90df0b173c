"""Where a writer started here would publish: as writers find it, tried, and nothing is left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mmstats.doctor import writer as asked
from mmstats.host import places
from worlds import WRITER

pytestmark = pytest.mark.main  # tools are run by one Python

TRIED = "a file was made, locked, read back and removed"


def said(answer):
    return answer.sentences(WRITER)


def test_where_nobody_has_published_yet(world):
    answer = world.doctor()
    assert (answer.code, answer.error) == (0, "")
    tried, _, fast, _, safe = answer.lines(WRITER)
    assert tried == f"  ok  {world.own}  not there yet, and will be made; {TRIED[:-8]}"
    assert fast == "  ok  fast                in memory (tmpfs): no store waits for a disk"
    assert safe == "  ok  safe                mode 0700, owner root (uid 0); files get mode 0600"
    assert list(world.shm.iterdir()) == list(world.tmp.iterdir()) == []


def test_where_somebody_publishes(world, publishing):
    publishing()
    before = sorted(os.listdir(world.shm / "mmstats-0"))
    answer = world.doctor()
    assert answer.lines(WRITER)[0] == f"  ok  {world.own}  {TRIED}"
    assert sorted(os.listdir(world.shm / "mmstats-0")) == before


def a_squatted_one(world):
    world.squatted()


def a_link(world):
    (world.shm / "mmstats-0").symlink_to(world.tmp)


def a_regular_file(world):
    (world.shm / "mmstats-0").touch()


def one_for_all(world):
    (world.shm / "mmstats-0").mkdir()
    (world.shm / "mmstats-0").chmod(0o777)


REFUSED = {
    a_squatted_one: "is owned by uid 12345; expected root (uid 0)",
    a_link: "is a link of root (uid 0); expected a directory",
    a_regular_file: "is no directory; owner root (uid 0)",
    one_for_all: "is writable by others (mode 0777, owner root (uid 0))",
}


@pytest.mark.parametrize("plant", REFUSED, ids=lambda plant: plant.__name__)
def test_what_is_planted_in_its_place_is_passed_over_and_said(world, plant):
    """Writers go to the next place, which is a disk here: both are marked."""
    plant(world)
    answer = world.doctor()
    assert (answer.code, answer.error) == (1, "")
    assert f"! {world.own} {REFUSED[plant]}; passed over → remove it or give it back" in said(answer)
    assert f"ok {world.tmp}/mmstats-0 not there yet, and will be made; {TRIED}" in said(answer)
    assert "! fast on a disk (" in said(answer)
    assert "→ set MMSTATS_PATH to a tmpfs" in said(answer)
    assert list(world.tmp.iterdir()) == []


def test_a_machine_without_memory_for_all(world):
    """/dev/shm on a disk is no place; XDG_RUNTIME_DIR is the next."""
    runtime = world.made("run")
    world.before = f"mount --bind {world.directory} /dev/shm && mount -t tmpfs tmpfs {runtime}"
    found = said(world.doctor(XDG_RUNTIME_DIR=str(runtime)))
    assert found.startswith(
        f"- {world.own} passed over: /dev/shm is not in memory ok {runtime}/mmstats not there yet"
    )
    assert "fast in memory (tmpfs)" in found


NAMED = {
    "new": lambda world: world.shm / "a/b",
    "ours": lambda world: world.tmp.parent,
    "for all": lambda world: world.tmp,
    "templated": lambda world: world.shm / "{UID}/x",
}


@pytest.mark.parametrize("which", [*NAMED, "default", "squatted"])
def test_it_is_where_a_program_publishes(world, which):
    if which == "squatted":
        world.squatted()
    env = {"MMSTATS_PATH": str(NAMED[which](world))} if which in NAMED else {}
    answer = world.doctor("--json", **env)
    (directory,) = [
        one["directory"] for one in answer.found("writer") if one["mark"] == "ok" and "there" in one
    ]
    program = world.program("print(Model().filename)", **env)
    assert os.path.dirname(program.communicate()[0].strip()) == directory


def test_no_directory_of_an_application_is_ever_taken_away(world, monkeypatch):
    """What is not there yet is tried beside it: a program that starts meanwhile makes its own."""
    touched = []
    for name in ("mkdir", "rmdir"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda path, *rest, real=real: (touched.append(path), real(path, *rest))
        )
    monkeypatch.setenv("MMSTATS_PATH", str(world.shm / "a/b"))
    monkeypatch.delenv("MMSTATS_MODE", raising=False)
    directory, findings = asked.writer()
    assert (directory, findings[0].mark) == (str(world.shm / "a/b"), "ok")
    assert len(touched) == 2
    assert [path for path in touched if not Path(path).name.startswith(".new-")] == []


def test_candidates_are_what_writers_take(world, monkeypatch):
    """Each place of the list is told with what speaks against it; the rest is the writers' list."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    told = dict(places.candidates())
    assert told["relative/mmstats"] == "XDG_RUNTIME_DIR is no absolute path"
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/does/not/exist")
    assert (
        dict(places.candidates())["/does/not/exist/mmstats"] == "/does/not/exist: No such file or directory"
    )
