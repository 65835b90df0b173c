"""pollstats as a program: what it watches comes and goes, its reader goes away, a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import programs

pytestmark = [pytest.mark.main]
ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = str(ROOT / "bin/pollstats")
COUNTS = """
stats = Model()
print("ready", flush=True)
while True:
    stats.count.incr()
    time.sleep(0.001)
"""


def environment(stats_dir, **more):
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MMSTATS_")}
    return {**ours, "PYTHONPATH": str(ROOT / "src"), "MMSTATS_PATH": str(stats_dir), **more}


def start(stats_dir, *words, **more):
    command = [sys.executable, SCRIPT, *words]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more.pop("streams", {})}
    return subprocess.Popen(command, env=environment(stats_dir, **more), text=True, **streams)


@pytest.fixture
def counting(stats_dir):
    """Starts a program that counts without end; ends it."""
    started = []

    def begin():
        code = f"{programs.MODEL}\nimport time\n{COUNTS}"
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment(stats_dir), stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_each_row_comes_as_it_is_due(stats_dir, counting):
    """Through a pipe, within an interval; and Ctrl-C is an orderly end."""
    counting()
    polling = start(stats_dir, "--jsonl", "-d", "0.2", "count")
    rows = [json.loads(polling.stdout.readline()) for _ in range(3)]
    assert time.time() - rows[-1]["t"] < 5
    assert all(row["values"]["count"] > 0 and 0.1 < row["dt"] < 5 for row in rows)
    polling.send_signal(signal.SIGINT)
    _, err = polling.communicate(timeout=20)
    assert (polling.returncode, err) == (0, "")


def test_a_worker_that_is_killed_and_one_that_comes(stats_dir, counting):
    """The sum of all rows is what was counted; nobody is counted twice, and nothing is negative."""
    first = counting()
    polling = start(stats_dir, "--jsonl", "-d", "0.2", "-v", "count")
    rows = [json.loads(polling.stdout.readline())]
    second = counting()
    rows += [json.loads(polling.stdout.readline()) for _ in range(2)]
    first.kill()
    first.wait()
    rows += [json.loads(polling.stdout.readline()) for _ in range(2)]
    second.kill()
    second.wait()
    rows += [json.loads(polling.stdout.readline()) for _ in range(2)]
    polling.send_signal(signal.SIGINT)
    _, err = polling.communicate(timeout=20)
    assert [row["values"]["count"] >= 0 for row in rows] == [True] * 7
    assert rows[-1]["values"]["count"] == 0
    assert {row["procs"] for row in rows} == {0, 1, 2}
    assert f"+-c {second.pid}" in err
    assert f"{first.pid}" in err


def test_a_reader_that_goes_away(stats_dir, counting):
    counting()
    polling = start(stats_dir, "-d", "0.05", "count:rate")
    polling.stdout.readline()
    polling.stdout.close()
    assert polling.wait(timeout=20) == -signal.SIGPIPE
    assert polling.stderr.read() == ""
    polling.stderr.close()


def test_until_somebody_is_there(stats_dir, counting):
    polling = start(stats_dir, "-d", "0.05", "--until", "count>10", "count:value")
    counting()
    out, err = polling.communicate(timeout=30)
    assert (polling.returncode, err) == (0, "")
    assert int(out.splitlines()[-1].split()[0].replace(",", "")) > 10


def test_recorded_and_replayed(stats_dir, counting, tmp_path):
    counting()
    path = str(tmp_path / "run.jsonl.gz")
    polling = start(stats_dir, "--csv", "-d", "0.1", "-c", "3", "--record", path, "count")
    live, err = polling.communicate(timeout=30)
    assert (polling.returncode, err) == (0, "")
    again, _ = start(stats_dir, "--csv", "--replay", path, "count").communicate(timeout=30)
    assert (again, len(live.splitlines())) == (live, 4)


def test_the_module_does_the_same(stats_dir):
    words = [sys.executable, "-m", "mmstats", "poll", "--version"]
    done = subprocess.run(words, env=environment(stats_dir), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pollstats ")


def test_on_a_terminal(stats_dir, counting):
    """Who comes stands behind the row; names are cut where it is narrow."""
    counting()
    ours, theirs = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 30, 0, 0))
    words = ["-d", "0.1", "-c", "2", "count:rate,number,real"]
    polling = start(stats_dir, *words, streams={"stdout": theirs}, TERM="xterm", NO_COLOR="1")
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    polling.communicate(timeout=20)
    os.close(ours)
    lines = said.decode().split("\r\n")
    assert polling.returncode == 0
    assert "procs" in lines[0]
    assert lines[0].endswith("… +1")
    assert "\x1b" not in said.decode()


HEAVY = """
    typing dataclasses pathlib tempfile importlib.metadata asyncio inspect ctypes rich textual click json csv
    gzip mmstats.publish mmstats.cells shutil mmstats.tools.recordings
"""


def test_start_up_loads_little(stats_dir):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); before = set(sys.modules)\n"
        f"from mmstats.tools.pollstats import main\nmain(['x', {str(stats_dir)!r}])\n"
        "print(*sorted(set(sys.modules) - before), file=sys.stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        env=environment(stats_dir),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "mmstats.tools.polling" in loaded
    assert loaded & set(HEAVY.split()) == set()
