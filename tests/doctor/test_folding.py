"""What became of the dead: totals, who waits to be folded and who cannot be, and what lies about."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import filebuilder as fb
import programs
from mmstats.doctor.folding import folding
from mmstats.doctor.outlook import outlooks
from mmstats.fold import lock
from mmstats.format import encode, layout
from mmstats.host.directory import Directory
from worlds import shape

pytestmark = pytest.mark.main  # asking takes a process each time, and says the same on every Python

FILES = "Files"
DEAD = "What became of the dead"
COUNT = "stats = Model()\nstats.count.incr(3)\n"
KILLED = COUNT + "os._exit(0)"
ONE_WAITS = (
    "- /dev/shm/mmstats-0 1 dead file to fold: the next program that makes a model there folds it "
    "→ cleanstats folds it now"
)
ALL_ARE = "ok /dev/shm/mmstats-0 all dead are folded"
BAD = "/dev/shm/mmstats-0/*.bad"
OLD = time.time() - 3600


@pytest.fixture
def own(world):
    place = world.shm / "mmstats-0"
    place.mkdir(mode=0o700)
    return place


@pytest.fixture
def run(world):
    """Runs a program to its end."""

    def run(script=COUNT, *, twin="pure", **more):
        world.program(script, MMSTATS_CELLS=twin, **more).communicate(timeout=60)

    return run


def gone(path, *rows, **header):
    """The file of a process that ended without folding itself, one counter in it."""
    made = fb.fields(*(rows or [("hits", "counter", fb.U64, 42)]))
    return fb.write(path, fb.whole(*made, **{"state": layout.STATE_CLOSED, "cmd": "app", **header}))


def totals(path, *, folded=(), **header):
    """A group's totals, with the entries of what was folded."""
    given = {"state": layout.STATE_RETIRED, "pid": 0, **header}
    return fb.write(path, fb.whole(encode.folded(list(folded)), *fb.total("hits", 5), **given))


def said(answer):
    """The section in one line."""
    return answer.sentences(DEAD)


def rows(answer):
    return shape(answer.lines(FILES))[1:]


def whole_text(answer, name):
    """What stands below the row of a file, in one line."""
    found = rows(answer)
    at = next(number for number, line in enumerate(found) if line.endswith(f" {name}"))
    ends = (number for number, line in enumerate(found) if number > at and line.endswith(".mmstats"))
    return " ".join(found[at + 1 : next(ends, len(found))])


# --- totals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("twin", programs.twins())
def test_totals_are_told_with_their_group_and_what_was_folded_lately(world, run, twin):
    for _ in range(3):
        run(twin=twin, MMSTATS_GROUP="shop")
    answer = world.doctor()
    assert answer.code == 0
    assert rows(answer)[1] == "ok all retired PID -c AGE 3 shop-retired.mmstats"
    text = whole_text(answer, "shop-retired.mmstats")
    assert re.match(
        "the dead of group shop, [0-9.]+Ki, written AGE ago; 3 files folded within the last ", text
    )
    assert said(answer) == ALL_ARE
    (one,) = world.doctor("--json").found("files")
    assert (one["state"], one["group"], one["folded"], one["fold"]) == ("retired", "shop", 3, None)
    assert one["size"] == (world.shm / "mmstats-0/shop-retired.mmstats").stat().st_size


def test_what_was_folded_long_ago_is_no_longer_told(world, own):
    """Its name may stand there yet: its inode was given again."""
    entries = [(os.urandom(16), time.time_ns() - 120 * 10**9, 1), (os.urandom(16), time.time_ns(), 2)]
    totals(own / "app-retired.mmstats", folded=entries)
    assert "; 1 file folded within the last minute" in whole_text(world.doctor(), "app-retired.mmstats")


def test_totals_into_which_nobody_can_fold(world, own):
    """A damaged file and one of another group: the dead stay, and whose move it is is said."""
    path = totals(own / "app-retired.mmstats")
    with open(path, "r+b") as file:
        file.seek(layout.HEADER_SIZE + 64 + layout.METRIC_STATE)
        file.write(b"\x09")
    gone(own / "dead.mmstats")
    answer = world.doctor()
    assert answer.code == 1
    text = whole_text(answer, "app-retired.mmstats")
    assert "damaged: " in text
    assert "; nobody folds into it;" in text
    assert "→ move it elsewhere: nothing of it counts then, and the next fold begins new totals" in text
    assert whole_text(answer, "dead.mmstats").startswith("not folded: app: its retired totals: ")
    assert said(answer) == "- /dev/shm/mmstats-0 1 dead file cannot be folded, for the reasons above"


def test_totals_under_the_name_of_others(world, own):
    totals(own / "app-retired.mmstats", group="shop")
    text = whole_text(world.doctor(), "app-retired.mmstats")
    assert text.startswith(
        "nobody folds into it: the dead of group shop are folded into shop-retired.mmstats;"
    )


