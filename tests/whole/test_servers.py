"""Real servers, real requests: requests answered equal requests counted, whoever forked and how."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import programs
from serving import load, load_until_another, serving

pytestmark = [pytest.mark.main]  # servers are installed for the main Python

NOBODY = 65534

GUNICORN = [
    *(sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2"),
    *("--max-requests", "40", "--max-requests-jitter", "20", "--log-level", "warning"),
    *("--graceful-timeout", "2", "app:wsgi"),  # a worker that is just being born does not hear a SIGTERM
]
UVICORN = [
    *(sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2"),
    *("--lifespan", "off", "--limit-max-requests", "100", "--log-level", "warning", "app:asgi"),
]
UWSGI = [
    *(str(Path(sys.executable).parent / "uwsgi"), "--http-socket", "127.0.0.1:{port}", "--master"),
    *("--processes", "2", "--wsgi-file", "app.py", "--callable", "wsgi", "--die-on-term"),
    *("--max-requests", "90", "--min-worker-lifetime", "0", "--disable-logging"),
]
SERVERS = {
    "gunicorn sync": GUNICORN,
    "gunicorn sync --preload": [*GUNICORN, "--preload"],
    "gunicorn gthread": [*GUNICORN, "--worker-class", "gthread", "--threads", "4"],
    "gunicorn gthread --preload": [*GUNICORN, "--worker-class", "gthread", "--threads", "4", "--preload"],
    "gunicorn gevent": [*GUNICORN, "--worker-class", "gevent"],
    "gunicorn gevent --preload": [*GUNICORN, "--worker-class", "gevent", "--preload"],
    "uvicorn": UVICORN,
    "uwsgi": UWSGI,
    "uwsgi --enable-threads": [*UWSGI, "--enable-threads"],
}


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS.keys())
def test_requests_answered_are_requests_counted(twin, stats_dir, tmp_path, command):
    """Workers are forked in Python, in C or not at all, recycled, one is killed, and the totals are exact."""
    if shutil.which(command[0]) is None:
        pytest.fail(f"{command[0]} is not installed: make test installs it")
    with serving(command, programs.environment(twin, stats_dir), tmp_path) as port:
        answers = load(port, threads=4, each=40)
        with contextlib.suppress(ProcessLookupError):  # it was recycled just now
            os.kill(answers[-1][0], signal.SIGKILL)
        answers += load_until_another(port, {pid for pid, _ in answers}, threads=4, each=40)
    found = programs.totals(twin, stats_dir)
    assert (found["answered"], found["by_thread"]) == (len(answers), len(answers))
    assert len({pid for pid, _ in answers}) > 1


def test_the_master_is_told_apart(twin, stats_dir, tmp_path):
    """With --preload the master has a file too, and stays at zero: its bytes are nobody else's."""
    command = SERVERS["gunicorn sync --preload"]
    with serving(command, programs.environment(twin, stats_dir), tmp_path) as port:
        pids = {pid for pid, _ in load(port, threads=2, each=15)}
        script = """
        for snapshot in mmstats.snapshot():
            origin, value = snapshot.origin, snapshot.value
            print(origin.pid, value('answered'), value('sys.pid'))
        """
        said = programs.run(script, twin, stats_dir).stdout
    rows = [[int(word) for word in line.split()] for line in said.splitlines()]
    assert all(pid == static for pid, _, static in rows)
    assert pids == {pid for pid, answered, _ in rows if answered}
    assert len([pid for pid, answered, _ in rows if not answered]) == 1


@pytest.fixture(params=["a shared directory", "the default place"])
def place(request, stats_dir):
    """MMSTATS_PATH, and what to put before a command that is to run where that is nobody else's."""
    if request.param == "a shared directory":
        stats_dir.chmod(0o777)
        yield str(stats_dir), []
    else:
        with room_of_its_own() as within:
            yield "", within


@contextlib.contextmanager
def room_of_its_own():
    """The words that run a command where /dev/shm is empty."""
    script = "mount -t tmpfs -o mode=1777 tmpfs /dev/shm && echo ready && exec cat"
    keeper = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert keeper.stdout.readline() == "ready\n"
        yield ["nsenter", f"--mount=/proc/{keeper.pid}/ns/mnt", "--wd=."]
    finally:
        keeper.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_server_that_becomes_another_user(twin, stats_dir, tmp_path, place):
    """Root's master and nobody's workers publish apart; root reads them as one."""
    directory, within = place
    command = [*within, *SERVERS["gunicorn sync --preload"], "--user", "nobody", "--group", "nogroup"]
    with serving(command, programs.environment(twin, stats_dir, MMSTATS_PATH=directory), tmp_path) as port:
        answers = load(port, threads=4, each=40)
        script = """
        for snapshot in mmstats.snapshot():
            file = snapshot.origin.file
            print(snapshot.origin.uid, os.stat(file).st_uid, os.path.dirname(file))
        """
        said = programs.run(script, twin, stats_dir, within=within, MMSTATS_PATH=directory).stdout
    found = programs.totals(twin, stats_dir, within=within, MMSTATS_PATH=directory)
    assert (found["answered"], found["by_thread"]) == (len(answers), len(answers))
    assert {uid for _, uid in answers} == {NOBODY}
    above = directory or "/dev/shm"
    assert set(said.splitlines()) == {f"{uid} {uid} {above}/mmstats-{uid}" for uid in (0, NOBODY)}
