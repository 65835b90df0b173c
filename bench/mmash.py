"""What mmash costs: its start, its streams, its answers, and what a browser does with them.

    python bench/mmash.py [--seconds S]

16 processes publish 30 stats each. Told are milliseconds from the start to the first answer; CPU of 200
streams at one sample a second, as a share of one core; answers of `/stats/` a second, over eight connections,
by wrk where that is there, beside a Flask application that does what 0.8 did with the same reader; and, where
chromium is there, milliseconds until the page shows numbers, and those of one sample with 12 charts.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PROCESSES, STATS, STREAMS, CONNECTIONS, CHARTS = 16, 30, 200, 8, 12
ROUNDS = 5

PUBLISH = """
import os, signal, sys, time
import mmstats
fields = {f"s{at}": mmstats.CounterField(label=f"app.s{at:02}") for at in range(int(sys.argv[2]))}
Stats = type(mmstats.BaseMmStats)("Stats", (mmstats.BaseMmStats,), fields)
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        stats = Stats()
        print(".", flush=True)
        while True:
            for name in fields:
                getattr(stats, name).incr()
            time.sleep(0.1)
signal.pause()
"""

AS_0_8 = """
import glob, os, sys
import flask
from mmstats.reader import MmStatsReader
app = flask.Flask(__name__)
def read():
    for path in glob.glob(os.path.join(sys.argv[1], "*.mmstats")):
        try:
            yield from MmStatsReader.from_mmap(path)
        except Exception:
            continue
@app.route("/stats/")
def stats():
    return flask.jsonify(stats=sorted({label for label, _ in read()}))
app.run(port=int(sys.argv[2]), threaded=True)
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextlib.contextmanager
def publishing(directory):
    command = [sys.executable, "-c", PUBLISH, str(PROCESSES), str(STATS)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "MMSTATS_PATH": directory},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for _ in range(PROCESSES):
        process.stdout.readline()
    try:
        yield
    finally:
        os.killpg(process.pid, 9)
        process.communicate()


@contextlib.contextmanager
def serving(command, port):
    """A server, and how long it took to answer."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if ask(port)[0] == 200:
                    break
            time.sleep(0.002)
        yield process, (time.perf_counter() - begin) * 1e3
    finally:
        process.kill()
        process.communicate()


def mmash(directory, port):
    return [sys.executable, "-m", "mmstats", "mmash", "--port", str(port), directory]


def ask(port, path="/stats/"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def starts(directory):
    found = []
    for _ in range(ROUNDS):
        port = free_port()
        with serving(mmash(directory, port), port) as (_, spent):
            found.append(spent)
    return found


def streams(directory, seconds):
    """CPU of the server with so many streams, less what it takes without any; as shares of a core."""
    port = free_port()
    with serving(mmash(directory, port), port) as (process, _):
        before = cpu_of(process.pid)
        time.sleep(seconds)
        alone = (cpu_of(process.pid) - before) / seconds
        open_ = []
        for _ in range(STREAMS):
            one = socket.create_connection(("127.0.0.1", port))
            one.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            open_.append(one)
        stop = threading.Event()

        def drain():
            for one in open_:
                one.settimeout(0.001)
            while not stop.is_set():
                for one in open_:
                    with contextlib.suppress(TimeoutError):
                        one.recv(1 << 16)

        reader = threading.Thread(target=drain)
        reader.start()
        time.sleep(2)
        before = cpu_of(process.pid)
        time.sleep(seconds)
        together = (cpu_of(process.pid) - before) / seconds
        stop.set()
        reader.join()
        for one in open_:
            one.close()
        return alone, together


def answers_a_second(port, seconds):
    counts = [0] * CONNECTIONS
    end = time.monotonic() + seconds

    def run(at):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while time.monotonic() < end:
            connection.request("GET", "/stats/")
            connection.getresponse().read()
            counts[at] += 1

    with_wrk = shutil.which("wrk")
    if with_wrk:
        words = [with_wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", f"http://127.0.0.1:{port}/stats/"]
        said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return float(said.partition("Requests/sec:")[2].split()[0])
    threads = [threading.Thread(target=run, args=(at,)) for at in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def against_flask(directory, seconds):
    found = {"mmash": [], "as 0.8 did, in Flask": []}
    ports = free_port(), free_port()
    flask = [sys.executable, "-c", AS_0_8, directory, str(ports[1])]
    with serving(mmash(directory, ports[0]), ports[0]), serving(flask, ports[1]):
        for _ in range(3):
            for port, spent in zip(ports, found.values()):
                spent.append(answers_a_second(port, seconds))
    return {name: statistics.median(spent) for name, spent in found.items()}


def in_a_browser(directory):
    """Milliseconds until the page shows numbers, and of drawing one sample with so many charts."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    port = free_port()
    pins = "&".join(f"pin=app.s{at:02}" for at in range(CHARTS))
    with serving(mmash(directory, port), port), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(
            "window.spent = []; const ask = window.requestAnimationFrame.bind(window);"
            "window.requestAnimationFrame = (draw) => ask((now) => { const begin = performance.now();"
            "draw(now); setTimeout(() => window.spent.push(performance.now() - begin)) })"
        )
        time.sleep(2)
        shown = []
        for _ in range(ROUNDS):
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_selector("#app .now")
            shown.append(page.evaluate("performance.now()"))
        page.goto(f"http://127.0.0.1:{port}/?{pins}")
        page.wait_for_selector("figure.chart canvas")
        time.sleep(12)
        ticks = page.evaluate("window.spent.slice(5)")
        browser.close()
    return statistics.median(shown), statistics.median(ticks), max(ticks)


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory, publishing(directory):
        print("| what | measured |\n|---|---|")
        found = starts(directory)
        print(
            f"| first answer after the start | {min(found):.0f} ms, median {statistics.median(found):.0f} |"
        )
        alone, together = streams(directory, given.seconds * 3)
        told = f"{together:.1%} of a core, {alone:.1%} without any"
        print(f"| {STREAMS} streams, a sample a second | {told} |", flush=True)
        rates = against_flask(directory, given.seconds)
        ours, theirs = rates.values()
        told = f"{ours:,.0f} a second; as 0.8 did it, in Flask, {theirs:,.0f}: {ours / theirs:.1f} x"
        print(f"| /stats/ | {told} |", flush=True)
        browser = in_a_browser(directory)
        if browser is None:
            print("| in a browser | not measured: no chromium, or no playwright |")
        else:
            shown, tick, most = browser
            print(f"| numbers on the page, once opened | {shown:.0f} ms |")
            print(f"| a sample with {CHARTS} charts | {tick:.0f} ms, most {most:.0f} |")


if __name__ == "__main__":
    main()
