"""cleanstats as its users meet it: who is dead, what becomes of their files; no total ever changes."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

import filebuilder as fb
import mmstats
import programs
from departed import (
    BYTES,
    COUNT_3,
    bytes_of,
    counted,
    dead,
    everything,
    folding,
    gone_pid,
    leftover,
    names,
    old,
)
from mmstats.fold.folder import Folder
from mmstats.format import layout
from mmstats.host import identity, liveness, locks
from mmstats.tools import burying

pytestmark = pytest.mark.main  # tools are run by one Python

SCRIPT = str(programs.ROOT / "bin/cleanstats")
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another user, another namespace")
needs_unshare = pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")


# --- who is dead -----------------------------------------------------------------------------------


def test_the_killed_go_and_the_living_stay(program, stats_dir, twin, clean):
    """And what all of them counted is the same before and after."""
    killed, exited, alive = program(), program(COUNT_3.replace("3", "4")), program()
    killed.kill()
    exited.process.communicate("")  # stdin ends, the program goes on to its orderly end, and folds itself
    assert programs.totals(twin, stats_dir)["count"] == 10
    assert clean() == (
        0,
        f"PID {killed.pid} not found. Deleting {killed.path}\nRemoved 1  -  1 alive\n",
        "",
    )
    assert names(stats_dir) == sorted([Path(alive.path).name, "app-retired.mmstats"])
    assert programs.totals(twin, stats_dir)["count"] == 10
    assert clean() == (0, "Removed 0  -  1 alive\n", "")


def test_a_program_that_ended_while_somebody_else_folded(program, stats_dir, twin, clean):
    """Its file is closed in order, and stays until somebody comes."""
    one = program()
    with folding(stats_dir):
        one.exit()
    assert clean()[1] == f"PID {one.pid} ended. Deleting {one.path}\nRemoved 1  -  0 alive\n"
    assert programs.totals(twin, stats_dir)["count"] == 3


def test_a_zombie_whose_child_keeps_the_file_open(program, clean):
    """The child holds the locks; the kernel says who is dead."""
    one = program(
        "stats = Model(); stats.count.incr(3)\nif not os.fork(): os.close(1); os.read(0, 1); os._exit(0)"
    )
    os.kill(one.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while identity.process(one.pid).state != "Z" and time.monotonic() < until:
        time.sleep(0.01)
    code, out, _ = clean()
    assert (code, out.splitlines()[-1]) == (0, "Removed 1  -  0 alive")
    assert re.fullmatch(f"PID {one.pid} (is a zombie)", out.split(". ")[0])


def test_a_process_that_became_another_program(program, clean):
    """Its pid and start are what they were; the kernel let go of the locks."""
    script = "stats = Model(); stats.count.incr(3); print(os.getpid(), stats.filename, flush=True)\n"
    one = program(script + "os.execv('/bin/sleep', ['sleep', '60'])")
    until = time.monotonic() + 10
    while clean("-n", "-q") and not clean("-n")[1].startswith("PID") and time.monotonic() < until:
        time.sleep(0.01)  # exec takes a moment
    assert clean()[1].startswith(f"PID {one.pid} does not publish there any more. Deleting {one.path}\n")


def test_a_pid_that_is_another_program_now(stats_dir, clean):
    """By the time that the process of that number started; this one lives."""
    path = dead(stats_dir, pid=os.getpid(), start_ticks=1, created=1_700_000_000_000_000_000)
    before = r"started [\d-]+ [\d:]+, file from 2023-11-1\d [\d:]+"
    code, out, _ = clean()
    assert code == 0
    assert re.fullmatch(
        rf"PID {os.getpid()} is another program now \({before}\)\. Deleting {path}\nRemoved 1  -  0 alive\n",
        out,
    )


def test_times_of_today_are_as_short_as_tells_them_apart(stats_dir, clean, monkeypatch):
    """As `started 09:12, file from 07:40`."""
    now = time.time()
    start = identity.seconds_since_1970(identity.start_ticks())
    monkeypatch.setattr(time, "strftime", lambda form, at=None: REAL(form, at or time.localtime(now)))
    pair = [REAL("%H:%M", time.localtime(at)) for at in (start, start - 7200)]
    if pair[0] < "02:00" or REAL("%d", time.localtime(start)) != REAL("%d", time.localtime(now)):
        pair = [REAL("%Y-%m-%d %H:%M:%S", time.localtime(at)) for at in (start, start - 7200)]
    old(stats_dir, os.getpid(), created=start - 7200)
    assert f"(started {pair[0]}, file from {pair[1]}). Deleting" in clean()[1]


REAL = time.strftime


def test_an_earlier_boot_and_another_namespace(stats_dir, clean):
    dead(stats_dir, "a-1-a", pid=1, boot_id=b"b" * 16)
    dead(stats_dir, "b-2-b", pid=2, pid_ns=1)
    said = [line.split(". ")[0] for line in clean()[1].splitlines()]
    assert said == [
        "PID 1 ended with an earlier boot", "PID 2 of another PID namespace ended", "Removed 2  -  0 alive",
    ]  # fmt: skip


@needs_root
@needs_unshare
def test_a_program_in_another_pid_namespace(program, stats_dir, twin, clean):
    """It lives, as its locks say; it is dead once they are free. Its pid is not asked about here."""
    one = program(under=["unshare", "-p", "-f", "--kill-child"])
    assert one.pid < 10
    assert clean() == (0, "Removed 0  -  1 alive\n", "")
    one.process.kill()
    until = time.monotonic() + 10
    while clean("-n")[1].startswith("Would remove 0") and time.monotonic() < until:
        time.sleep(0.01)
    assert clean()[1] == (
        f"PID {one.pid} of another PID namespace ended. Deleting {one.path}\nRemoved 1  -  0 alive\n"
    )
    assert programs.totals(twin, stats_dir)["count"] == 3


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"pid_ns": 1}, "written in another PID namespace, cannot tell"),
        ({"boot_id": b"b" * 16, "hostname": "elsewhere"}, "written on elsewhere, cannot tell"),
        ({}, "its locks cannot be asked for, cannot tell"),
    ],
)
def test_who_cannot_be_judged_is_kept_said_and_counted(stats_dir, clean, monkeypatch, header, reason):
    path = dead(stats_dir, **header)
    monkeypatch.setattr(locks, "held", lambda *_: None)
    assert clean() == (0, f"Kept {path}: {reason}\nRemoved 0  -  0 alive, 1 unknown\n", "")
    assert os.path.exists(path)


# --- version 1 -------------------------------------------------------------------------------------


def test_what_0_8_said_byte_for_byte(stats_dir, clean):
    """Recorded from its source: the lines that say the same still."""
    pid = gone_pid()
    path, living = old(stats_dir, pid), old(stats_dir, os.getpid(), name="app-2-2")
    nobodys = old(stats_dir, name="app-3-3")
    (stats_dir / "x.mmstats").write_bytes(b"vm\0")
    expected = f"""\
