"""Retired totals on their way from the old file to the new one."""

from __future__ import annotations

import os

import pytest

import filebuilder as fb
from mmstats import combined
from mmstats.errors import FormatError
from mmstats.fold import ledger as room
from mmstats.fold.folder import Folder
from mmstats.fold.ledger import Ledger
from mmstats.format import layout
from mmstats.host.directory import Directory

RETIRED = "app-retired.mmstats"
FIVE = ("n", "counter", fb.U64, 5)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files of another user")


def names(place):
    return sorted(path.name for path in place.iterdir())


# --- names of files that were folded -----------------------------------------------------------------


def test_a_name_is_kept_for_a_minute_after_a_folder_missed_its_file(dead, fold, entries, clock):
    first = dead("a", FIVE)
    fold()
    gone, ino = entries()[first]
    assert (gone, ino > 0) == (0, True), "the inode of the file that was folded"
    clock.now += 100
    second = dead("b", FIVE)
    fold()
    assert entries()[first] == (clock.now * 10**9, ino), "gone since some moment before now"
    for later, kept in ((59, True), (1, False)):
        clock.now += later
        dead(f"c{later}", FIVE)
        fold()
        assert (first in entries()) is kept
    assert second in entries(), "its file was missed later"


def test_a_name_is_kept_as_long_as_its_file_is_there(dead, fold, entries, clock, place, monkeypatch):
    """A folder that was killed before it removed the file, however long ago."""
    first = dead("a", FIVE)
    with monkeypatch.context() as killed:
        killed.setattr(Folder, "_remove", lambda *_: None)
        fold()
    clock.now += 10_000
    dead("b", FIVE)
    fold("b.mmstats")
    assert entries()[first][1] == (place / "a.mmstats").stat().st_ino
    assert combined(place).value("n") == 10


def test_names_do_not_stay_because_an_inode_is_given_again(dead, fold, entries, clock, monkeypatch):
    """On a disk each new file may have the inode of the one that went before."""
    monkeypatch.setattr(Directory, "inodes", lambda _: {1})
    monkeypatch.setattr(Ledger, "enter", with_inode_1)
    uuids = []
    for number in range(10):
        clock.now += 20
        uuids.append(dead(f"{number}", FIVE))
        fold()
    assert list(entries()) == uuids[:-5:-1], "the last, and three that were missed in the last minute"
    gone = [time // 10**9 and clock.now - time // 10**9 for time, _ in entries().values()]
    assert gone == [0, 0, 20, 40], "the last is there, the one before it was missed now"


def with_inode_1(ledger, one, enter=Ledger.enter):
    one.ino = 1
    enter(ledger, one)


def test_a_file_that_is_named_is_only_removed(dead, fold, entries, clock, place, monkeypatch):
    uuid = dead("a", FIVE)
    with monkeypatch.context() as killed:
        killed.setattr(Folder, "_remove", lambda *_: None)
        fold()
    clock.now += 10_000
    assert fold() == {"a": ("removed", "")}
    assert entries()[uuid][0] == 0
    assert (names(place), combined(place).value("n")) == ([".fold", RETIRED], 5)


def test_there_are_only_so_many_names(dead, fold, place, monkeypatch):
    """Who cannot be named is not folded."""
    monkeypatch.setattr(room, "MAX_FOLDED", 1)
    dead("a", FIVE)
    assert fold()["a"][0] == "folded"
    dead("b", FIVE)
    what, reason = fold()["b"]
    assert (what, "2 files were folded within a minute, 1 can be" in reason) == ("failed", True)
    assert combined(place).value("n") == 10


# --- a file that is not to be overwritten ------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"something else", "not an mmstats file"),
        (b"", "an empty file"),
        (fb.whole(*fb.fields(FIVE)), "retired totals of 'app'"),
        (fb.whole(state=layout.STATE_RETIRED, group="other"), "retired totals of 'app'"),
        (fb.whole(fb.metric("n"), fb.cells(0, [5]), state=layout.STATE_RETIRED), "without damage"),
        (fb.whole(*fb.fields(("h", 77, fb.U64, 0)), state=layout.STATE_RETIRED), "without damage"),
    ],
    ids=["foreign", "empty", "a writer's", "another group's", "damaged", "a newer one's"],
)
def test_a_foreign_or_damaged_file_in_its_place_is_left_alone(dead, fold, place, data, reason):
    (place / RETIRED).write_bytes(data)
    dead("a", FIVE)
    what, said = fold()["a"]
    assert (what, reason in said) == ("failed", True), said
    assert (place / RETIRED).read_bytes() == data
    assert (place / "a.mmstats").exists()


