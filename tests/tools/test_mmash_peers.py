"""Whose connection it is: by the question for one socket, and by the table of all."""

from __future__ import annotations

import contextlib
import os
import socket

import pytest

from mmstats.tools.mmash import peers
from mmstats.tools.mmash.peers import uid_of

pytestmark = pytest.mark.main
NOBODY = 65534


@pytest.fixture(params=["asked", "table"])
def way(request, monkeypatch):
    """Either way alone."""
    if request.param == "table":
        monkeypatch.setattr(peers, "_asked", lambda *_: None)
    else:
        monkeypatch.setattr(peers, "_in_table", lambda *_: None)


@contextlib.contextmanager
def connected(family=socket.AF_INET, host="127.0.0.1"):
    """The addresses of both ends, the client's first."""
    listening = socket.create_server((host, 0), family=family)
    with listening, socket.create_connection(listening.getsockname()[:2]) as client:
        there, _ = listening.accept()
        with there:
            yield client, client.getsockname()[:2], there.getsockname()[:2]


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_our_own(way, family, host):
    try:
        with connected(family, host) as (_, client, server):
            assert uid_of(client, server) == os.geteuid()
    except OSError as error:
        if family == socket.AF_INET6:
            pytest.skip(f"not on a machine without ::1: {error}")
        raise


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a socket of somebody else")
def test_somebody_else_s(way):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ready, tell = os.pipe()
        wait, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                with socket.create_connection(listening.getsockname()):
                    os.write(tell, b".")
                    os.read(wait, 1)
            finally:
                os._exit(0)
        os.read(ready, 1)
        there, client = listening.accept()
        assert uid_of(client, there.getsockname()) == NOBODY
        os.write(go, b".")
        os.waitpid(pid, 0)
        there.close()
        for fd in (ready, tell, wait, go):
            os.close(fd)


def test_nobody_s(way):
    with connected() as (_, client, server):
        assert uid_of((client[0], 1), server) is None
        assert uid_of(client, (server[0], 1)) is None
        assert uid_of(("127.0.0.2", client[1]), server) is None
    for wrong in (("testclient", 50000), ("::ffff:1.2.3.4", 5), ("", 0), ("1.2.3.4", 99999)):
        assert uid_of(wrong, ("127.0.0.1", 80)) is None