PID {pid} not found. Deleting {path}
File has no sys.pid entry: {nobodys}
Invalid file: {stats_dir}/x.mmstats
Removed 1  -  1 alive, 1 unknown
"""
    assert clean() == (0, expected, "")
    assert names(stats_dir) == sorted([Path(living).name, Path(nobodys).name, "x.mmstats"])
    os.unlink(nobodys)
    os.unlink(living)
    assert clean()[1] == f"Invalid file: {stats_dir}/x.mmstats\nRemoved 0  -  0 alive\n"


def test_files_of_version_1_are_never_folded(stats_dir, clean):
    old(stats_dir, gone_pid())
    clean()
    assert list(stats_dir.iterdir()) == [], "not even .fold"


def test_a_pid_that_began_after_the_file_of_version_1(stats_dir, clean):
    """A real process, by the time it started; without a time in the file nothing can be told of it."""
    old(stats_dir, os.getpid(), created=time.time() - 86400 * 365)
    old(stats_dir, os.getpid(), name="app-2-2")
    assert clean()[1].splitlines()[-1] == "Removed 1  -  1 alive"
    assert names(stats_dir) == ["app-2-2.mmstats"]


def fake_proc(root, monkeypatch, processes, maps=""):
    """A /proc in which this process, and `processes` (pid → start in ticks), are all there is."""
    for name, ticks in {"self": 1, **processes}.items():
        (root / str(name)).mkdir(parents=True)
        pid = os.getpid() if name == "self" else name
        stat_line = f"{pid} (a) b) S " + " ".join(["0"] * 16) + f" 1 0 {ticks} 0\n"
        (root / str(name) / "stat").write_text(stat_line)
        (root / str(name) / "maps").write_text(maps)
    monkeypatch.setattr(identity, "PROC", str(root))


def test_a_fake_proc_in_which_a_pid_was_used_again(stats_dir, tmp_path, clean, monkeypatch):
    """Which of the two it was is told by the start alone."""
    ticks = (time.clock_gettime(time.CLOCK_BOOTTIME) - 10) * os.sysconf("SC_CLK_TCK")
    fake_proc(tmp_path / "proc", monkeypatch, {4711: int(ticks)})
    old(stats_dir, 4711, created=time.time() - 3600, name="reused-4711-1")
    old(stats_dir, 4711, created=time.time() - 5, name="alive-4711-1")
    code, out, _ = clean()
    assert (code, out.splitlines()[-1]) == (0, "Removed 1  -  1 alive")
    assert "PID 4711 is another program now (started " in out
    assert names(stats_dir) == ["alive-4711-1.mmstats"]


def test_proc_of_another_namespace_tells_nothing(stats_dir, tmp_path, clean, monkeypatch):
    fake_proc(tmp_path / "proc", monkeypatch, {})
    (tmp_path / "proc/self/stat").write_text("1 (init) S 0\n")
    path = old(stats_dir, gone_pid())
    code, out, _ = clean()
    assert (code, out.splitlines()[-1], os.path.exists(path)) == (0, "Removed 0  -  0 alive, 1 unknown", True)
    assert "cannot tell" in out


def test_a_file_of_version_1_that_somebody_has_mapped_lives(stats_dir, clean):
    """A child that 0.8 forked counts into it on, or a writer in a container: its pid says nothing."""
    path = old(stats_dir, gone_pid())
    script = (
        "import mmap; f = open(sys.argv[1], 'r+b'); m = mmap.mmap(f.fileno(), 0); print(flush=True); input()"
    )
    command = [sys.executable, "-c", f"import sys; {script}", path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        assert clean("-v")[1].startswith(f"Kept {path}: a process has it mapped  (")
        assert clean()[1] == "Removed 0  -  1 alive\n"
        child.communicate(b"\n")
    assert clean()[1].splitlines()[-1] == "Removed 1  -  0 alive"


def test_a_young_file_of_version_1_is_kept(stats_dir, clean):
    """Its writer may not have come to its pid yet."""
    path = old(stats_dir, gone_pid(), age=0)
    expected = f"Kept {path}: made less than 2 s ago, cannot tell yet\nRemoved 0  -  0 alive, 1 unknown\n"
    assert clean()[1] == expected
    at = time.time() - 3
    os.utime(path, (at, at))
    assert clean()[1].splitlines()[-1] == "Removed 1  -  0 alive"


# --- other users -----------------------------------------------------------------------------------


BECOME_NOBODY = f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
AS_NOBODY = f"""
import json, os, pwd, sys
from mmstats.tools import burying, cleanstats, machine, totals
{BECOME_NOBODY}
sys.exit(cleanstats.main(sys.argv[1:]))
"""


def as_nobody(*words):
    """The tool as another user, who may not signal us, nor read Python: all is loaded before."""
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(programs.ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_root
def test_a_process_that_may_not_be_signalled_lives(stats_dir):
    """0.8 took that for dead, and deleted."""
    path = old(stats_dir, os.getpid())
    os.chown(path, NOBODY, NOBODY)
    os.chown(stats_dir, NOBODY, NOBODY)
    done = as_nobody(stats_dir)
    assert (done.stdout, done.returncode) == ("Removed 0  -  1 alive\n", 0)
    assert os.path.exists(path)


@needs_root
def test_root_folds_as_the_owner_would(program, stats_dir, twin, clean):
    """What is made is the owner's, who folds there on; -v says whose it was."""
    os.chown(stats_dir, NOBODY, NOBODY)
    first, second = (program(f"mmstats.Model = Model\n{BECOME_NOBODY}\n{COUNT_3}") for _ in range(2))
    first.kill()
    code, out, _ = clean("-v")
    assert (code, out.splitlines()[-1]) == (0, "Removed 1  -  1 alive")
    assert f"Deleting {first.path}  (-c of nobody (uid {NOBODY}))\n" in out
    made = [os.stat(stats_dir / name).st_uid for name in (".fold", "app-retired.mmstats")]
    assert made == [NOBODY, NOBODY]
    second.kill()
    assert as_nobody(stats_dir).stdout.splitlines()[-1] == "Removed 1  -  0 alive"
    assert programs.totals(twin, stats_dir)["count"] == 6


