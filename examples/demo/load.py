"""Ask a web server for pages from several threads, and say which answers came.

    python load.py http://127.0.0.1:8000 --seconds 10

Ends after that time, at SIGTERM or SIGINT, or when its standard input ends; what was asked by then is
still waited for. The last line is JSON: how often each status was answered, whole, body and all; and
apart from those, how often there was none:

* `reopened`: the connection was closed before the first byte of an answer came. A server does that to
  a kept connection that it no longer wants, without reading the request. It is asked again, on a new
  connection, and counts when that is answered.
* `cut`: an answer began and did not end, or did not come in time. Nobody can say whether the server
  counted it.
* `refused`: there was nobody to ask.

Talks to this machine only.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import os
import random
import signal
import sys
import threading
import urllib.parse

TIMEOUT = 30.0  # seconds until an answer counts as cut
PATIENCE = 100  # failures in a row until a thread gives up
PAGES = [("/", 40), ("/item/{}", 40), ("/old", 8), ("/missing", 6), ("/broken", 4), ("/slow", 2)]


class Visitor(threading.Thread):
    """One thread, one connection at a time, one request after the other."""

    def __init__(self, address: tuple[str, int], number: int, stop: threading.Event) -> None:
        super().__init__(name=f"visitor {number}")
        self.connection = http.client.HTTPConnection(*address, timeout=TIMEOUT)
        self.stop = stop
        self.random = random.Random(number)  # noqa: S311 - the same walk each time is the point
        self.headers = {} if number % 2 else {"Connection": "close"}
        self.answered: collections.Counter[str] = collections.Counter()
        self.failed: collections.Counter[str] = collections.Counter()

    def run(self) -> None:
        """Ask until told to stop; every request has come to its end then."""
        while not self.stop.is_set() and self.ask(self.page()):
            pass
        self.connection.close()

    def page(self) -> str:
        """The next page to look at."""
        (page,) = self.random.choices(*zip(*PAGES))
        return page.format(self.random.randrange(1100))

    def ask(self, page: str) -> bool:
        """Whether the page was answered, if need be at the second connection or the tenth."""
        for _ in range(PATIENCE):
            failure = self.try_once(page)
            if failure is None:
                return True
            self.failed[failure] += 1
            self.connection.close()
            if failure == "cut":
                return True
            if failure == "refused" and self.stop.wait(0.1):
                return False
        return False

    def try_once(self, page: str) -> str | None:
        """None when an answer came, whole; else what came instead."""
        try:
            self.connection.request("GET", page, headers=self.headers)
        except ConnectionRefusedError:
            return "refused"
        except ConnectionError:
            return "reopened"
        except OSError:
            return "cut"
        return self.receive()

    def receive(self) -> str | None:
        """The same, once the request is sent."""
        try:
            answer = self.connection.getresponse()
        except ConnectionError:  # http.client.RemoteDisconnected is one
            return "reopened"
        except (OSError, http.client.HTTPException):
            return "cut"
        try:
            answer.read()
        except (OSError, http.client.HTTPException):
            return "cut"
        self.answered[str(answer.status)] += 1
        return None


def visit(address: tuple[str, int], threads: int, stop: threading.Event) -> dict:
    """The report of so many visitors, when all have come home."""
    visitors = [Visitor(address, number, stop) for number in range(threads)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    answered = sum((visitor.answered for visitor in visitors), collections.Counter())
    failed = sum((visitor.failed for visitor in visitors), collections.Counter())
    missed = {failure: failed[failure] for failure in ("reopened", "cut", "refused")}
    return {"answered": dict(sorted(answered.items())), **missed}


def stop_when_told(stop: threading.Event, seconds: float | None) -> None:
    """Set `stop` at a signal, at the end of standard input, or when the time is over."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def at_end_of_input() -> None:
        while os.read(0, 4096):
            pass
        stop.set()

    threading.Thread(target=at_end_of_input, daemon=True).start()
    if seconds is not None:
        timer = threading.Timer(seconds, stop.set)
        timer.daemon = True
        timer.start()


def main() -> int:
    """Look around, report, and fail where nothing was answered."""
    parser = argparse.ArgumentParser(description="Ask a web server for pages, and say which answers came.")
    parser.add_argument("url", help="http://127.0.0.1:PORT")
    parser.add_argument("--seconds", type=float, help="how long to ask; until told to stop if left out")
    parser.add_argument("--threads", type=int, default=16, help="how many ask at once (16)")
    arguments = parser.parse_args()
    url = urllib.parse.urlsplit(arguments.url)
    if url.hostname not in {"127.0.0.1", "::1", "localhost"}:
        parser.error(f"{url.hostname} is not this machine")
    stop = threading.Event()
    stop_when_told(stop, arguments.seconds)
    report = visit((url.hostname, url.port or 80), arguments.threads, stop)
    print(json.dumps(report), flush=True)
    return 0 if report["answered"] else 1


if __name__ == "__main__":
    sys.exit(main())
