"""Servers that the tests start on loopback, and clients that ask them; everything is bounded."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

APP = """
import os
import mmstats

class Model(mmstats.MmStats):
    answered = mmstats.CounterField(label='answered')
    by_thread = mmstats.UInt64Field(label='by_thread', keep=True)

stats = Model(group='app')
stats.answered.incr(0)
HEADERS = [('Content-Type', 'text/plain')]

def count():
    stats.answered.incr()
    stats.by_thread += 1
    return f'{os.getpid()} {os.geteuid()}'.encode()

def wsgi(environ, start_response):
    start_response('200 OK', HEADERS)
    return [count()]

async def asgi(scope, receive, send):
    headers = [tuple(word.lower().encode() for word in pair) for pair in HEADERS]
    await send({'type': 'http.response.start', 'status': 200, 'headers': headers})
    await send({'type': 'http.response.body', 'body': count()})
"""


@contextlib.contextmanager
def serving(command, environment, directory):
    """APP behind a server on a port of its own, that answers by the time we go on; ended in order."""
    Path(directory, "app.py").write_text(APP)
    port = free_port()
    server = subprocess.Popen(
        [word.format(port=port) for word in command],
        env={**environment, "PYTHONWARNINGS": "ignore"},
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
            said, _ = server.communicate(timeout=30)
            print(said)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()
            raise


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


def load(port: int, *, threads: int, each: int) -> list[tuple[int, int]]:
    """The pid and uid of who answered, for each answer; each thread asks until it has so many."""
    answers: list[list[tuple[int, int]]] = [[] for _ in range(threads)]

    def ask(mine: list[tuple[int, int]]) -> None:
        for _ in range(10 * each):
            mine += answers_of(port)
            if len(mine) == each:
                return

    clients = [threading.Thread(target=ask, args=(mine,)) for mine in answers]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert [len(mine) for mine in answers] == [each] * threads
    return [answer for mine in answers for answer in mine]


def load_until_another(port: int, pids: set[int], *, threads: int, each: int) -> list[tuple[int, int]]:
    """Rounds of `load`, until a process has answered that is not among `pids`."""
    end = time.monotonic() + 30
    answers: list[tuple[int, int]] = []
    while time.monotonic() < end:
        answers += load(port, threads=threads, each=each)
        if {pid for pid, _ in answers} - pids:
            return answers
    pytest.fail("nobody else answered within 30 s")


def answers_of(port: int) -> list[tuple[int, int]]:
    """One request over a connection of its own; none where a worker that is going refused it unheard."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.connect()
        connection.request("GET", "/")
        pid, uid = connection.getresponse().read().split()
    except (OSError, http.client.HTTPException):
        return []
    finally:
        connection.close()
    return [(int(pid), int(uid))]