@needs_root
def test_what_is_not_ours_is_not_removed_and_that_is_said(stats_dir):
    """Of both versions: exit 3, as something dead is left."""
    os.chmod(stats_dir, 0o755)
    new, one = dead(stats_dir), old(stats_dir, gone_pid())
    os.chmod(new, 0o644)
    os.chmod(one, 0o644)
    done = as_nobody(stats_dir)
    assert (done.returncode, done.stdout) == (3, "Removed 0  -  0 alive\n")
    theirs = f"{stats_dir}: is owned by root (uid 0); we are nobody (uid {NOBODY}), and change nothing there"
    assert done.stderr.splitlines() == [
        f"cleanstats: Could not remove {one}: Permission denied",
        f"cleanstats: Could not remove {new}: {theirs}",
    ]
    os.chmod(one, 0o600)
    done = as_nobody(one)
    assert (done.returncode, done.stdout) == (
        0, f"Permission denied: {one}\nRemoved 0  -  0 alive, 1 unknown\n",
    )  # fmt: skip


@needs_root
def test_a_file_of_somebody_else_in_our_directory_is_kept(stats_dir, clean):
    path = dead(stats_dir)
    os.chown(path, NOBODY, NOBODY)
    said = f"Kept {path}: owned by uid {NOBODY}, its directory by uid 0\nRemoved 0  -  0 alive\n"
    assert clean() == (0, said, "")


