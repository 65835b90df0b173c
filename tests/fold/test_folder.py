"""Dead writers' files, and what becomes of each."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import filebuilder as fb
from mmstats import combined
from mmstats.fold import folder as room
from mmstats.fold.folder import Folder, Result
from mmstats.format import layout
from mmstats.host import locks

FIVE = ("n", "counter", fb.U64, 5)


def names(place):
    return sorted(path.name for path in place.iterdir())


def test_several_dead_ones_at_once(dead, fold, place, monkeypatch):
    """One new file of totals for all of them."""
    renames = []
    rename = os.rename
    monkeypatch.setattr(os, "rename", lambda *names, **more: (renames.append(names), rename(*names, **more)))
    for name in "abc":
        dead(name, FIVE)
    assert fold() == dict.fromkeys("abc", ("folded", ""))
    assert (names(place), combined(place).value("n")) == ([".fold", "app-retired.mmstats"], 15)
    assert len(renames) == 1


def test_more_than_are_open_at_one_time(dead, fold, place, monkeypatch):
    monkeypatch.setattr(room, "BATCH", 2)
    for name in "abcde":
        dead(name, FIVE)
    assert {what for what, _ in fold().values()} == {"folded"}
    assert combined(place).value("n") == 25


def test_several_groups_in_one_directory(dead, fold, place):
    for name, group in ("a", "one"), ("b", "two"), ("c", "one"):
        dead(name, FIVE, group=group)
    fold()
    assert names(place) == [".fold", "one-retired.mmstats", "two-retired.mmstats"]
    assert [combined(place, group).value("n") for group in ("one", "two")] == [10, 5]


def test_one_that_left_nothing_is_only_removed(dead, fold, place):
    dead("a", ("b", "bool", fb.BOOL, True))
    assert fold() == {"a": ("folded", "")}
    assert names(place) == [".fold"]


def test_what_could_not_be_published_is_kept(dead, fold, place):
    dead("a", ("b", "bool", fb.BOOL, True), dropped=(7).to_bytes(8, "little"))
    fold()
    whole = combined(place)
    assert [(stat.label, stat.value) for stat in whole.stats] == [("mmstats.dropped", 7)]


def test_discarded_ones_are_in_no_total(dead, fold, place):
    dead("a", FIVE)
    assert fold(discard=True) == {"a": ("discarded", "")}
    assert names(place) == [".fold"]


def test_living_ones_and_those_that_are_not_there_stay(dead, fold, place):
    dead("a", FIVE)
    (place / "dir").mkdir()
    (place / "link").symlink_to("a.mmstats")
    with open(place / "a.mmstats", "r+b") as writer:
        assert locks.hold(writer.fileno(), layout.LOCK_WRITER)
        results = fold("a.mmstats", "none", "dir", "link")
    assert {name: what for name, (what, _) in results.items()} == dict.fromkeys(
        ("a", "none", "dir", "link"), "kept"
    )
    assert results["a"][1] == "alive"


def test_a_kind_of_a_newer_mmstats_stays(dead, fold, place):
    dead("a", FIVE, ("h", 77, fb.U64, 0))
    dead("b", FIVE)
    results = fold()
    assert results["a"] == (
        "kept",
        "kind 77 is not known to this reader; left out: a newer mmstats folds it",
    )
    assert results["b"][0] == "folded"
    assert "a.mmstats" in names(place)


def test_one_that_grows_beyond_reading_stays(dead, fold, monkeypatch):
    dead("a", FIVE)
    from mmstats.fold import dead as room_of_dead

    def too_large(*_):
        raise room_of_dead.Kept("too large")

    monkeypatch.setattr(room_of_dead.Dead, "decoded", too_large)
    assert fold()["a"][0] == "kept"


@pytest.mark.parametrize("given", [{"header_size": 8}, {}], ids=["in its header", "behind it"])
def test_one_with_damage_is_set_aside(dead, fold, place, given):
    rows = () if given else (("n", "counter", fb.U64, 6),)
    dead("a", FIVE, *rows, **given)
    dead("b", FIVE)
    results = fold()
    assert results["a"][0] == "aside"
    assert results["a"][1].endswith("it is a.mmstats.bad now")
    assert names(place) == [".fold", "a.mmstats.bad", "app-retired.mmstats"]
    assert combined(place).value("n") == 5


def test_one_that_cannot_be_set_aside_is_said(dead, fold, monkeypatch):
    dead("a", FIVE, header_size=8)

    def refused(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(room, "set_aside", refused)
    what, reason = fold()["a"]
    assert (what, reason.endswith("could not be set aside: Read-only file system")) == ("failed", True)


def test_one_that_cannot_be_opened_is_said(dead, fold, monkeypatch):
    dead("a", FIVE)

    def refused(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(room, "Dead", refused)
    assert fold() == {"a": ("failed", "Too many open files")}


def test_one_that_cannot_be_removed_counts_once(dead, fold, place, monkeypatch):
    dead("a", FIVE)

    def refused(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(room.Directory, "unlink", refused)
        what = fold()["a"]
    # The totals were not even begun: what was left unfinished could not be removed first.
    assert what[0] == "failed"
    unlink = room.Directory.unlink
    monkeypatch.setattr(
        room.Directory, "unlink", lambda self, name: refused() if name == "a.mmstats" else unlink(self, name)
    )
    assert fold() == {"a": ("failed", "could not be removed: Input/output error")}
    assert ("a.mmstats" in names(place), combined(place).value("n")) == (True, 5)


def test_one_whose_name_leads_elsewhere_by_then_is_not_removed(dead, fold, place, monkeypatch):
    dead("a", FIVE)
    dead("b", FIVE)
    remove = Folder._remove

    def renamed(self, those, what, results):
        os.replace(place / "b.mmstats", place / "a.mmstats")
        remove(self, those, what, results)

    monkeypatch.setattr(Folder, "_remove", renamed)
    assert fold("a.mmstats")["a"][0] == "folded"
    assert "a.mmstats" in names(place)
    assert combined(place).value("n") == 10


def test_a_result_tells_itself():
    assert repr(Result("a", "kept", "why")) == "Result('a', 'kept', 'why')"


GOOD = fb.whole(
    *fb.fields(FIVE, ("m", "average", fb.F64, 0, {"cells": 5}), ("k", "number", fb.U64, 3, {"keep": True}))
)


@settings(deadline=None)
@given(words=st.lists(st.tuples(st.integers(0, len(GOOD) // 8 - 1), st.integers(0, 2**64 - 1)), max_size=5))
def test_whatever_is_in_a_file_nothing_is_raised(tmp_path_factory, words):
    """It is folded, or set aside, or stays."""
    place = tmp_path_factory.mktemp("place")
    changed = bytearray(GOOD)
    for at, word in words:
        changed[8 * at : 8 * at + 8] = word.to_bytes(8, "little")
    fb.write(place / "a.mmstats", bytes(changed))
    with Folder(str(place)) as folder:
        (result,) = folder.fold(["a.mmstats"])
    assert result.what in ("folded", "aside", "kept")
