"""What stands in a writer's way: said as the machine says it, with whose move it is."""

from __future__ import annotations

import os

import pytest

from mmstats.doctor import writer as asked
from mmstats.host import mounts
from worlds import WRITER

pytestmark = pytest.mark.main  # asking takes a process each time, and says the same on every Python

STAYS = "no other place is tried, as MMSTATS_PATH names it, and counts stay in private memory"


def said(answer):
    return answer.sentences(WRITER)


def test_a_full_tmpfs(world):
    place = world.made("full")
    world.before = f"mount -t tmpfs -o size=8k,mode=700 tmpfs {place} && head -c 8192 /dev/zero > {place}/f"
    found = said(world.doctor(MMSTATS_PATH=str(place)))
    assert found == (
        f"! {place} No space left on device; {STAYS} → make room: remove what is not needed there; "
        "docker run --shm-size=…, or a volume of medium: Memory in Kubernetes, gives more"
    )


def test_a_small_tmpfs(world):
    place = world.made("small")
    world.before = f"mount -t tmpfs -o size=128k,mode=700 tmpfs {place}"
    found = said(world.doctor(MMSTATS_PATH=str(place)))
    assert "! room 128Ki free of 128Ki; a process takes 4Ki and more → make room:" in found


def test_a_tmpfs_without_room_for_names(world):
    place = world.made("names")
    world.before = f"mount -t tmpfs -o nr_inodes=2,mode=700 tmpfs {place} && touch {place}/f"
    assert "No space left on device" in said(world.doctor(MMSTATS_PATH=str(place)))


def test_a_read_only_place(world):
    place = world.made("readonly")
    world.before = f"mount -t tmpfs -o ro tmpfs {place}"
    found = said(world.doctor(MMSTATS_PATH=str(place / "x")))
    assert found.startswith(f"! {place}/x Read-only file system; {STAYS} → it is mounted read-only:")


def test_a_place_of_somebody_else(world):
    place = world.made("theirs")
    os.chown(place, 12345, -1)
    found = said(world.doctor(MMSTATS_PATH=str(place)))
    assert found.startswith(f"! {place} is owned by uid 12345; expected root (uid 0); {STAYS}")


def test_no_permission_and_whose_move_it_is(world):
    place = world.made("closed")
    place.chmod(0o755)
    found = said(world.doctor(MMSTATS_PATH=str(place / "x"), user=65534))
    assert found.startswith(f"! {place}/x Permission denied: {place} is owned by root (uid 0); {STAYS}")
    assert found.endswith("→ set MMSTATS_PATH to a directory of yours, or let its owner admit you")


def test_a_runtime_directory_that_is_not_ours_is_no_fault(world):
    """Writers try the next place without a word."""
    world.squatted()
    os.rename(world.shm / "mmstats-0", world.shm / "mmstats-65534")
    found = said(world.doctor(XDG_RUNTIME_DIR="/run", user=65534))
    assert "- /run/mmstats Permission denied: /run is owned by root (uid 0); passed over" in found
    assert f"ok {world.tmp}/mmstats-65534" in found


def test_nowhere_at_all(world):
    world.squatted()
    os.chown(world.tmp, 12345, -1)
    found = said(world.doctor())
    assert f"- {world.tmp}/mmstats-0 passed over: {world.tmp} is owned by uid 12345, who may take" in found
    assert "! no place there is no place to publish in: what is counted stays in private memory" in found


def test_a_disk_that_is_named_is_worth_knowing_and_no_fault(world):
    answer = world.doctor(MMSTATS_PATH=str(world.directory / "disk"))
    assert answer.code == 0
    assert "- fast on a disk (" in said(answer)


def test_a_place_that_other_machines_may_share(world, monkeypatch):
    monkeypatch.setattr(mounts, "file_system", lambda _: "nfs4")
    monkeypatch.setenv("MMSTATS_PATH", str(world.directory / "nfs"))
    findings = {finding.name: finding for finding in asked.writer()[1]}
    assert findings["fast"].mark == "wrong"
    assert findings["fast"].text.startswith("nfs4 may be shared with other machines")


def test_a_mode_for_readers_whom_the_directory_keeps_out(world):
    place = world.made("kept")
    place.chmod(0o700)
    found = said(world.doctor(MMSTATS_PATH=str(place), MMSTATS_MODE="0640"))
    assert (
        "! safe mode 0700, owner root (uid 0); files get mode 0640, but who may read those may not enter"
        in found
    )
    assert "→ chmod 0750 the directory" in found


def test_locks_that_cannot_be_held_there(world, monkeypatch):
    monkeypatch.setattr("mmstats.host.locks.SUPPORTED", False)
    monkeypatch.setenv("MMSTATS_PATH", str(world.directory / "a"))
    assert asked.writer()[1][0].text == "locks cannot be asked for here, so that nobody knows who is alive"


@pytest.mark.parametrize(
    ("env", "text"),
    [
        (
            {"MMSTATS_DISABLE": "1"},
            "! disabled MMSTATS_DISABLE: it would count in private memory, which nobody sees",
        ),
        (
            {"MMSTATS_MODE": "0777"},
            "! settings a model raises UsageError: MMSTATS_MODE='0777': expected 0600, 0640,",
        ),
        (
            {"MMSTATS_PATH": "/x/{WHO}"},
            "! settings a model raises UsageError: template '/x/{WHO}': 'WHO' is no word",
        ),
        (
            {"MMSTATS_GLOB": "/x/*"},
            "! seen readers of this environment do not look there: MMSTATS_GLOB does not match",
        ),
    ],
)
def test_settings_by_which_no_number_is_seen(world, env, text):
    answer = world.doctor(**env)
    assert answer.code == 1
    assert text in said(answer)


def test_a_glob_that_matches_is_fine(world):
    answer = world.doctor(MMSTATS_GLOB="/dev/shm/*/*.mmstats")
    assert (answer.code, "seen" in said(answer)) == (0, False)
