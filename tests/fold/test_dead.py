"""Which files are folded, and why each other one stays as it is."""

from __future__ import annotations

import os
import shutil

import pytest

import filebuilder as fb
from mmstats.fold import dead as room
from mmstats.fold.dead import Damaged, Dead, Kept
from mmstats.format import layout
from mmstats.format.runs import Schema
from mmstats.host import locks
from mmstats.host.liveness import Judge

FIVE = ("n", "counter", fb.U64, 5)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files of another user")


@pytest.fixture
def look(directory):
    """Opens the file; closes it behind the test."""
    opened = []

    def look(name="a.mmstats"):
        one = Dead(directory, name, Judge())
        opened.append(one)
        return one

    yield look
    for one in opened:
        one.close()


def test_a_dead_one_is_open_and_held(dead, look, place):
    uuid = dead("a", FIVE)
    one = look()
    assert (one.header.uuid, one.ino) == (uuid, (place / "a.mmstats").stat().st_ino)
    with open(place / "a.mmstats", "rb") as other:
        assert locks.held(other.fileno(), layout.LOCK_FOLDER)
    data, decoded = one.decoded(Schema())
    assert (len(data), decoded.problems) == (one.size, [])


def kept(look, name="a.mmstats"):
    with pytest.raises(Kept) as caught:
        look(name)
    return str(caught.value), caught.value.busy


def test_a_living_one_stays(dead, look, place):
    dead("a", FIVE)
    with open(place / "a.mmstats", "r+b") as writer:
        assert locks.hold(writer.fileno(), layout.LOCK_WRITER)
        assert kept(look) == ("alive", False)


def test_one_that_cannot_be_judged_stays(dead, look, monkeypatch):
    dead("a", FIVE)
    monkeypatch.setattr("mmstats.host.liveness._held", lambda _: None)
    assert kept(look) == ("unknown", False)


def test_a_copy_stays(dead, look, place):
    dead("a", FIVE)
    shutil.copy(place / "a.mmstats", place / "b.mmstats")
    assert kept(look, "b.mmstats")[0].startswith("a copy: inode ")


def test_a_persistent_one_stays(dead, look):
    dead("a", FIVE, compat_flags=layout.COMPAT_FLAG_PERSISTENT)
    assert kept(look)[0].startswith("persistent")


def test_retired_totals_stay(dead, look):
    dead("a", state=layout.STATE_RETIRED)
    assert kept(look) == ("retired", False)


@needs_root
def test_somebody_elses_stays(dead, look, place):
    dead("a", FIVE)
    os.chown(place / "a.mmstats", 65534, -1)
    assert kept(look)[0] == f"owned by uid 65534, its directory by uid {os.geteuid()}"


def test_what_is_no_file_of_ours_stays(look, place):
    (place / "a.mmstats").write_text("SQLite format 3\0")
    assert "not an mmstats file" in kept(look)[0]
    os.mkfifo(place / "b.mmstats")
    assert kept(look, "b.mmstats")[0].startswith("not a regular file")


def test_one_that_is_too_large_stays(look, place):
    with open(place / "a.mmstats", "wb") as file:
        file.truncate(room.MAX_SIZE + 1)
    assert kept(look)[0].endswith(f"at most {room.MAX_SIZE} are read")


def test_one_that_grows_too_large_while_it_is_read_stays(dead, look, monkeypatch):
    dead("a", FIVE)
    one = look()
    monkeypatch.setattr(room, "MAX_SIZE", 100)
    with pytest.raises(Kept, match="more than 100 bytes"):
        one.decoded(Schema())


def test_one_that_somebody_else_takes_over_stays(dead, look, place):
    dead("a", FIVE)
    with open(place / "a.mmstats", "r+b") as other:
        assert locks.hold(other.fileno(), layout.LOCK_FOLDER)
        assert kept(look) == ("somebody else takes it over", True)


def test_one_whose_name_was_given_away_stays(dead, look, place, monkeypatch):
    dead("a", FIVE)
    hold = locks.hold

    def renamed(fd, byte):
        os.rename(place / "a.mmstats", place / "b.mmstats")
        return hold(fd, byte)

    monkeypatch.setattr(locks, "hold", renamed)
    assert kept(look) == ("its name leads to another file by now", True)


def test_damage_of_the_header(dead, look, place):
    """Damaged if nobody holds it; else its writer may be the newer one."""
    dead("a", FIVE, header_size=8)
    with pytest.raises(Damaged, match="header_size"):
        look()
    with open(place / "a.mmstats", "r+b") as writer:
        assert locks.hold(writer.fileno(), layout.LOCK_WITNESS)
        assert kept(look)[0].startswith("damaged, and in use")


def test_damage_behind_the_header(dead, look):
    dead("a", FIVE, ("n", "counter", fb.U64, 6))
    with pytest.raises(Damaged, match="a second metric"):
        look().decoded(Schema())


def test_a_header_that_is_cut_off_after_all(dead, look, place):
    dead("a", FIVE)
    one = look()
    os.truncate(place / "a.mmstats", 100)
    with pytest.raises(Damaged):
        one.decoded(Schema())


def test_what_is_not_there_is_an_error_of_the_machine(look):
    with pytest.raises(FileNotFoundError):
        look()
