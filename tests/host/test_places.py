"""Where files go: writers and readers walk one list, and what cannot be trusted is passed over."""

from __future__ import annotations

import os
import stat

import pytest

from mmstats.errors import PlaceRefused
from mmstats.host import mounts, places, trust
from mmstats.host.places import Place, places_at, reading_places, writing_place

ROOT = os.geteuid() == 0
OWN = f"mmstats-{os.geteuid()}"
as_root = pytest.mark.skipif(not ROOT, reason="needs root, to make what belongs to others")


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    """A machine whose memory and temporary directory are this test's own."""
    for name in ("MMSTATS_PATH", "MMSTATS_GLOB", "MMSTATS_FILES", "XDG_RUNTIME_DIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    for name in ("shm", "tmp", "run"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(places, "MEMORY", str(tmp_path / "shm"))
    monkeypatch.setattr(mounts, "is_in_memory", lambda path: path.startswith(str(tmp_path / "shm")))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(places, "_said", set())
    return tmp_path


@pytest.fixture
def said():
    return []


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def names(found):
    return [(place.directory, place.names) for place in found]


def test_memory_comes_first(world, said):
    assert writing_place(warn=said.append) == f"{world}/shm/{OWN}"
    assert mode_of(world / "shm" / OWN) == 0o700
    assert said == []


def test_the_place_is_the_readers_too(world):
    writing_place()
    assert reading_places()[0] == Place(f"{world}/shm/{OWN}", "*.mmstats", frozenset((os.geteuid(),)))


def test_then_the_runtime_directory(world, monkeypatch, said):
    monkeypatch.setattr(mounts, "is_in_memory", lambda _: False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(world / "run"))
    assert writing_place(warn=said.append) == f"{world}/run/mmstats"
    assert said == []


def test_the_temporary_directory_is_last_and_warned_of(world, monkeypatch, said):
    monkeypatch.setattr(mounts, "is_in_memory", lambda _: False)
    assert writing_place(warn=said.append) == f"{world}/tmp/{OWN}"
    assert said == [
        f"{world}/tmp/{OWN} is on a disk: a store may wait for it now and then; set MMSTATS_PATH to a tmpfs"
    ]


def test_no_warning_if_the_temporary_directory_is_in_memory(world, monkeypatch, said):
    monkeypatch.setattr(mounts, "is_in_memory", lambda path: "/tmp/mmstats-" in path)
    assert writing_place(warn=said.append) == f"{world}/tmp/{OWN}"
    assert said == []


@pytest.mark.parametrize("how", ["link", "file", "writable"])
def test_what_cannot_be_trusted_is_passed_over(world, said, how):
    planted = world / "shm" / OWN
    if how == "link":
        planted.symlink_to(world / "run")
    elif how == "file":
        planted.touch()
    else:
        planted.mkdir()
        planted.chmod(0o777)
    assert writing_place(warn=said.append) == f"{world}/tmp/{OWN}"
    assert said[0].startswith(f"{planted}: is ")
    assert "uid" in said[0]
    assert said[0].endswith("; passed over")
    assert places_at(str(world / "shm")) == [Place(f"{world}/shm", "*.mmstats")]


@as_root
def test_a_place_of_somebody_else_is_passed_over_and_its_owner_named(world, said):
    planted = world / "shm" / OWN
    planted.mkdir(mode=0o700)
    os.chown(planted, 12345, -1)
    writing_place(warn=said.append)
    assert said[0] == f"{planted}: is owned by uid 12345; expected root (uid 0); passed over"
    reading_places(warn=said.append)
    assert said[2] == said[0]


def test_a_warning_is_logged_once(world, caplog):
    places.say_once("something")
    places.say_once("something")
    assert [(record.name, record.message) for record in caplog.records] == [("mmstats", "something")]


def test_if_no_place_can_be_made_the_first_reason_is_raised(world, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(places, "make", full)
    with pytest.raises(OSError, match="No space left"):
        writing_place()


@as_root
def test_a_parent_of_somebody_else_is_no_place(world, monkeypatch):
    monkeypatch.setattr(mounts, "is_in_memory", lambda _: False)
    os.chown(world / "tmp", 12345, -1)
    with pytest.raises(PlaceRefused, match="no other place"):
        writing_place()


# --- a place that is named -------------------------------------------------------------------------


def test_a_named_place_is_made_private_with_its_parents(world):
    assert writing_place(f"{world}/a/b/") == f"{world}/a/b"
    assert mode_of(world / "a/b") == 0o700


@pytest.mark.parametrize("mask", [0, 0o077, 0o777], ids=oct)
@pytest.mark.parametrize(
    ("mode", "directory"), [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755), (0o666, 0o755)]
)
def test_who_may_read_the_files_may_enter_whatever_the_umask(world, mask, mode, directory):
    before = os.umask(mask)
    try:
        writing_place(f"{world}/above/a", mode)
    finally:
        os.umask(before)
    assert mode_of(world / "above/a") == directory
    assert mode_of(world / "above") == 0o700 | 0o755 & ~mask


def test_the_environment_names_one_too(world, monkeypatch):
    monkeypatch.setenv("MMSTATS_PATH", f"{world}/{{PID}}")
    assert writing_place(expand=lambda path: path.replace("{PID}", "7")) == f"{world}/7"
    assert writing_place(f"{world}/mine") == f"{world}/mine"


def test_a_shared_place_has_one_of_ours_in_it(world):
    (world / "run").chmod(0o777)
    assert writing_place(f"{world}/run") == f"{world}/run/{OWN}"
    assert names(places_at(f"{world}/run")) == [
        (f"{world}/run", "*.mmstats"),
        (f"{world}/run/{OWN}", "*.mmstats"),
    ]


def test_a_named_place_that_is_a_link_is_refused(world):
    (world / "link").symlink_to(world / "run")
    with pytest.raises(PlaceRefused, match="is a link of") as caught:
        writing_place(f"{world}/link/")
    assert caught.value.directory == f"{world}/link"


@as_root
def test_a_named_place_of_somebody_else_is_refused(world):
    (world / "run").chmod(0o755)
    os.chown(world / "run", 12345, -1)
    with pytest.raises(PlaceRefused, match="is owned by uid 12345"):
        writing_place(f"{world}/run")


@as_root
def test_readers_of_a_shared_place_look_into_each_users_own(world):
    (world / "run").chmod(0o1777)
    for name, owner, mode in (
        ("mmstats-5", 5, 0o750),
        ("mmstats-6", 5, 0o750),
        ("mmstats-7", 7, 0o777),
        ("mmstats-x", 0, 0o700),
    ):
        (world / "run" / name).mkdir()
        (world / "run" / name).chmod(mode)
        os.chown(world / "run" / name, owner, -1)
    assert places_at(f"{world}/run")[1:] == [Place(f"{world}/run/mmstats-5", "*.mmstats", frozenset((5,)))]


# --- readers ---------------------------------------------------------------------------------------


def test_readers_look_for_0_8_in_the_temporary_directory(world):
    (place,) = reading_places()
    assert (place.directory, place.names) == (f"{world}/tmp", "*.mmstats")
    assert place.owners == (None if ROOT else frozenset((os.geteuid(), 0)))


@as_root
def test_root_looks_into_everybodys_memory(world):
    (world / "shm/mmstats-5").mkdir(mode=0o700)
    os.chown(world / "shm/mmstats-5", 5, -1)
    writing_place()
    assert names(reading_places())[:2] == [
        (f"{world}/shm/{OWN}", "*.mmstats"),
        (f"{world}/shm/mmstats-5", "*.mmstats"),
    ]


def test_nobody_else_does(world, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    (place,) = reading_places()
    assert place.owners == frozenset((4321, 0))


def test_a_glob_is_read_instead(world, monkeypatch):
    monkeypatch.setenv("MMSTATS_GLOB", "/x/*.stats")
    monkeypatch.setenv("MMSTATS_PATH", "/y")
    assert reading_places() == [Place("", "/x/*.stats")]


@pytest.mark.parametrize(
    ("path", "files", "expected"),
    [
        ("/y", None, Place("/y", "*.mmstats")),
        ("/y", "{CMD}-{PID}.st[at]s", Place("/y", "*-*.st[[]at]s")),
        ("/y[1]/{UID}", None, Place("", "/y[[]1]/*/*.mmstats")),
    ],
)
def test_words_become_stars(monkeypatch, path, files, expected):
    monkeypatch.setenv("MMSTATS_PATH", path)
    if files:
        monkeypatch.setenv("MMSTATS_FILES", files)
    assert reading_places() == [expected]


def test_a_temporary_directory_that_is_none_is_not_taken(world, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/does/not/exist")
    assert places.temp_directory() == "/tmp"
    monkeypatch.setenv("TMP", f"{world}/run")
    assert places.temp_directory() == f"{world}/run"


def test_what_is_not_there_is_neither_shared_nor_safe():
    assert not trust.is_shared("/does/not/exist")
    assert not trust.has_safe_owner("/does/not/exist")
    assert places._private_below("/does/not/exist") == []


def test_places_say_what_they_are():
    assert repr(Place("a", "b")) == "Place('a', 'b', owners=None)"
    assert Place("a", "b") != "a"


def test_a_user_is_named():
    assert trust.name_of(0) == "root (uid 0)"
    assert trust.name_of(54321) == "uid 54321"
