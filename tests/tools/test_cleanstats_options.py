"""What cleanstats does on request: rehearse, tell programs, spare the young, drop, forget, compact, watch."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import filebuilder as fb
import mmstats
import programs
from departed import BYTES, COUNT_3, counted, dead, everything, gone_pid, leftover, names, objects, old
from mmstats.tools import watching

pytestmark = pytest.mark.main  # tools are run by one Python

SCRIPT = str(programs.ROOT / "bin/cleanstats")


def test_a_dry_run_changes_nothing_at_all(program, stats_dir, clean):
    """No .fold either; its words are those of the real run, that it would."""
    killed, alive = program(), program()
    killed.kill()
    path = old(stats_dir, pid := gone_pid())
    left = leftover(stats_dir / ".retired.new")
    before = everything(stats_dir)
    code, out, err = clean("--dry-run")
    assert (code, err) == (0, "")
    assert sorted(out.splitlines()) == sorted([
        f"PID {killed.pid} not found. Would delete {killed.path}",
        f"PID {pid} not found. Would delete {path}",
        f"Left by a fold that was killed. Would delete {left}",
        "Would remove 3  -  1 alive",
    ])  # fmt: skip
    assert clean("-n", "--forget", "count", "--compact", "--discard", "--json")[0] == 0
    assert everything(stats_dir) == before
    assert clean()[1] == out.replace("Would delete", "Deleting").replace("Would remove", "Removed")
    assert Path(alive.path).exists()


def test_a_dry_run_tells_what_a_real_run_would_not_do(stats_dir, clean, monkeypatch):
    """A metric that only a newer mmstats knows; retired totals that are damaged; a file folded already."""
    dead(stats_dir, "a-1-a", ("x", "counter", fb.U64, 1), group="new")
    path = fb.write(
        stats_dir / "b-2-b.mmstats", fb.whole(fb.metric("y", 77), fb.cells(1, [1]), pid=gone_pid())
    )
    (stats_dir / "new-retired.mmstats").write_bytes(fb.whole(group="else"))
    dry = clean("-n")
    assert dry[0] == 3
    assert f"Kept {path}: " in dry[1]
    assert "Could not remove" in dry[2]
    assert clean()[::2] == dry[::2]


def test_quiet_says_only_what_could_not_be_done(stats_dir, clean):
    dead(stats_dir)
    assert clean("-q") == (0, "", "")
    path = dead(stats_dir)
    (stats_dir / "app-retired.mmstats").write_bytes(b"")
    code, out, err = clean("-q")
    assert (code, out) == (3, "")
    assert err.startswith(f"cleanstats: Could not remove {path}: app: its retired totals: ")


def test_json(stats_dir, clean):
    """An object for each file, with the same keys in each, and nothing else."""
    pid = gone_pid()
    path, living = dead(stats_dir, "a-1-a", pid=pid), old(stats_dir, os.getpid(), name="b-2-b")
    (stats_dir / "c\n.mmstats").write_bytes(b"vm\0")
    dry, done = objects(clean("-n", "--json")[1]), objects(clean("--json")[1])
    keys = ["schema", "t", "path", "pid", "state", "action", "reason"]
    assert [list(one) for one in (*dry, *done)] == [keys] * 6
    assert all(one["schema"] == 1 and one["t"] > 1.7e9 for one in done)
    assert [[one[key] for key in keys[2:]] for one in done] == [
        [path, pid, "gone", "folded", f"PID {pid} not found"],
        [living, os.getpid(), "alive", "kept", f"PID {os.getpid()} is alive"],
        [f"{stats_dir}/c\n.mmstats", None, None, "kept", "Invalid file"],
    ]
    assert [one["action"] for one in dry] == ["would fold", "kept", "kept"]


@pytest.mark.parametrize(
    ("words", "action"), [([], "folded"), (["--discard"], "discarded"), (["--older-than", "1d"], "kept")]
)
def test_json_says_what_was_done(stats_dir, clean, words, action):
    dead(stats_dir, created=time.time_ns() - 3600 * 10**9)
    assert [one["action"] for one in objects(clean("--json", *words)[1])] == [action]


def test_json_of_failures(stats_dir, clean):
    path = dead(stats_dir)
    (stats_dir / "app-retired.mmstats").write_bytes(b"")
    code, out, err = clean("--json")
    (one,) = [one for one in objects(out) if one["path"] == path]
    assert (code, one["action"], err) == (3, "failed", "")
    assert "its retired totals" in one["reason"]


@pytest.mark.parametrize(
    ("text", "removed"), [("1h", 1), ("90m", 1), ("119m", 1), ("3h", 0), ("1d", 0), ("7000", 1), ("7300s", 0)]
)
def test_older_than(stats_dir, clean, text, removed):
    """Since it began to publish, of both versions; a younger one's file is kept without a word."""
    dead(stats_dir, created=time.time_ns() - 7200 * 10**9)
    old(stats_dir, gone_pid(), created=time.time() - 7200)
    assert clean("--older-than", text)[1].splitlines()[-1] == f"Removed {2 * removed}  -  0 alive"
    assert len(names(stats_dir)) == (1 if removed else 2)
    if not removed:
        assert clean("--older-than", text)[1] == "Removed 0  -  0 alive\n"
        assert "but began to publish less than" in clean("-v", "--older-than", text)[1]


