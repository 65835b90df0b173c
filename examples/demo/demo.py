"""Show that mmstats counts exactly: a web application in many processes, under load, and two ledgers.

    make demo               until Ctrl-C
    make demo SECONDS=10

Starts gunicorn with `app.py` (workers that are replaced every few hundred requests) and `load.py`,
which keeps its own count of the answers it got. Shows what mmstats reads from outside, once a second,
and compares the two ledgers at the end. Exit status 0 means equal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

import screen
from child import Child, python

import mmstats

HERE = os.path.dirname(os.path.abspath(__file__))
STATUSES = ("200", "302", "404", "500", "other")


def main() -> int:
    """0: equal. 1: different, or something did not run."""
    parser = argparse.ArgumentParser(description="A web application under load, counted twice.")
    parser.add_argument("--seconds", type=float, help="how long; until Ctrl-C if left out")
    seconds = parser.parse_args().seconds
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    forget_settings()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(temporary_directory())
        return conduct(stack, directory, seconds, over)


def forget_settings() -> None:
    """Whatever mmstats is told by the environment is not for us; but MMSTATS_CELLS may choose the twin."""
    for name in list(os.environ):
        if name.startswith("MMSTATS_") and name != "MMSTATS_CELLS":
            del os.environ[name]


@contextlib.contextmanager
def temporary_directory():
    """A directory for the files of mmstats: in memory where the machine has such a place."""
    memory = "/dev/shm"  # noqa: S108 - made with mkdtemp
    path = tempfile.mkdtemp(prefix="mmstats-demo-", dir=memory if os.access(memory, os.W_OK) else None)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def conduct(stack: contextlib.ExitStack, directory: str, seconds: float | None, over: threading.Event) -> int:
    """Start, watch, stop in the right order, compare."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        server = stack.enter_context(start_server(listener, directory))
    load = stack.enter_context(start_load(port))
    print(f"gunicorn on 127.0.0.1:{port}, 4 workers x 4 threads; its files are in {directory}")
    page = stack.enter_context(
        Child([*python(), "-m", "mmstats", "mmash", "--port", "0", directory], HERE, {})
    )
    print(f"all that it counts in a browser: {page.first_line().removeprefix('mmash: ')}", flush=True)
    began = time.monotonic()
    watch(directory, (server, load), over, seconds)
    elapsed = time.monotonic() - began
    report = load.stop_and_hear()  # first who asks, so that every request has its answer,
    server.stop()  # then who answers, in order: what was answered is counted
    if report is None:
        print(f"demo: the load generator did not report\n{server.last_words()}", file=sys.stderr)
        return 1
    return compare(directory, report, elapsed, server)


def start_server(listener: socket.socket, directory: str) -> Child:
    """gunicorn; it inherits the socket, so that nobody can take the port in between."""
    gunicorn = os.path.join(os.path.dirname(sys.executable), "gunicorn")
    environment = {"MMSTATS_PATH": directory}
    words = ["--config", "gunicorn_conf.py", "--bind", f"fd://{listener.fileno()}", "app:application"]
    return Child([*python(), gunicorn, *words], HERE, environment, keep=(listener.fileno(),))


def start_load(port: int) -> Child:
    """The load generator; it ends with us, whatever happens to us."""
    return Child([*python(), "load.py", f"http://127.0.0.1:{port}"], HERE, {})


def watch(directory: str, children: tuple, over: threading.Event, seconds: float | None) -> None:
    """A line each second, on a steady beat, until it is over or a child has gone."""
    show = screen.Lines(STATUSES)
    began = beat = time.monotonic()
    end = began + (float("inf") if seconds is None else seconds)
    while all(child.runs() for child in children):
        beat = min(beat + 1, end)
        if over.wait(max(0.0, beat - time.monotonic())) or beat >= end:
            break
        show.line(beat - began, counted(directory), processes(directory))
    show.done()


def counted(directory: str) -> dict[str, int]:
    """How often each status was answered, by all processes there ever were."""
    whole = mmstats.combined(directory)
    return {status: whole.value(f"shop.status.{status}", default=0) for status in STATUSES}


def processes(directory: str) -> tuple[int, int]:
    """How many are alive, and how many workers there ever were: the dead are folded, and count on."""
    whole = mmstats.combined(directory)
    return whole.processes, whole.value("shop.workers", default=0)


def compare(directory: str, report: dict, elapsed: float, server: Child) -> int:
    """Print the two ledgers side by side, and the verdict."""
    answered = dict.fromkeys(STATUSES, 0)
    for status, times in report["answered"].items():
        answered[status if status in answered else "other"] += times
    ledger = counted(directory)
    equal = screen.table(answered, ledger)
    screen.remarks(report, sum(answered.values()), elapsed, processes(directory)[1])
    if not equal:
        print(server.last_words(), file=sys.stderr)
    print("equal" if equal else "DIFFERENT")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