def test_a_directory_that_others_may_write_to(stats_dir, clean):
    """Totals are not kept there; nothing of the dead is dropped for that."""
    path = dead(stats_dir)
    os.chmod(stats_dir, 0o777)
    code, out, err = clean(path)
    assert (code, out, os.path.exists(path)) == (3, "Removed 0  -  0 alive\n", True)
    assert f"Could not remove {path}: {stats_dir}: is writable by others (mode 0777)" in err


# --- what is kept ----------------------------------------------------------------------------------


def test_links_copies_and_newer_versions_are_kept_and_said(stats_dir, tmp_path, clean):
    target = dead(tmp_path)
    (stats_dir / "a-1-link.mmstats").symlink_to(target)
    path = dead(stats_dir, "b-2-b")
    shutil.copy(path, stats_dir / "c-3-copy.mmstats")
    inode, written = (stats_dir / "c-3-copy.mmstats").stat().st_ino, os.stat(path).st_ino
    data = bytearray(fb.whole())
    data[layout.HEADER_MAJOR] = 3
    fb.write(stats_dir / "d-4-new.mmstats", bytes(data))
    (stats_dir / "e-5-dir.mmstats").mkdir()
    code, out, err = clean()
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"Kept {stats_dir}/a-1-link.mmstats: a link, and links are not followed",
        f"PID {header_pid(bytes_of(stats_dir / 'c-3-copy.mmstats'))} not found. Deleting {path}",
        f"Kept {stats_dir}/c-3-copy.mmstats: a copy: inode {inode}, written as {written}",
        f"Kept {stats_dir}/d-4-new.mmstats: written by mmstats format 3, this reader knows 1 and 2",
        f"Kept {stats_dir}/e-5-dir.mmstats: not a regular file (mode drwxr-xr-x)",
        "Removed 1  -  0 alive",
    ]
    assert os.path.exists(target)