def test_discard_drops(program, stats_dir, twin, clean):
    program().kill()
    assert clean("--discard")[1].splitlines()[-1] == "Removed 1  -  0 alive"
    assert (names(stats_dir), programs.totals(twin, stats_dir)) == ([], {})


def test_forget(program, stats_dir, twin, clean):
    """In every group, once the dead are folded; what lives goes on."""
    two = "class Two(Model):\n    other = mmstats.CounterField(label='other')\n"
    script = f"{two}stats = Two(); stats.count.incr(3); stats.other.incr(5)"
    *killed, _ = [program(script, group=group) for group in ("web", "job", "web")]
    for one in killed:
        one.kill()
    web, job = {("web", "count"): 6, ("web", "other"): 10}, {("job", "count"): 3, ("job", "other"): 5}
    assert counted(stats_dir) == {**web, **job}
    code, out, _ = clean("--forget", "count")
    assert code == 0
    assert out.splitlines()[-3:] == [
        f"Forgot 1 total of 'count' in {stats_dir}/job-retired.mmstats",
        f"Forgot 1 total of 'count' in {stats_dir}/web-retired.mmstats",
        "Removed 2  -  1 alive",
    ]
    assert counted(stats_dir) == {("web", "count"): 3, ("web", "other"): 10, ("job", "other"): 5}
    assert clean("--forget", "count")[1].splitlines()[0] == "Forgot 0 totals: there are none of 'count'"
    assert "Close: other\n" in clean("--forget", "othr")[1]
    numbers = [one.get("totals") for one in objects(clean("--json", "--forget", "other{a!=b}")[1])]
    assert numbers[-2:] == [1, 1]


def test_forget_takes_conditions_on_tags(stats_dir, clean):
    """The only tags in totals yet are those of what could not be published."""
    dead(stats_dir, dropped=struct.pack("<8Q", 0, 3, 4, 0, 0, 0, 0, 0))
    out = clean("--forget", "mmstats.dropped{reason=private}")[1]
    assert f"Forgot 1 total of 'mmstats.dropped{{reason=private}}' in {stats_dir}" in out
    found = mmstats.combined(stats_dir)
    assert [stat.tags for stat in found.stats if stat.label == "mmstats.dropped"] == [{"reason": "space"}]


def test_forgetting_nothing_writes_nothing(stats_dir, clean):
    dead(stats_dir)
    clean()
    before = everything(stats_dir)
    clean("--forget", "nothing")
    assert everything(stats_dir) == before


