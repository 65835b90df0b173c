"""Real servers, real requests: requests answered equal requests counted, whoever forked and how."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import programs

pytestmark = [pytest.mark.main]  # servers are installed for the main Python

APP = """
import mmstats

class Model(mmstats.MmStats):
    answered = mmstats.CounterField(label='answered')
    by_thread = mmstats.UInt64Field(label='by_thread', keep=True)

stats = Model(group='app')
stats.answered.incr(0)

def application(environ, start_response):
    stats.answered.incr()
    stats.by_thread += 1
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '2')])
    return [b'ok']
"""

GUNICORN = [
    *("-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "--threads", "4"),
    *("--max-requests", "60", "--max-requests-jitter", "20", "--log-level", "warning", "app:application"),
]
UWSGI = [
    *("--http-socket", "127.0.0.1:{port}", "--master", "--processes", "2", "--wsgi-file", "app.py"),
    *("--die-on-term", "--max-requests", "60", "--disable-logging"),
]
SERVERS = {
    "gunicorn": [sys.executable, *GUNICORN],
    "gunicorn --preload": [sys.executable, *GUNICORN, "--preload"],
    "uwsgi": [str(Path(sys.executable).parent / "uwsgi"), *UWSGI],
    "uwsgi --enable-threads": [str(Path(sys.executable).parent / "uwsgi"), *UWSGI, "--enable-threads"],
}


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS.keys())
def test_requests_answered_are_requests_counted(twin, stats_dir, tmp_path, command):
    """Workers are forked, in Python or in C, recycled every 60 requests, and the totals are exact."""
    if shutil.which(command[0]) is None:
        pytest.fail(f"{command[0]} is not installed: make test installs it")
    (tmp_path / "app.py").write_text(APP)
    with serving(command, twin, stats_dir, tmp_path) as port:
        answered = load(port, threads=4, each=150)
    found = programs.totals(twin, stats_dir)
    assert (found["answered"], found["by_thread"]) == (answered, answered)
    assert len(programs.files(stats_dir)) > 2


@contextlib.contextmanager
def serving(command, twin, stats_dir, directory):
    """A server on a port of its own, that answers by the time we go on; ended in order."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [word.format(port=port) for word in command],
        env=programs.environment(twin, stats_dir, PYTHONWARNINGS="ignore"),
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for(port, server)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()
            raise


def wait_for(port: int, server: subprocess.Popen[str]) -> None:
    """Until the server takes connections; says what it printed if it ends instead."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"the server ended: {server.communicate()[0]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not begin to answer within 30 s")


def load(port: int, *, threads: int, each: int) -> int:
    """How many requests were answered; each thread asks until it has its number of answers."""
    answered = [0] * threads

    def ask(which: int) -> None:
        for _ in range(10 * each):
            answered[which] += was_answered(port)
            if answered[which] == each:
                return

    clients = [threading.Thread(target=ask, args=(which,)) for which in range(threads)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert answered == [each] * threads
    return sum(answered)


def was_answered(port: int) -> bool:
    """One request over a connection of its own; a worker that is being recycled may refuse it unheard."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.connect()
        connection.request("GET", "/")
        return connection.getresponse().read() == b"ok"
    except OSError:
        return False
    finally:
        connection.close()


def test_the_master_is_told_apart(twin, stats_dir, tmp_path):
    """With --preload the master has a file too, and stays at zero: its bytes are nobody else's."""
    (tmp_path / "app.py").write_text(APP)
    with serving(SERVERS["gunicorn --preload"], twin, stats_dir, tmp_path) as port:
        load(port, threads=2, each=20)
        script = """
        for snapshot in mmstats.snapshot():
            origin, value = snapshot.origin, snapshot.value
            print(origin.pid, origin.state, value('answered'), value('sys.pid'))
        """
        rows = [line.split() for line in programs.run(script, twin, stats_dir).stdout.splitlines()]
    assert all(pid == static for pid, _, _, static in rows)
    assert len([row for row in rows if row[2] == "0"]) == 1
    assert os.getpid() not in [int(row[0]) for row in rows]
