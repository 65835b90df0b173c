"""Each file that readers find: what it is, whether it counts, and why not."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

import filebuilder as fb
import programs
from mmstats.doctor import files
from mmstats.format import layout
from mmstats.read.files import Candidate
from worlds import shape

pytestmark = pytest.mark.main  # asking takes a process each time, and says the same on every Python

FILES = "Files"
TESTS = programs.ROOT / "tests"


def rows(answer):
    """The table, without its heads, pids, ids and ages."""
    return shape(answer.lines(FILES))[1:]


@pytest.fixture
def place(world):
    """The directory of our own, for files made by hand."""
    own = world.shm / "mmstats-0"
    own.mkdir(mode=0o700)
    return own


@pytest.fixture
def write(place):
    """Writes a file of a process that lives: in another container, and it is held."""

    def write(name="a", *, rows=(("hits", "counter", fb.U64, 42),), **header):
        given = {**fb.ELSEWHERE, "pid": 7, "cmd": "app", **header}
        return fb.write_held(place / f"{name}.mmstats", fb.whole(*fb.fields(*rows), **given))

    return write


@pytest.mark.parametrize("twin", programs.twins())
def test_a_program_that_lives_and_one_that_was_killed(world, publishing, twin):
    publishing(twin)
    dead, _, _ = publishing(twin)
    dead.kill()
    dead.wait()
    answer = world.doctor()
    assert answer.code == 0
    found = rows(answer)
    assert found[0] == "/dev/shm/mmstats-0/"
    assert sorted(found[1:3]) == [
        "ok all alive PID -c AGE 3 -c-PID-ID.mmstats",
        "ok part gone PID -c AGE 3 -c-PID-ID.mmstats",
    ]
    assert found[3].startswith("gone: the process has ended, and what survives that counts:")
    assert answer.text.endswith("All is well; 2 of 2 files counted.\n")


def test_there_is_none(world):
    answer = world.doctor()
    assert " ".join(" ".join(answer.lines(FILES)).split()) == (
        "none. Does the program run as this user, with these variables, in this container? "
        "If it could not publish, it has said so once, to the logger `mmstats`"
    )
    assert (answer.code, answer.text.splitlines()[-1]) == (0, "All is well; there is no file.")
    assert world.doctor("/x/*.none").lines(FILES) == ["      none"]


def a_copy(place):
    shutil.copy(place / "good.mmstats", place / "bad.mmstats")


def a_newer_version(place):
    (place / "bad.mmstats").write_bytes(layout.MAGIC + b"\x03\x00" + bytes(4096))


def a_flag_of_the_future(place):
    fb.write(place / "bad.mmstats", fb.whole(incompat_flags=4))


def a_text(place):
    (place / "bad.mmstats").write_text("hits 42\n")


def an_empty_file(place):
    (place / "bad.mmstats").touch()


def a_link(place):
    (place / "bad.mmstats").symlink_to("/etc/passwd")


def a_fifo(place):
    os.mkfifo(place / "bad.mmstats")


def a_stranger(place):
    fb.write(place / "bad.mmstats", fb.whole())
    os.chown(place / "bad.mmstats", 33, -1)


def a_tebibyte(place):
    (place / "bad.mmstats").touch()
    os.truncate(place / "bad.mmstats", 1 << 40)


NOT_COUNTED = {
    a_copy: "a copy: inode N, written as N",
    a_newer_version: "written by mmstats format 3, this reader knows 1 and 2",
    a_flag_of_the_future: "written with features this reader does not know (incompat_flags 0x4)",
    a_text: "not an mmstats file (begins with 68 69 74)",
    an_empty_file: "an empty file",
    a_link: "a link, and links are not followed",
    a_fifo: "not a regular file (mode prw-r--r--)",
    a_stranger: "owned by uid 33, which this place does not belong to",
    a_tebibyte: f"{1 << 40} bytes, at most {256 << 20} are read",
}


@pytest.mark.parametrize("make", NOT_COUNTED, ids=lambda make: make.__name__)
def test_a_file_that_is_not_counted_says_why(world, place, write, make):
    write("good")
    make(place)
    answer = world.doctor()
    assert rows(answer)[1:3] == ["! no - - - - - bad.mmstats", f"not counted: {NOT_COUNTED[make]}"]
    assert (answer.code, answer.text.splitlines()[-1]) == (1, "1 line marked ! above; 1 of 2 files counted.")


def test_a_damaged_file_counts_as_far_as_it_can_be_read(world, place, write):
    path = write(rows=(("one", "counter", fb.U64, 1), ("two", "counter", fb.U64, 2)))
    with open(path, "r+b") as file:
        file.seek(layout.HEADER_SIZE + layout.METRIC_STATE)
        file.write(b"\x09")
    answer = world.doctor()
    assert rows(answer)[1] == "! part alive PID app AGE 1 a.mmstats"
    assert answer.code == 1
    assert rows(answer)[2] == "damaged: offset=540: found state=9, expected 1 to 4"


def test_one_file_under_two_names_is_counted_once(world, write):
    path = write("first")
    os.link(path, path.replace("first", "second"))
    answer = world.doctor()
    assert rows(answer)[2:4] == [
        "- no - - - - - second.mmstats",
        "not counted: the same file as /dev/shm/mmstats-0/first.mmstats, which is counted once",
    ]
    assert answer.code == 0


def test_a_file_of_0_8(world, place):
    shutil.copy(TESTS / "data/v1/everything.mmstats", place / "old.mmstats")
    found = rows(world.doctor())
    assert found[1].startswith("ok part gone ")
    assert found[2] == "of mmstats 0.8 (format 1)"


def test_somebody_elses_file_where_anybody_may_put_one_is_no_fault_of_ours(world, place):
    fb.write(world.tmp / "theirs.mmstats", fb.whole())
    os.chown(world.tmp / "theirs.mmstats", 33, -1)
    answer = world.doctor(user=65534)
    assert rows(answer)[1:3] == [
        "- no - - - - - theirs.mmstats",
        "not counted: owned by uid 33, which this place does not belong to",
    ]
    assert answer.code == 0


def test_the_group_is_shown_where_it_is_not_the_command(world, write):
    write(group="app")
    write("b", group="shop")
    found = rows(world.doctor())
    assert [line.split()[-1] for line in found[1:4]] == ["a.mmstats", "b.mmstats", "shop"]
    assert found[3] == "group shop"


def test_a_file_of_another_container(world, publishing):
    """Two containers share the directory: each file names its host."""
    script = "import socket; socket.sethostname('container-b')\n"
    script += "stats = Model()\nstats.count.incr(3)\nprint(stats.filename, flush=True)\ninput()"
    under, world.under = world.under, lambda: ["unshare", "-u", *under()]
    publishing(script=script)
    world.under = under
    assert rows(world.doctor())[2] == "written on another host or in another container: container-b"


@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="needs /dev/fuse: a disk that two machines share")
def test_a_writer_that_nobody_can_judge(world, write):
    path = write(state=layout.STATE_LIVE, machine_id=b"m" * 16).replace(str(world.shm), "/dev/shm")
    answer = world.doctor(more_under=[sys.executable, TESTS / "elsewhere.py", path])
    assert rows(answer)[1].startswith("ok all unknown ")
    assert rows(answer)[2] == "counted like a living one: whether it lives cannot be known on fuse"


PERSISTENT = """
class Billing(mmstats.BaseMmStats):
    paid = mmstats.CounterField()