def test_compact_drops_what_nobody_declares(program, stats_dir, clean):
    """The superseded total goes, unless a program that is there declares it so; sizes are said."""
    program().kill()
    clean()
    living = program(COUNT_3)
    program(BYTES).kill()
    clean()
    path = stats_dir / "app-retired.mmstats"
    assert b"count" in path.read_bytes()
    kept = clean("--compact")[1].splitlines()[0]
    assert re.fullmatch(rf"Compacted {path}: \d+ bytes before, \d+ after; 0 superseded totals went", kept)
    living.kill()
    clean("--discard")
    before, size = mmstats.combined(stats_dir).value("count"), path.stat().st_size
    dry = clean("-n", "--compact")[1].splitlines()[0]
    assert dry == f"Would compact {path}: {size} bytes, of which 1 superseded total would go"
    said = clean("--compact")[1].splitlines()[0]
    after = path.stat().st_size
    assert said == f"Compacted {path}: {size} bytes before, {after} after; 1 superseded total went"
    assert after < size
    assert before == mmstats.combined(stats_dir).value("count") == 40


def test_compact_drops_names_that_nobody_needs(stats_dir, clean, monkeypatch):
    """Those of files that are gone for more than a minute."""
    for number in range(50):
        dead(stats_dir, f"a-{number}-a")
    clean()
    path = stats_dir / "app-retired.mmstats"
    clean("--compact")  # the first that finds the files gone: their minute begins
    before = path.stat().st_size
    monkeypatch.setattr("mmstats.fold.ledger.REMEMBERED", -1)
    (one,) = [one for one in objects(clean("--compact", "--json")[1]) if one["action"] == "compacted"]
    assert (one["before"], one["after"], one["totals"]) == (before, path.stat().st_size, 0)
    assert before - one["after"] >= 48 * 32  # lanes begin at a multiple of 64
    assert mmstats.combined(stats_dir).value("count") == 250


def test_totals_that_cannot_be_changed(stats_dir, clean):
    dead(stats_dir)
    clean()
    path, wrong = stats_dir / "app-retired.mmstats", stats_dir / "else-retired.mmstats"
    path.rename(wrong)
    fb.write(wrong, wrong.read_bytes())  # with its inode, as if it were no copy
    code, _, err = clean("--compact")
    assert code == 3
    assert err.startswith(f"cleanstats: Could not change {wrong}: offset=0: found 'else-retired.mmstats'")


@contextmanager
def looking(directory, seconds):
    """`--watch`, through a pipe, for a minute at most: a line that never comes is none."""
    command = [sys.executable, SCRIPT, "--watch", seconds]
    env = programs.environment("pure", directory, PYTHONUNBUFFERED="")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, text=True, **pipes) as running:
        late = threading.Timer(60, running.kill)
        late.start()
        yield running
        late.cancel()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_watch_ends_in_order(stats_dir, end):
    """Each round is out at once, in a pipe as well; a signal ends the longest wait, with 0."""
    with looking(stats_dir, "1h") as running:
        assert running.stdout.readline() == "Removed 0  -  0 alive\n"
        running.send_signal(end)
        assert (running.communicate(), running.returncode) == (("", ""), 0)


def test_watch_looks_again_and_again(program, stats_dir):
    one = program()
    with looking(stats_dir, "0.05") as running:
        assert [running.stdout.readline() for _ in range(3)] == ["Removed 0  -  1 alive\n"] * 3
        one.kill()
        said = "Removed 0  -  1 alive\n"
        while said == "Removed 0  -  1 alive\n":
            said = running.stdout.readline()
        assert said == f"PID {one.pid} not found. Deleting {one.path}\n"
        assert running.stdout.readline() == "Removed 1  -  0 alive\n"
        running.terminate()
        running.communicate()
    assert running.returncode == 0


def test_the_beat_is_steady(monkeypatch):
    """What a round takes is taken off the wait; beats that passed meanwhile are left out."""
    now, waits, rounds = [100.0], [], iter([0.25, 0.5, 2.25, 1.0])

    def wait(told, _, __, seconds):
        waits.append(seconds)
        now[0] += seconds
        return [told if len(waits) == 4 else []]

    def work():
        now[0] += next(rounds)
        return 0

    monkeypatch.setattr(watching, "_told", lambda: 0)
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(watching.select, "select", wait)
    assert watching.watch(1.0, work) == 0
    assert waits == [0.75, 0.5, 0.75, 1.0]