def test_totals_that_cannot_be_read_at_all(world, own):
    (own / "app-retired.mmstats").write_bytes(layout.MAGIC + b"\x02\x00")
    text = whole_text(world.doctor(), "app-retired.mmstats")
    assert text.startswith("not counted: damaged: ")
    assert "; nobody folds into it → move it elsewhere" in text


def test_what_the_dead_dropped_is_history(world, own):
    """It would be marked for ever: the totals keep it."""
    totals(own / "app-retired.mmstats", dropped=(7).to_bytes(8, "little"))
    (line,) = world.doctor().lines("What could not be published")
    assert line.startswith("  -   ")
    assert line.endswith("(the dead of group app)")
    assert world.doctor().code == 0


# --- who waits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("twin", programs.twins())
def test_a_killed_process_waits_for_the_next_one(world, run, twin):
    run(KILLED, twin=twin)
    answer = world.doctor()
    assert (answer.code, said(answer)) == (0, ONE_WAITS)
    (one,) = world.doctor("--json").found("files")
    assert (one["fold"], one["fold_reason"]) == ("folded", None)
    assert world.doctor("--json").found("folding")[0]["waiting"] == 1
    run(twin=twin)
    assert said(world.doctor()) == ALL_ARE


def test_the_next_program_takes_a_few(world, own):
    for number in range(9):
        gone(own / f"{number}.mmstats")
    found = said(world.doctor())
    assert "9 dead files to fold: the next program that makes a model there folds 8 of them" in found


def test_asking_changes_nothing(world, run):
    run(KILLED)
    own = world.shm / "mmstats-0"
    before = {name: os.lstat(own / name) for name in os.listdir(own)}
    world.doctor()
    after = {name: os.lstat(own / name) for name in os.listdir(own)}
    assert {name: (one.st_ino, one.st_mtime_ns) for name, one in before.items()} == {
        name: (one.st_ino, one.st_mtime_ns) for name, one in after.items()
    }


def test_nothing_is_held_to_find_out(own, monkeypatch):
    """A folder that comes by meanwhile would pass over a file that the doctor holds."""
    path = gone(own / "dead.mmstats")

    def refuse(*_):
        raise AssertionError("held")

    monkeypatch.setattr("mmstats.host.locks.hold", refuse)
    assert outlooks([path])[path].what == "folded"


def test_a_file_that_is_in_the_totals_already(world, own):
    """Who folded it was killed before it was removed."""
    uuid = os.urandom(16)
    path = gone(own / "dead.mmstats", uuid=uuid)
    totals(own / "app-retired.mmstats", folded=[(uuid, time.time_ns(), os.stat(path).st_ino)])
    answer = world.doctor()
    assert whole_text(answer, "dead.mmstats") == "not counted: folded already; the next fold takes it away"
    assert (answer.code, said(answer)) == (0, ONE_WAITS)
    (one,) = [one for one in world.doctor("--json").found("files") if one["counts"] == "no"]
    assert one["fold"] == "removed"


# --- who cannot be folded --------------------------------------------------------------------------


def test_a_kind_of_the_future(world, own):
    gone(own / "dead.mmstats", ("hits", 99, fb.U64, 42))
    answer = world.doctor()
    assert "; not folded: " in whole_text(answer, "dead.mmstats")
    assert ": a newer mmstats folds it" in whole_text(answer, "dead.mmstats")
    assert said(answer).endswith("1 dead file cannot be folded, for the reasons above")
    (one,) = world.doctor("--json").found("files")
    assert (one["mark"], one["fold"]) == ("wrong", "kept")


def test_a_dead_file_with_damage(world, own):
    """It counts as far as it can be read, until a fold comes by."""
    path = gone(own / "dead.mmstats", ("one", "counter", fb.U64, 1), ("two", "counter", fb.U64, 2))
    with open(path, "r+b") as file:
        file.seek(layout.HEADER_SIZE + layout.METRIC_STATE)
        file.write(b"\x09")
    text = whole_text(world.doctor(), "dead.mmstats")
    assert "; the next fold sets it aside as dead.mmstats.bad, and none of it counts then" in text
    assert world.doctor("--json").found("files")[0]["fold"] == "aside"


def test_a_file_with_a_damaged_header(world, own):
    (own / "dead.mmstats").write_bytes(layout.MAGIC + b"\x02\x00")
    text = whole_text(world.doctor(), "dead.mmstats")
    assert text.startswith("not counted: damaged: ")
    assert text.endswith("; the next fold sets it aside as dead.mmstats.bad, and none of it counts then")


def test_a_file_of_another_owner(world):
    """Somebody gave a directory of theirs to root's programs."""
    place = world.made("theirs")
    gone(place / "dead.mmstats")
    os.chown(place, 12345, -1)
    answer = world.doctor(place)
    assert whole_text(answer, "dead.mmstats").startswith(
        "not folded: owned by uid 0, its directory by uid 12345"
    )
    assert rows(answer)[1].startswith("- part gone ")


