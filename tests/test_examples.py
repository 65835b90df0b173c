"""The examples do what they say. The demo above all: two ledgers, equal, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytestmark = [pytest.mark.main, pytest.mark.slow]

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
DEMO = [sys.executable, "-u", EXAMPLES / "demo" / "demo.py"]


def environment(**more):
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MMSTATS_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**ours, "PATH": path, "PYTHONUNBUFFERED": "1", **more}


def start(words, **env):
    return subprocess.Popen(
        words,
        env=environment(**env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def processes_that_know(directory):
    """Pids of processes that were told to publish there."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue  # gone meanwhile, or not ours
        if os.fsencode(directory) in environ:
            found.append(pid)
    return found


def check_demo(said, status):
    """Equal; no process and no file left."""
    assert (said.splitlines()[-1], status) == ("equal", 0), said
    (directory,) = re.findall(r"its files are in (\S+)", said)
    assert not os.path.exists(directory)
    assert processes_that_know(directory) == []
    for name in ("200", "302", "404", "500"):
        assert re.search(rf"^{name} +[1-9]", said, re.MULTILINE)


def recycled(line):
    """Whether that line tells of more workers than run at a time, and one more."""
    return any(int(ever) > 5 for ever in re.findall(r"(\d+) workers so far", line))


@pytest.mark.parametrize("twin", ["native", "pure"])
def test_the_demo_ends_with_the_word_equal(twin):
    """At Ctrl-C, after workers were recycled; the signal goes to the whole group, as a terminal sends it."""
    demo = start([*DEMO, "--seconds", "60"], MMSTATS_CELLS=twin)
    said = ""
    for line in iter(demo.stdout.readline, ""):
        said += line
        if recycled(line):
            os.killpg(demo.pid, signal.SIGINT)
            break
    else:
        raise AssertionError(f"no worker was recycled:\n{said}")
    rest, _ = demo.communicate(timeout=90)
    check_demo(said + rest, demo.returncode)


def test_the_demo_ends_after_so_many_seconds():
    demo = start([*DEMO, "--seconds", "2"])
    said, _ = demo.communicate(timeout=90)
    check_demo(said, demo.returncode)
    (seconds,) = re.findall(r"^ *(\d+)s.*so far$", said, re.MULTILINE)
    assert seconds == "1"


@pytest.mark.soak
def test_the_demo_stays_equal_for_minutes():
    demo = start([*DEMO, "--seconds", "120"])
    said, _ = demo.communicate(timeout=240)
    check_demo(said, demo.returncode)


def test_basic(tmp_path):
    basic = start([sys.executable, EXAMPLES / "basic.py"], MMSTATS_PATH=str(tmp_path))
    said = [basic.stdout.readline(), basic.stdout.readline()]
    assert said[0].startswith("11 queries, 1000 hits")
    command = said[1].split()
    shown = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout
    assert re.search(r"com\.example\.app\.queries +11\n", shown)
    assert re.search(r"com\.example\.app\.degraded +True\n", shown)
    basic.communicate("\n", timeout=10)
    assert basic.returncode == 0
    assert [path.name for path in tmp_path.iterdir() if path.suffix] == ["basic.py-retired.mmstats"]


def test_run_flask_example(tmp_path):
    """Four processes answer; all that they counted is one sum from outside."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = start([EXAMPLES / "run_flask_example"], MMSTATS_PATH=str(tmp_path), PORT=str(port))
    try:
        statuses = [ask(f"http://127.0.0.1:{port}{page}") for page in ["/", "/500", "/status"] * 10]
        assert (statuses.count(200), statuses.count(500)) == (20, 10)
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=40)
    command = ["slurpstats", "--by", "all", "--jsonl", "-p", "flask.example", str(tmp_path)]
    shown = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout
    assert re.search(r'"label": ?"flask.example.ok".*"value": ?20\b', shown), said
    assert re.search(r'"label": ?"flask.example.bad".*"value": ?10\b', shown)


def ask(url):
    """The status; the first time as soon as there is somebody to answer."""
    end = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except urllib.error.URLError:
            assert time.monotonic() < end, "nobody answers"
            time.sleep(0.05)