stats = Billing(filename='billing.mmstats', persistent=True)
stats.paid.incr()
print(stats.filename, flush=True)
"""


def test_a_persistent_file_and_what_it_took_over(world, publishing):
    """The file of before came back, as by a backup that was restored: its totals are not counted twice."""
    world.program(PERSISTENT).communicate()
    own = world.shm / "mmstats-0"
    os.link(own / "billing.mmstats", own / "before.mmstats")
    publishing(script=PERSISTENT + "input()")
    answer = world.doctor()
    assert rows(answer)[1:] == [
        "- no - - - - - before.mmstats",
        "not counted: its totals were taken over by another file, which has them",
        "ok all alive PID -c AGE 1 billing.mmstats",
        "has the totals of 1 file of earlier runs, not to be counted again; persistent: the next run",
        "goes on with it",
    ]
    assert answer.code == 0


def test_stats_of_a_model_that_was_removed(world, publishing):
    publishing(
        script="""
class Other(mmstats.BaseMmStats):
    gone = mmstats.CounterField(label='gone')
    away = mmstats.BoolField(label='away')
stats, other = Model(), Other()
other.gone.incr()
other.away = True
other.remove()
print(stats.filename, flush=True)
input()
"""
    )
    found = rows(world.doctor())
    assert found[1].startswith("ok all alive ")
    text = "also counted: 1 stat of removed models; 1 stat of removed models, which readers do not show"
    assert " ".join(found[2:]) == text
    (one,) = world.doctor("--json").found("files")
    assert (one["stats"], one["removed"]) == (3, 1)


def test_what_was_dropped_and_why(world, publishing):
    publishing(
        script="""
stats, other = Model(), Model(label_prefix='b.')
count = other.count
other.remove()
for _ in range(3):
    count.incr()
print(stats.filename, flush=True)
input()
"""
    )
    answer = world.doctor()
    (line,) = answer.lines("What could not be published")
    assert line.startswith("  !   removed  3 updates of a model after its remove() (-c ")
    assert answer.code == 1
    (found,) = world.doctor("--json").found("dropped")
    assert (found["reason"], found["count"]) == ("removed", 3)


def test_a_file_that_vanishes_meanwhile_needs_no_word(world, place, write, monkeypatch):
    write()
    gone = Candidate(str(place / "gone.mmstats"))
    monkeypatch.setattr(files.Finder, "files", lambda _: [gone])
    assert list(files.files([str(place)])) == []