def header_pid(data):
    return struct.unpack_from("<I", data, layout.HEADER_PID)[0]


def test_damaged_files_are_set_aside(stats_dir, clean):
    """Beyond the header, and in it: kept for people, under a name that nobody reads."""
    deep = fb.write(
        stats_dir / "a-1-a.mmstats", fb.whole(fb.metric("x"), fb.cells(1, [1], count=9999), pid=gone_pid())
    )
    data = bytearray(fb.whole())
    data[layout.HEADER_HEADER_SIZE] = 7
    head = fb.write(stats_dir / "b-2-b.mmstats", bytes(data))
    before = everything(stats_dir)
    dry = clean("-n")[1]
    assert everything(stats_dir) == before
    code, out, err = clean()
    assert (code, err) == (0, "")
    first, second, last = out.splitlines()
    assert first.startswith(f"Set aside {deep}: damaged: ")
    assert first.endswith("; it is a-1-a.mmstats.bad now")
    assert second.startswith(f"Set aside {head}: damaged: offset=12: found header_size=519")
    assert last == "Removed 0  -  0 alive"
    assert [line.replace("Would set", "Set") for line in dry.splitlines()[:2]] == [
        line.partition("; it is")[0] for line in (first, second)
    ]
    assert names(stats_dir) == ["a-1-a.mmstats.bad", "b-2-b.mmstats.bad"]


def test_a_damaged_file_that_is_in_use_is_kept(stats_dir, clean):
    data = bytearray(fb.whole())
    data[layout.HEADER_HEADER_SIZE] = 7
    path = fb.write(stats_dir / "a-1-a.mmstats", bytes(data))
    with open(path, "r+b") as file:
        assert locks.hold(file.fileno(), layout.LOCK_WRITER)
        code, out, _ = clean()
    assert (code, os.path.exists(path)) == (0, True)
    assert out.startswith(f"Kept {path}: damaged, and in use: ")


def test_persistent_files_wait_for_their_program(program, stats_dir, clean):
    one = program("stats = Model(filename='billing.mmstats', persistent=True); stats.count.incr(3)")
    assert clean()[1] == "Removed 0  -  1 alive\n"
    one.kill()
    assert clean()[1] == "Removed 0  -  0 alive\n"
    said = clean("-v")[1]
    assert said.startswith(f"Kept {one.path}: persistent: the next run of its program takes it over")
    assert names(stats_dir) == ["billing.mmstats"]


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_that_changes_between_the_check_and_the_unlink(stats_dir, clean, monkeypatch, version):
    """Another file has the name by then: it stays, whoever it is."""
    path = old(stats_dir, gone_pid()) if version == 1 else dead(stats_dir)
    other = stats_dir / "other"
    name = "verdict_by_pid" if version == 1 else "verdict"
    real, asked = getattr(liveness.Judge, name), []

    def verdict(*arguments):
        found = real(*arguments)
        asked.append(found)
        if len(asked) == 2:  # once to look, once to remove
            other.write_bytes(b"young")
            os.replace(other, path)
        return found

    monkeypatch.setattr(liveness.Judge, name, verdict)
    code, out, _ = clean()
    assert (code, asked, Path(path).read_bytes()) == (0, ["gone", "gone"], b"young")
    assert out == f"Kept {path}: its name leads to another file by now\nRemoved 0  -  0 alive\n"


