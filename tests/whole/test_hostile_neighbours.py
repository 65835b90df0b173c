"""What other users put where our files and directories go: nothing of theirs is followed, opened or written.

Real programs, on a machine of the test's own; the neighbour is the user nobody.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pytest

import programs

pytestmark = pytest.mark.main  # what Pythons differ in is in tests/host/test_places.py
NOBODY = 65534
DROP = """
import json
mmstats.dropped, mmstats.RegionError, mmstats.snapshot, mmstats.combined  # loaded before
os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""
SAID = """
import json
said = []
class Keep(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
logging.getLogger('mmstats').addHandler(Keep())
"""
TELL = """
stats.count.incr(3)
found = os.lstat(stats.filename) if stats.filename else None
mode, uid = (found.st_mode & 0o7777, found.st_uid) if found else (None, None)
told = {'file': stats.filename, 'mode': mode, 'uid': uid, 'said': said, 'total': stats.count.total}
print(json.dumps(told), flush=True)
"""
KILLED = "\nos._exit(0)"  # its file stays


@pytest.fixture
def publish(world, twin):
    """Runs a program to its end; what it tells of its file, and what it logged."""

    def publish(make="stats = Model()", end="", **more):
        process = world.program(SAID + make + TELL + end, MMSTATS_CELLS=twin, **more)
        told = json.loads(process.communicate(timeout=60)[0])
        assert told["total"] == 3
        return told

    return publish


@pytest.fixture
def precious(world):
    """A file and a directory of ours that no neighbour should reach through us."""
    directory = world.directory / "precious"
    directory.mkdir()
    (directory / "file").write_text("precious")
    yield directory
    assert os.listdir(directory) == ["file"]
    assert (directory / "file").read_text() == "precious"


def a_link_to_a_file(path, precious):
    path.symlink_to(precious / "file")


def a_link_to_a_directory(path, precious):
    path.symlink_to(precious)


def a_dangling_link(path, precious):
    path.symlink_to(precious / "made")


def a_fifo(path, _):
    os.mkfifo(path)
    os.chmod(path, 0o666)


def a_regular_file(path, _):
    path.write_bytes(bytes(4096))
    path.chmod(0o666)


def a_directory(path, _):
    path.mkdir()
    path.chmod(0o777)


PLANTED = [a_link_to_a_file, a_link_to_a_directory, a_dangling_link, a_fifo, a_regular_file, a_directory]
every_plant = pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)


def planted(plant, path, precious):
    """Something of the neighbour's; how it looks."""
    plant(path, precious)
    os.lchown(path, NOBODY, NOBODY)
    return look(path)


def look(path):
    found = os.lstat(path)
    return found.st_ino, found.st_mode, found.st_uid, found.st_size, found.st_mtime_ns


# --- in the place of a file ------------------------------------------------------------------------


@every_plant
def test_in_the_place_of_a_stats_file(world, publish, precious, plant):
    """The program publishes beside it, in a new file of its own, and says so."""
    own = world.shm / "mmstats-0"
    own.mkdir(mode=0o700)
    before = planted(plant, own / "web.mmstats", precious)
    told = publish("stats = Model(filename='web.mmstats')")
    name = os.path.basename(told["file"])
    assert name.startswith("web-")
    assert told["uid"] == os.geteuid()
    (message,) = told["said"]
    assert message.startswith("/dev/shm/mmstats-0/web.mmstats is in use by ")
    assert message.endswith(f": publishing beside it as {name}")
    assert look(own / "web.mmstats") == before


@every_plant
def test_in_the_place_of_a_stats_file_that_must_have_its_name(world, twin, precious, plant):
    own = world.shm / "mmstats-0"
    own.mkdir(mode=0o700)
    before = planted(plant, own / "web.mmstats", precious)
    script = """
try:
    Model(filename='web.mmstats', strict=True)
except mmstats.UsageError as error:
    print(error)
"""
    assert "give this process another filename" in world.program(script, MMSTATS_CELLS=twin).communicate()[0]
    assert look(own / "web.mmstats") == before
    assert os.listdir(own) == ["web.mmstats"]


OF_FOLDERS = [".fold", ".retired.new", "-c-retired.mmstats"]


@pytest.mark.parametrize("name", OF_FOLDERS)
@every_plant
def test_in_the_place_of_what_folders_use(world, publish, precious, plant, name):
    """The count is there once, folded or not; nothing but the unfinished totals is taken away."""
    own = world.shm / "mmstats-0"
    own.mkdir(mode=0o700)
    before = planted(plant, own / name, precious)
    publish()
    script = "print(*(one.value('count') for one in mmstats.snapshot() if one.stats))"
    assert world.program(script).communicate()[0] == "3\n"
    if name != ".retired.new" or plant is a_directory:
        assert look(own / name) == before
    else:
        assert sorted(os.listdir(own)) == ["-c-retired.mmstats", ".fold"]


