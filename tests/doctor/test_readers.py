"""Where readers look, in which order, and why a place is passed over."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.main  # asking takes a process each time, and says the same on every Python

UNSEEN = (
    "- /dev/shm/mmstats-0 1 file, which nobody reads while MMSTATS_PATH names another place "
    "→ look there: python -m mmstats doctor /dev/shm/mmstats-0"
)
READERS = "Where readers look"


def said(answer):
    """The section, a line for each place."""
    lines = []
    for line in answer.lines(READERS):
        if line[2:6].strip():
            lines.append("")
        lines[-1] += " " + line.strip()
    return [" ".join(line.split()) for line in lines]


def test_the_list_in_its_order(world, publishing):
    publishing()
    assert said(world.doctor()) == [
        "ok /dev/shm/mmstats-0 1 file",
        "- $XDG_RUNTIME_DIR/mmstats passed over: XDG_RUNTIME_DIR is not set",
        f"- {world.tmp}/mmstats-0 not there: nobody has published there yet",
        f"ok {world.tmp} 0 files; mmstats 0.8 wrote there",
    ]


PASSED = {
    "theirs": "it is owned by uid 12345; expected root (uid 0)",
    "link": "it is a link of root (uid 0); expected a directory",
    "open": "it is writable by others (mode 0777, owner root (uid 0))",
    "file": "it is no directory; owner root (uid 0)",
}


@pytest.mark.parametrize("how", PASSED)
def test_a_place_that_cannot_be_trusted(world, how):
    planted = world.shm / "mmstats-0"
    if how == "link":
        planted.symlink_to(world.tmp)
    elif how == "file":
        planted.touch()
    else:
        planted.mkdir()
        planted.chmod(0o777 if how == "open" else 0o700)
    if how == "theirs":
        os.chown(planted, 12345, -1)
    first = said(world.doctor())[0]
    assert first == (
        f"! /dev/shm/mmstats-0 passed over: {PASSED[how]} "
        "→ no file in it is read; remove it or give it back, if it is yours to say"
    )


def test_root_looks_into_everybodys_and_names_them(world):
    for uid, mode in ((33, 0o700), (34, 0o777)):
        (world.shm / f"mmstats-{uid}").mkdir()
        (world.shm / f"mmstats-{uid}").chmod(mode)
        os.chown(world.shm / f"mmstats-{uid}", uid, -1)
    found = said(world.doctor())
    assert "ok /dev/shm/mmstats-33 0 files, those of www-data (uid 33)" in found
    assert (
        "- /dev/shm/mmstats-34 passed over: it is writable by others (mode 0777, owner backup (uid 34))"
        in found
    )


def test_another_user_is_told_whose_files_are_there(world, publishing):
    publishing()
    found = said(world.doctor(user=65534))
    assert found[-1] == (
        "- /dev/shm/mmstats-0 root (uid 0) publishes there, and you do not look there "
        "→ as root, or as that user: sudo -u '#0' python -m mmstats doctor"
    )
    assert (
        f"ok {world.tmp} 0 files, those of root (uid 0) and nobody (uid 65534); mmstats 0.8 wrote there"
        in found
    )


def test_files_in_the_usual_place_while_a_variable_names_another_one(world, publishing):
    """The number that is missing most often: the shell has a variable that the server has not."""
    publishing()
    answer = world.doctor(MMSTATS_PATH=str(world.tmp / "elsewhere"))
    assert said(answer) == [
        f"- {world.tmp}/elsewhere not there: nobody has published there yet",
        UNSEEN,
    ]
    assert "MMSTATS_GLOB names another place" in " ".join(said(world.doctor(MMSTATS_GLOB="/x/*")))


def test_a_shared_place_and_those_below_it(world):
    world.env["MMSTATS_PATH"] = str(world.tmp)
    program = world.program("Model().count.incr(); print(flush=True); input()")
    program.stdout.readline()
    assert said(world.doctor()) == [
        f"ok {world.tmp} 0 files; mmstats 0.8 wrote there",
        f"ok {world.tmp}/mmstats-0 1 file",
    ]
    program.communicate("\n")


def test_totals_belong_to_a_place_whatever_files_are_called(world):
    world.env["MMSTATS_FILES"] = "{CMD}-{PID}.stats"
    world.program("Model().count.incr()").communicate()
    assert said(world.doctor())[0] == "ok /dev/shm/mmstats-0/*-*.stats 1 file"


def test_a_directory_that_may_not_be_listed(world):
    closed = world.directory / "closed"
    closed.mkdir(mode=0o700)
    found = said(world.doctor(MMSTATS_PATH=str(closed), user=65534))
    assert found == [f"! {closed} passed over: Permission denied"]


def test_files_that_are_named(world, publishing):
    _, path, _ = publishing()
    assert said(world.doctor(path, "/nowhere")) == [
        f"ok as named {path}, /nowhere: 2 files; no other place is looked at"
    ]