@pytest.mark.parametrize("version", [1, 2])
def test_a_writer_that_lives_when_its_file_is_to_go(stats_dir, clean, monkeypatch, version):
    """A verdict that changed meanwhile is the one that counts."""
    path = old(stats_dir, gone_pid()) if version == 1 else dead(stats_dir)
    verdicts = iter(["gone", "alive"])
    name = "verdict_by_pid" if version == 1 else "verdict"
    monkeypatch.setattr(liveness.Judge, name, lambda *_: next(verdicts))
    assert clean()[1] == "Removed 0  -  1 alive\n"
    assert os.path.exists(path)


def test_a_file_that_somebody_else_took_away_meanwhile(stats_dir, clean, monkeypatch):
    path = dead(stats_dir)
    real = burying.patient

    def late(directory):
        os.unlink(path)
        return real(directory)

    monkeypatch.setattr(burying, "patient", late)
    assert clean() == (0, f"Kept {path}: somebody else took it away meanwhile\nRemoved 0  -  0 alive\n", "")


# --- several programs, several versions ------------------------------------------------------------


def test_several_programs_in_one_directory(program, stats_dir, twin, clean):
    """Each group has totals of its own."""
    web, job, both = program(group="web"), program(group="job"), program(group="web")
    before = counted(stats_dir)
    for one in (web, job, both):
        one.kill()
    assert clean()[1].splitlines()[-1] == "Removed 3  -  0 alive"
    assert names(stats_dir) == ["job-retired.mmstats", "web-retired.mmstats"]
    assert counted(stats_dir) == before == {("web", "count"): 6, ("job", "count"): 3}


def test_a_rolling_deploy_and_back(program, stats_dir, clean):
    """The younger declaration wins, and the other one's totals wait for a program that declares it again."""

    def total():
        return mmstats.combined(stats_dir).value("count")

    steps = [("", 3), (BYTES, 40), ("", 6), (BYTES, 80), ("", 9)]
    for script, expected in steps:
        one = program(script)
        one.kill()
        assert total() == expected, "before"
        assert clean()[1].splitlines()[-1] == "Removed 1  -  0 alive"
        assert total() == expected, "after"


def test_a_rolling_deploy_that_is_cleaned_at_once(program, stats_dir, clean):
    """Two versions die together: what was combined of their files is what is combined of the totals."""
    started = [program(), program(BYTES), program(), program(BYTES)]
    for one in started:
        one.kill()
    before = mmstats.combined(stats_dir).value("count")
    assert clean()[1].splitlines()[-1] == "Removed 4  -  0 alive"
    assert before == mmstats.combined(stats_dir).value("count") == 80


# --- leftovers -------------------------------------------------------------------------------------


def test_what_was_left_by_the_killed_is_removed(stats_dir, clean):
    """Old, of that very name, and held by nobody."""
    fold, start = leftover(stats_dir / ".retired.new"), leftover(stats_dir / f".new-{'0af3' * 8}")
    kept = [leftover(stats_dir / name) for name in (".new-abc", f".new-{'xyz0' * 8}", ".retired.new2")]
    young = leftover(stats_dir / f".new-{'1' * 32}", age=1)
    held = leftover(stats_dir / f".new-{'2' * 32}")
    with open(held, "r+b") as file:
        assert locks.hold(file.fileno(), layout.LOCK_WITNESS)
        code, out, _ = clean()
    assert (code, out.splitlines()) == (
        0,
        [
            f"Left by a start that was killed. Deleting {start}",
            f"Left by a fold that was killed. Deleting {fold}",
            "Removed 2  -  0 alive",
        ],
    )
    assert names(stats_dir) == sorted(path.name for path in (*kept, young, held))