# --- in the place of the directory -----------------------------------------------------------------


@every_plant
def test_in_the_place_of_the_directory(world, publish, precious, plant):
    """The next place is taken, with one warning that names whose the planted thing is."""
    before = planted(plant, world.shm / "mmstats-0", precious)
    run = world.shm / "run"
    run.mkdir()
    told = publish(XDG_RUNTIME_DIR="/dev/shm/run")
    assert os.path.dirname(told["file"]) == "/dev/shm/run/mmstats"
    (message,) = told["said"]
    assert message.startswith("/dev/shm/mmstats-0: is ")
    assert "nobody (uid 65534)" in message
    assert message.endswith("; passed over")
    assert look(world.shm / "mmstats-0") == before


@every_plant
def test_in_the_place_of_the_directory_in_a_shared_one(world, publish, precious, plant):
    """A place that is named is the only one: the counts stay in private memory, and that is said once."""
    shared = world.made("shared")
    shared.chmod(0o777)
    before = planted(plant, shared / "mmstats-0", precious)
    told = publish("stats = Model()\nModel(label_prefix='b.')", MMSTATS_PATH=str(shared))
    assert told["file"] is None
    (message,) = told["said"]
    assert message.startswith(
        f"cannot publish, the stats are in private memory until it can: {shared}/mmstats-0: is "
    )
    assert "nobody (uid 65534)" in message
    assert look(shared / "mmstats-0") == before


# --- a directory for everybody ---------------------------------------------------------------------


def test_an_empty_dir_of_kubernetes(world, publish, twin):
    """root:root 0777, by an explicit path: each user has a directory of its own in it, and root sees all."""
    shared = world.made("shared")
    shared.chmod(0o777)
    for user, drop in ((0, ""), (NOBODY, DROP)):
        told = publish(drop + "stats = Model()", MMSTATS_PATH=str(shared))
        assert (os.path.dirname(told["file"]), told["said"]) == (f"{shared}/mmstats-{user}", [])
        found = (shared / f"mmstats-{user}").stat()
        assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (user, 0o700)
    script = "print(*sorted(one.origin.uid for one in mmstats.snapshot()), mmstats.combined().value('count'))"
    more = {"MMSTATS_PATH": str(shared), "MMSTATS_CELLS": twin}
    assert world.program(script, **more).communicate()[0] == f"0 {NOBODY} 6\n"
    assert world.program(DROP + script, **more).communicate()[0] == f"{NOBODY} 3\n"


def test_root_reads_every_users_files_and_tells_whose_they_are(world, publish):
    publish(end=KILLED)
    theirs = publish(DROP + "stats = Model()", end=KILLED)["file"]
    assert theirs.startswith(f"/dev/shm/mmstats-{NOBODY}/")
    slurpstats = [sys.executable, programs.ROOT / "bin/slurpstats", "--files", "-o", "plain"]
    assert len(world.run(slurpstats).stdout.splitlines()) == 2
    (line,) = world.run([*slurpstats, "-f", "user=nobody"]).stdout.splitlines()
    assert line.split("\t")[0] == theirs


def test_what_a_neighbour_puts_beside_ours_is_not_read(world, publish):
    """A mmstats-UID that is not that user's, or that others may write to, and what is in it."""
    ours = publish(end=KILLED)["file"]
    for name, owner, mode in (("mmstats-33", NOBODY, 0o700), ("mmstats-34", 34, 0o777)):
        subprocess.run(["cp", "-r", world.shm / "mmstats-0", world.shm / name], check=True)
        (world.shm / name).chmod(mode)
        os.chown(world.shm / name, owner, owner)
    assert (
        world.program("print(*(one.origin.file for one in mmstats.snapshot()))").communicate()[0]
        == f"{ours}\n"
    )


# --- modes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["", DROP], ids=["root", "nobody"])
@pytest.mark.parametrize("mask", [0, 0o777], ids=oct)
@pytest.mark.parametrize(("mode", "directory"), [("0600", 0o700), ("0640", 0o750), ("0644", 0o755)])
def test_modes_are_what_was_asked_for_whatever_the_umask(world, publish, user, mask, mode, directory):
    make = f"{user}\nos.umask({mask})\nstats = Model()"
    shared = world.made("shared")
    shared.chmod(0o1777)
    told = publish(make, MMSTATS_PATH=f"{shared}/above/stats", MMSTATS_MODE=mode)
    assert told["said"] == []
    assert told["mode"] == mode_of(shared / "above/stats/-c-retired.mmstats") == int(mode, 8)
    assert mode_of(shared / "above/stats") == directory
    assert mode_of(shared / "above") == 0o700 | 0o755 & ~mask


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)
