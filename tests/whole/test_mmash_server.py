"""mmash as a program: how it starts and ends, whom it lets in, and what streams see."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import filebuilder as fb
import programs

pytestmark = pytest.mark.main

MMASH = [sys.executable, "-m", "mmstats", "mmash"]
NOBODY = 65534
LONG = 20  # seconds


@pytest.fixture
def place(tmp_path):
    directory = tmp_path / "served"
    directory.mkdir(mode=0o755)
    rows = [("web.hits", "counter", fb.U64, 2), ("level", "gauge", fb.F64, 0.5)]
    fb.write_held(directory / "a.mmstats", fb.whole(*fb.fields(*rows), **fb.ELSEWHERE))
    return directory


class Mmash:
    """The program, and how to ask it. `address`: what it said."""

    def __init__(self, *words, **more):
        environment = programs.environment("pure", "/nowhere", **more)
        self.process = subprocess.Popen(
            [*MMASH, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert line.startswith("mmash: http://"), (line, self.process.stderr.read())
        self.address = line.split()[1]
        host = self.address.removeprefix("http://").partition("/")[0]
        self.port = int(host.rpartition(":")[2])

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)

    def ask(self, path="/stats/", method="GET", **headers):
        """Status, headers, text."""
        with contextlib.closing(self.connection()) as connection:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=names)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()

    def is_open(self):
        """Whether it can be connected to."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def end(self, number=signal.SIGINT):
        """The exit code, and what was said."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=LONG)
        return self.process.returncode, said


@pytest.fixture
def mmash():
    started = []

    def start(*words, **more):
        started.append(Mmash("--port", "0", *words, **more))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_a_signal_ends_it_at_once_with_streams_open(mmash, place, number):
    one = mmash(str(place))
    connection = one.connection()
    connection.request("GET", "/api/v1/events")
    answer = connection.getresponse()
    assert answer.getheader("content-type").startswith("text/event-stream")
    while b"event: s" not in answer.readline():
        pass
    begin = time.monotonic()
    assert one.end(number) == (0, "")
    assert time.monotonic() - begin < 2
    assert b'{"reason":"mmash ends"}' in answer.read()
    connection.close()


def test_who_is_impatient_sees_no_traceback(mmash, place):
    """A client that takes nothing keeps it for a second; a second Ctrl-C meanwhile changes nothing."""
    rows = [(f"s{number}", "counter", fb.U64, number) for number in range(2000)]
    fb.write_held(place / "b.mmstats", fb.whole(*fb.fields(*rows), **fb.ELSEWHERE))
    one = mmash("--interval", "0.05", "--keep", "1", str(place))
    slow = socket.create_connection(("127.0.0.1", one.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    wait_for(lambda: json.loads(one.ask("/api/v1/history?select=level")[2])["last"] > 5)
    one.process.send_signal(signal.SIGINT)
    wait_for(lambda: not one.is_open())
    assert one.process.poll() is None
    assert one.end() == (0, "")
    slow.close()


def wait_for(is_so):
    end = time.monotonic() + LONG
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_stream_goes_on_where_it_ended(mmash, place):
    """The connection is lost, and whoever comes again has missed nothing."""
    one = mmash(str(place), "--interval", "0.1")

    def stream(count, last=""):
        with contextlib.closing(one.connection()) as connection:
            connection.request("GET", "/api/v1/events", headers={"last-event-id": last} if last else {})
            answer, found, name = connection.getresponse(), [], ""
            while len(found) < count:
                line = answer.readline().decode().rstrip("\n")
                name = line.removeprefix("id: ") if line.startswith("id: ") else name
                if line.startswith('data: {"n"'):
                    found.append((name, json.loads(line[6:])["n"]))
            return found

    first = stream(3)
    time.sleep(0.5)
    again = stream(4, first[-1][0])
    assert [number for _, number in again] == list(range(first[-1][1] + 1, first[-1][1] + 5))


def test_the_port_is_taken(mmash, place):
    one = mmash(str(place))
    words = [*MMASH, "--port", str(one.port), str(place)]
    done = subprocess.run(
        words, env=programs.environment("pure", "/nowhere"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"mmash: 127.0.0.1:{one.port} is in use; try --port 0 (any that is free)\n"


def test_without_starlette(tmp_path):
    (tmp_path / "starlette.py").write_text("raise ImportError\n")
    environment = {
        **programs.environment("pure", tmp_path),
        "PYTHONPATH": f"{tmp_path}:{programs.ROOT / 'src'}",
    }
    done = subprocess.run(MMASH, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (69, "mmash: needs the web extra: pip install 'mmstats[web]'\n")


@pytest.mark.parametrize("words", [["--port", "x"], ["--interval", "0"], ["--nonsense"]])
def test_words_that_make_no_sense(words):
    done = subprocess.run(
        [*MMASH, *words],
        env=programs.environment("pure", "/nowhere"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage: mmash")


# --- who is let in -------------------------------------------------------------------------------


def test_on_loopback_our_own_user(mmash, place):
    one = mmash(str(place))
    assert one.ask()[0] == 200
    status, _, text = one.ask(host="evil.example:5002")
    assert status == 421
    assert "open it as localhost" in json.loads(text)["error"]
    for host in ("localhost", f"localhost:{one.port}", f"[::1]:{one.port}", "127.0.0.1"):
        assert one.ask(host=host)[0] == 200, host
    for host in ("localhost.evil.example", "evil.example:localhost", "", "127.0.0.1.evil.example"):
        assert one.ask(host=host)[0] in (400, 421), host


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another user has to ask")
def test_on_loopback_nobody_else(mmash, place):
    """A port on loopback is open to every user of the machine."""
    one = mmash(str(place))
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(tell, json.dumps(one.ask()).encode())
        finally:
            os._exit(0)
    os.close(tell)
    os.waitpid(pid, 0)
    with open(told) as file:
        status, _, text = json.load(file)
    assert status == 403
    expected = f"user {NOBODY} asks, and this is user 0's; start mmash with --token-file"
    assert json.loads(text) == {"error": expected}


def test_a_token_by_header_and_by_cookie(mmash, place, tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    one = mmash(str(place), "--token-file", str(path))
    assert "s3cret" not in one.address
    status, headers, text = one.ask()
    assert (status, headers["www-authenticate"]) == (401, 'Bearer realm="mmash"')
    assert "s3cret" not in text
    assert one.ask(authorization="Bearer s3cret")[0] == 200
    assert one.ask(authorization="Bearer wrong")[0] == 401
    assert one.ask(authorization="Basic s3cret")[0] == 401
    assert one.ask("/stats/?token=wrong")[0] == 401
    status, headers, _ = one.ask("/stats/web?aggr=sum&token=s3cret")
    assert (status, headers["location"]) == (303, "/stats/web?aggr=sum")
    cookie = headers["set-cookie"]
    assert cookie.startswith(f"mmash-{one.port}=s3cret;")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert one.ask(cookie=cookie.partition(";")[0])[0] == 200
    assert one.ask(cookie=f"mmash-{one.port}=wrong")[0] == 401
    assert one.ask("/healthz")[0] == 200
    code, said = one.end()
    assert (code, said) == (0, "")


def test_elsewhere_than_on_loopback_a_token_is_made(mmash, place):
    one = mmash("--host", "0.0.0.0", str(place))
    assert "/?token=" in one.address
    token = one.address.partition("?token=")[2]
    assert len(token) >= 32
    assert one.ask()[0] == 401
    assert one.ask(authorization=f"Bearer {token}", host="whatever.example")[0] == 200


def test_to_everybody_if_that_is_wanted(mmash, place):
    one = mmash("--host", "0.0.0.0", "--no-auth", str(place))
    assert "token" not in one.address
    assert one.ask(host="whatever.example")[0] == 200


def test_what_is_asked_for_is_told_without_what_may_be_a_token(mmash, place):
    one = mmash("-v", "--token", "s3cret", str(place))
    one.ask("/stats/?token=s3cret")
    one.ask("/st%1b[31mats/", authorization="Bearer s3cret")
    code, said = one.end()
    assert code == 0
    assert "s3cret" not in said
    assert "\x1b" not in said
    assert said.startswith("GET /stats/ 303 ")
    assert "GET /st\\x1b[31mats/ 404 " in said


def test_below_a_path_and_of_the_environment(mmash, place, tmp_path):
    path = tmp_path / "settings.py"
    path.write_text(f"MMSTATS_GLOB = {str(place / '*')!r}\nBASE_PATH = '/app/stats'\n")
    one = mmash(MMASH_SETTINGS=str(path))
    assert one.address.endswith("/app/stats/")
    assert json.loads(one.ask("/app/stats/stats/web.hits")[2]) == {"web.hits": [2]}
    assert one.ask("/stats/")[0] == 404


def test_a_request_that_is_none(mmash, place):
    """Half of one, too many headers, something else: others are answered on."""
    one = mmash(str(place))
    with socket.create_connection(("127.0.0.1", one.port)) as half:
        half.sendall(b"GET /stats/ HTTP/1.1\r\nHost: loc")
        with socket.create_connection(("127.0.0.1", one.port)) as other:
            other.sendall(b"\x16\x03\x01\x02\x00\x01\x00" + bytes(100))
            assert b"400" in other.recv(1000)
        assert one.ask()[0] == 200
        assert one.ask("/" + "a" * 100_000)[0] in (400, 404, 414, 431)
        assert one.ask("/stats/%ff%fe")[0] == 200
    assert one.end()[0] == 0


def test_a_client_that_reads_nothing_costs_no_memory(mmash, place):
    """What it does not take leaves the history, and nothing waits for it."""
    rows = [(f"s{number}", "counter", fb.U64, number) for number in range(2000)]
    fb.write_held(place / "b.mmstats", fb.whole(*fb.fields(*rows), **fb.ELSEWHERE))
    one = mmash(str(place), "--interval", "0.05", "--keep", "1")
    slow = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", one.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        slow.append(connection)
    sizes = []
    for _ in range(2):
        last = json.loads(one.ask("/api/v1/history?select=level")[2])["last"]
        end = time.monotonic() + LONG
        while json.loads(one.ask("/api/v1/history?select=level")[2])["last"] < last + 25:
            assert time.monotonic() < end
            time.sleep(0.05)
        status = Path(f"/proc/{one.process.pid}/status").read_text()
        sizes.append(int(status.partition("VmRSS:")[2].split()[0]))
    assert sizes[1] - sizes[0] < 8_000, sizes  # KiB
    assert one.ask()[0] == 200
    for connection in slow:
        connection.close()