def test_a_creator_that_was_killed(stats_dir, twin, clean):
    """Where nameless files cannot be had it leaves a hidden one, which goes once it is old enough."""
    script = """
    from mmstats.publish import backing
    real = os.open
    def refuse(path, flags, *more, **options):
        if flags & backing.O_TMPFILE == backing.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        return real(path, flags, *more, **options)
    os.open = refuse
    backing.File.link = lambda file, name: os.kill(os.getpid(), 9)
    Model()
    """
    done = programs.run(script, twin, stats_dir, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = [path for path in stats_dir.iterdir() if path.name.startswith(".new-")]
    assert clean()[1] == "Removed 0  -  0 alive\n"
    at = time.time() - 120
    os.utime(left, (at, at))
    assert clean()[1] == f"Left by a start that was killed. Deleting {left}\nRemoved 1  -  0 alive\n"


def test_leftovers_where_others_may_write_are_anybodys(stats_dir, clean):
    left = leftover(stats_dir / ".retired.new")
    os.chmod(stats_dir, 0o777)
    assert (clean(f"{stats_dir}/*.mmstats")[1], left.exists()) == ("Removed 0  -  0 alive\n", True)
    assert clean("-n", f"{stats_dir}/*.mmstats")[1] == "Would remove 0  -  0 alive\n"


# --- ends ------------------------------------------------------------------------------------------


def test_somebody_else_folds(stats_dir, clean, monkeypatch):
    """It is waited for, and then that is said."""
    path = dead(stats_dir)
    with folding(stats_dir):
        began = time.monotonic()
        code, out, err = clean()
        assert time.monotonic() - began >= burying.PATIENCE
    assert (code, out, os.path.exists(path)) == (3, "Removed 0  -  0 alive\n", True)
    busy = f"somebody else is folding in {stats_dir}; it was waited for 1 s"
    assert err == f"cleanstats: Could not remove {path}: {busy}\n"
    with folding(stats_dir) as other:
        monkeypatch.setattr(burying.time, "sleep", lambda _: other.poll() or other.communicate(b"\n"))
        assert clean()[1].splitlines()[-1] == "Removed 1  -  0 alive"


def test_a_file_is_told_as_it_was_named(stats_dir, clean, monkeypatch):
    """However that is written."""
    monkeypatch.chdir(stats_dir)
    for named in (f"{stats_dir}//a.mmstats", "a.mmstats", "./a.mmstats"):
        dead(stats_dir, "a")
        assert clean(named)[1].splitlines()[0].endswith(f" not found. Deleting {named}")


def test_exit_codes_and_messages(stats_dir, tmp_path, clean):
    none = str(tmp_path / "none.mmstats")
    table = [
        ([], 0, "Removed 0  -  0 alive\n", ""),
        ([f"{tmp_path}/*.none"], 0, "Removed 0  -  0 alive\n", ""),
        ([tmp_path], 0, "Removed 0  -  0 alive\n", ""),
        ([none], 1, "Removed 0  -  0 alive\n", f"cleanstats: {none}: No such file or directory\n"),
        ([none, "--json"], 1, "", f"cleanstats: {none}: No such file or directory\n"),
        ([f"{tmp_path}/x-retired.mmstats"], 1, "Removed 0  -  0 alive\n",
         f"cleanstats: {tmp_path}/x-retired.mmstats: No such file or directory\n"),
    ]  # fmt: skip
    for words, code, out, err in table:
        assert clean(*words) == (code, out, err), words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--dry"], "unrecognized arguments"),
        (["--older-than", "soon"], "--older-than takes a time as 90, 10m, 1.5h or 2d: 'soon'"),
        (["--older-than", "-1h"], "expected one argument"),
        (["--older-than=-1h"], "--older-than takes a time"),
        (["--watch", "0"], "--watch takes a time"),
        (["--watch", "nan"], "--watch takes a time"),
        (["--watch", "inf"], "--watch takes a time"),
        (["--watch", "1", "--forget", "x"], "--forget is done once"),
        (["--forget", "a{b}"], "expected key=value"),
    ],
)
def test_usage_errors(stats_dir, clean, words, message):
    code, out, err = clean(*words)
    assert (code, out, message in err) == (2, "", True), err