def test_a_directory_that_others_may_write_to(world):
    place = world.made("open")
    gone(place / "dead.mmstats")
    place.chmod(0o777)
    answer = world.doctor(place)
    assert answer.code == 1
    assert whole_text(answer, "dead.mmstats").startswith("not folded: nothing is folded in its directory")
    assert said(answer) == (
        f"! {place} 1 dead file stays: the directory is writable by others (mode 0777): totals are not kept "
        f"there → chmod go-w {place}"
    )


def test_a_directory_of_somebody_else(world):
    place = world.made("ours")
    gone(place / "dead.mmstats")
    (place / "dead.mmstats").chmod(0o644)
    answer = world.doctor(place, user=65534)
    assert answer.code == 0
    assert f"- {place} 1 dead file stays: the directory is owned by root (uid 0); we are nobody" in said(
        answer
    )
    assert "→ its owner's programs fold there; as that user: sudo -u '#0' python -m mmstats doctor" in said(
        answer
    )


def test_a_persistent_file_is_not_for_folders(world, own):
    gone(own / "dead.mmstats", compat_flags=layout.COMPAT_FLAG_PERSISTENT)
    answer = world.doctor()
    assert whole_text(answer, "dead.mmstats").startswith("persistent: the next run goes on with it")
    assert said(answer) == ""


# --- what lies about -------------------------------------------------------------------------------

HOLD = """
import fcntl, sys
file = open(sys.argv[1], 'w')
fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
print(flush=True)
input()
"""


@pytest.fixture
def holder(own):
    """A process that folds in our directory, for as long as the test takes."""
    started = subprocess.Popen(
        [sys.executable, "-c", HOLD, own / ".fold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    started.stdout.readline()
    yield started
    started.kill()
    started.communicate()


def test_somebody_who_folds_just_now(world, holder):
    answer = world.doctor()
    assert answer.code == 0
    text = f"process {holder.pid} folds there just now: nobody else does meanwhile"
    assert said(answer) == f"- /dev/shm/mmstats-0/.fold {text}"
    (one,) = world.doctor("--json").found("folding")
    assert (one["pid"], one["stopped"]) == (holder.pid, False)


def test_somebody_who_was_stopped_while_he_folds(world, holder):
    os.kill(holder.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
    answer = world.doctor()
    assert answer.code == 1
    text = "holds it and is stopped: nobody else folds there until it goes on, or ends"
    hint = f"→ kill -CONT {holder.pid}"
    assert said(answer) == f"! /dev/shm/mmstats-0/.fold process {holder.pid} {text} {hint}"


def test_a_lock_file_that_nobody_holds_is_how_it_should_be(world, own):
    (own / ".fold").touch()
    assert said(world.doctor()) == ""


def test_who_asks_while_we_fold_ourselves_does_not_end_our_lock(tmp_path):
    """To close any descriptor of the file would."""
    tmp_path.chmod(0o700)
    with Directory(str(tmp_path)) as directory:
        ours = lock.take(directory)
        assert lock.holder(directory) == os.getpid()
        script = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB, 1)"
        refused = [sys.executable, "-c", script, str(tmp_path / ".fold")]
        assert b"BlockingIOError" in subprocess.run(refused, capture_output=True, check=False).stderr
        ours.release()
        assert lock.holder(directory) is None


def test_files_that_were_set_aside(world, own):
    for name in ("a.mmstats.bad", "a.mmstats.2.bad"):
        (own / name).touch()
    answer = world.doctor()
    assert answer.code == 0
    text = "2 files set aside for damage, the last AGE ago: not counted any more; the last 16 are kept"
    hint = f"→ python -m mmstats doctor '{BAD}' says what is wrong; remove them when you have seen enough"
    assert shape([said(answer)]) == [f"- {BAD} {text} {hint}"]
    (one,) = world.doctor("--json").found("folding")
    assert one["files"] == ["a.mmstats.2.bad", "a.mmstats.bad"]
    assert "not counted: an empty file" in " ".join(rows(world.doctor(BAD)))


UNFINISHED = [".retired.new", ".new-" + 32 * "a"]


@pytest.mark.parametrize("name", UNFINISHED)
def test_what_somebody_who_was_killed_left(world, own, name):
    (own / name).touch()
    assert said(world.doctor()) == ""  # somebody may be at it
    os.utime(own / name, (OLD, OLD))
    assert said(world.doctor()) == (
        f"- /dev/shm/mmstats-0/unfinished 1 file that somebody who was killed left unfinished: {name} "
        "→ nobody reads it; cleanstats removes it"
    )
    with open(own / name, "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, layout.LOCK_WRITER)
        assert said(world.doctor()) == ""


def test_a_directory_that_is_not_there(tmp_path):
    assert list(folding([str(tmp_path / "none")], [])) == []