@pytest.mark.parametrize("make", [os.mkdir, lambda path: os.symlink("elsewhere", path), os.mkfifo])
def test_what_is_no_file_in_its_place_is_left_alone(dead, fold, place, make):
    make(place / RETIRED)
    dead("a", FIVE)
    assert fold()["a"][0] == "failed"
    assert sorted(names(place)) == [".fold", "a.mmstats", RETIRED]


def test_what_was_left_unfinished_is_made_anew(dead, fold, place):
    (place / room.TEMPORARY).write_bytes(b"half of it")
    dead("a", FIVE)
    fold()
    assert (names(place), combined(place).value("n")) == ([".fold", RETIRED], 5)


def test_a_commit_that_fails_leaves_the_totals_as_they_were(dead, fold, place, monkeypatch):
    dead("a", FIVE)
    fold()
    before = (place / RETIRED).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room.os, "write", full)
    dead("b", FIVE)
    assert fold() == {"b": ("failed", "app: its retired totals: No space left on device")}
    assert (place / RETIRED).read_bytes() == before
    assert names(place) == [".fold", RETIRED, "b.mmstats"]


def test_a_write_that_comes_in_pieces(dead, fold, place, monkeypatch):
    write = os.write
    monkeypatch.setattr(room.os, "write", lambda fd, data: write(fd, data[:100]))
    dead("a", FIVE)
    fold()
    assert combined(place).value("n") == 5


# --- who may read it ---------------------------------------------------------------------------------


def test_it_may_be_read_by_whoever_may_read_a_file_that_is_in_it(dead, fold, place):
    for name, mode, then in (
        ("a", 0o600, 0o600),
        ("b", 0o640, 0o640),
        ("c", 0o600, 0o640),
        ("d", 0o666, 0o644),
    ):
        dead(name, FIVE)
        (place / f"{name}.mmstats").chmod(mode)
        fold()
        assert (place / RETIRED).stat().st_mode & 0o777 == then


@needs_root
def test_what_root_folds_belongs_to_the_user(dead, fold, place):
    dead("a", FIVE)
    for path in (place, place / "a.mmstats"):
        os.chown(path, 65534, 1234)
    assert fold() == {"a": ("folded", "")}
    for name in (".fold", RETIRED):
        assert (place / name).stat().st_uid == 65534
    assert (place / RETIRED).stat().st_gid == 1234


@needs_root
def test_a_user_folds_without_giving_anything_away(dead, fold, place, monkeypatch):
    dead("a", FIVE)
    for path in (place, place / "a.mmstats"):
        os.chown(path, 65534, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    monkeypatch.setattr(os, "fchown", None)
    assert fold() == {"a": ("folded", "")}


# --- changing it -------------------------------------------------------------------------------------


def test_totals_are_changed_by_whoever_holds_the_lock(dead, fold, place, entries):
    uuid = dead("a", FIVE, ("m", "counter", fb.U64, 7))
    fold()
    with Folder(str(place)) as folder:
        folder.change("app", lambda totals: totals.forget(lambda total: total.about.label == "n"))
    whole = combined(place)
    assert ([stat.label for stat in whole.stats], whole.value("m")) == (["m"], 7)
    assert uuid in entries()


def test_a_change_of_what_cannot_be_read_raises(place):
    (place / RETIRED).write_bytes(b"x" * 600)
    with Folder(str(place)) as folder, pytest.raises(FormatError):
        folder.change("app", lambda totals: None)


def test_each_commit_is_another_layout_and_the_same_uuid(dead, fold, place):
    generations = []
    for name in "abc":
        dead(name, FIVE)
        fold()
        data = (place / RETIRED).read_bytes()
        generations.append(int.from_bytes(data[layout.HEADER_LAYOUT_GEN :][:8], "little"))
        uuid = data[layout.HEADER_UUID :][:16]
    assert generations == [1, 2, 3]
    assert uuid == (place / RETIRED).read_bytes()[layout.HEADER_UUID :][:16] != bytes(16)


def test_a_group_without_totals_begins_with_none(directory):
    ledger = Ledger(directory, "app")
    assert (list(ledger.totals), ledger.has_news, ledger.had(bytes(16))) == ([], False, False)