def test_help_and_version(clean):
    code, out, err = clean("-h")
    assert (code, err, len(out.splitlines())) == (0, "", 3)
    code, out, _ = clean("--help")
    assert (code, out.startswith("examples:"), "--older-than" in out, "exit codes" in out) == (0, *[True] * 3)
    assert max(map(len, out.splitlines())) <= 80
    assert clean("--version") == (0, f"cleanstats {mmstats.__version__}\n", "")


def test_what_a_terminal_would_obey_is_shown(stats_dir, clean):
    dead(stats_dir, "a\x1b[31m\n-1", hostname="\x1b[2J", group="g")
    out = clean("-v")[1]
    assert "a\\x1b[31m\\x0a-1.mmstats" in out
    assert len(out.splitlines()) == 2


def run(*words, directory, script="{}", **more):
    env = {**os.environ, "PYTHONPATH": str(programs.ROOT / "src"), "MMSTATS_PATH": str(directory)}
    command = " ".join([sys.executable, SCRIPT, *words])
    return subprocess.run(
        ["bash", "-c", script.format(command)], env=env, capture_output=True, timeout=60, check=False, **more
    )


def test_a_reader_that_goes_away(stats_dir):
    """All is done by the time that anything is said."""
    for number in range(300):
        old(stats_dir, name=f"app-{number}-{'x' * 200}")
    dead(stats_dir)
    done = run(directory=stats_dir, script="{} | head -1; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout.splitlines()[-1], done.stderr) == (b"141", b"")
    assert "app-retired.mmstats" in names(stats_dir)


def test_the_module_does_the_same(stats_dir):
    done = [
        run(directory=stats_dir).stdout,
        run(directory=stats_dir, script=f"{sys.executable} -m mmstats clean").stdout,
    ]
    assert done == [b"Removed 0  -  0 alive\n"] * 2


def test_the_script_may_be_run(stats_dir):
    assert os.stat(SCRIPT).st_mode & stat.S_IXUSR


HEAVY = """
    typing dataclasses pathlib tempfile importlib.metadata asyncio inspect ctypes rich textual click json
    mmstats.publish mmstats.cells shutil signal re glob fnmatch enum logging pwd
    mmstats.fold.folder mmstats.plan
"""


@pytest.mark.parametrize(
    ("words", "heavy"),
    [([], f"{HEAVY} argparse"), (["-n"], HEAVY.replace(" re ", " ").replace(" enum ", " "))],
)
@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="not on PyPy: it loads half of its library by itself"
)
def test_start_up_loads_little(stats_dir, words, heavy):
    """Where there is nothing to do."""
    path = dead(stats_dir)
    with open(path, "r+b") as file:
        assert locks.hold(file.fileno(), layout.LOCK_WRITER)
        os.pwrite(file.fileno(), bytes(16), layout.HEADER_BOOT_ID)
        code = (
            f"import sys; sys.path.insert(0, {str(programs.ROOT / 'src')!r}); before = set(sys.modules)\n"
            f"from mmstats.tools.cleanstats import main\nmain({[str(stats_dir), *words]!r})\n"
            "print(*sorted(set(sys.modules) - before), file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
        )
    assert done.stdout.endswith("  -  1 alive\n")
    loaded = set(done.stderr.split())
    assert loaded & set(heavy.split()) == set()
    assert len(loaded) <= 50 + (31 if words else 0)


def test_every_folder_is_closed(stats_dir, clean):
    """Neither descriptors nor the lock stay behind."""
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        dead(stats_dir)
        old(stats_dir, gone_pid())
        clean("--compact", "--forget", "none")
    assert len(os.listdir("/proc/self/fd")) == before
    with Folder(str(stats_dir)), open(stats_dir / ".fold", "r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_UN)
