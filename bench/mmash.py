"""What mmash costs: its start, its streams, its answers, and what a browser does with them.

    python bench/mmash.py [--seconds S] [--python2 PYTHON]

16 processes publish 30 stats each. Told are milliseconds from the start to the first answer; CPU of 200
streams at one sample a second, as a share of one core; answers of `/stats/` a second, over eight connections,
by wrk where that is there, beside a Flask application that does what 0.8 did with the same reader, and, if
there is a Python 2.7 with mmstats 0.8.0 and Flask, beside 0.8 itself, both on files that 0.8 wrote; where
chromium is there, milliseconds until the page shows numbers, those of one sample with 12 charts of 5 lines of
600 points, and the longest task while 2,000 stats are scrolled through.
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
LINES, POINTS, MANY = 5, 600, 2_000
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


OF_0_8 = """
import sys
import mmstats
fields = dict(("s%02d" % at, mmstats.CounterField(label="app.s%02d" % at)) for at in range(int(sys.argv[2])))
Stats = type("Stats", (mmstats.BaseMmStats,), fields)
for at in range(int(sys.argv[1])):
    stats = Stats(path=sys.argv[3], filename="%02d.mmstats" % at)
    for name in fields:
        getattr(stats, name).inc(at + 1)
"""

SERVE_0_8 = """
import logging, sys
from mmstats import mmash
logging.getLogger("werkzeug").disabled = True
mmash.app.config["MMSTATS_GLOB"] = sys.argv[1] + "/*.mmstats"
mmash.app.run(port=int(sys.argv[2]), threaded=True, debug=False)
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextlib.contextmanager
def publishing(directory, processes=PROCESSES, stats=STATS):
    command = [sys.executable, "-c", PUBLISH, str(processes), str(stats)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "MMSTATS_PATH": directory},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for _ in range(processes):
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
            if time.perf_counter() - begin > 30:
                raise SystemExit(f"{command[0]} does not answer")
            time.sleep(0.002)
        yield process, (time.perf_counter() - begin) * 1e3
    finally:
        process.kill()
        process.communicate()


def mmash(directory, port, *words):
    return [sys.executable, "-m", "mmstats", "mmash", "--port", str(port), *words, directory]


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


def against(directory, seconds, name, command):
    """Answers a second of mmash, and of another server of the same files."""
    found = {"mmash": [], name: []}
    ports = free_port(), free_port()
    other = [*command, directory, str(ports[1])]
    with serving(mmash(directory, ports[0]), ports[0]), serving(other, ports[1]):
        for _ in range(3):
            for port, spent in zip(ports, found.values()):
                spent.append(answers_a_second(port, seconds))
    ours, theirs = [statistics.median(spent) for spent in found.values()]
    told = f"{ours:,.0f} a second; {name} {theirs:,.0f}: {ours / theirs:.1f} x"
    print(f"| /stats/ | {told} |", flush=True)


def against_0_8(python2, seconds):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        write = [python2, "-c", OF_0_8, str(PROCESSES), str(STATS), directory]
        subprocess.run(write, check=True)
        against(directory, seconds, "0.8 under Python 2.7, of its own files,", [python2, "-c", SERVE_0_8])


LISTEN = """
window.spent = []
window.tasks = []
const ask = window.requestAnimationFrame.bind(window)
window.requestAnimationFrame = (draw) => ask((now) => {
  const begin = performance.now()
  draw(now)
  setTimeout(() => window.spent.push(performance.now() - begin))
})
new PerformanceObserver((found) => {
  for (const one of found.getEntries()) window.tasks.push(one.duration)
}).observe({ entryTypes: ['longtask'] })
"""

SCROLL = """async () => {
  const rows = document.querySelector('.rows')
  for (let top = 0; top < rows.scrollHeight; top += 440) {
    rows.scrollTop = top
    await new Promise((done) => setTimeout(done, 16))
  }
}"""


@contextlib.contextmanager
def browsing(playwright):
    chromium = shutil.which("chromium")
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(LISTEN)
    try:
        yield page
    finally:
        browser.close()


def until_there_are_numbers(playwright, directory):
    port = free_port()
    shown = []
    with serving(mmash(directory, port), port), browsing(playwright) as page:
        time.sleep(2)
        for _ in range(ROUNDS):
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_selector("#app .now")
            shown.append(page.evaluate("performance.now()"))
    print(f"| numbers on the page, once opened | {statistics.median(shown):.0f} ms |", flush=True)


def with_charts(playwright, directory):
    """One sample, of charts of a line for each of five processes, once all of them are full."""
    interval = 0.1
    port = free_port()
    words = ("--interval", str(interval), "--keep", str(POINTS * interval))
    pins = "&".join(f"pin=app.s{at:02}" for at in range(CHARTS))
    with publishing(directory, LINES), serving(mmash(directory, port, *words), port):
        time.sleep((POINTS + 20) * interval)
        with browsing(playwright) as page:
            page.goto(f"http://127.0.0.1:{port}/?by=process&w=60&{pins}")
            page.wait_for_selector("figure.each canvas")
            time.sleep(2)
            page.evaluate("window.spent.length = 0")
            time.sleep(6)
            ticks = page.evaluate("window.spent")
            lines = page.locator("figure.each .u-series").count() // CHARTS - 1
    told = f"{statistics.median(ticks):.1f} ms, most {max(ticks):.0f} of {len(ticks)}"
    print(f"| a sample with {CHARTS} charts of {lines} lines of {POINTS} points | {told} |", flush=True)


def scrolled(playwright, directory):
    port = free_port()
    with publishing(directory, 1, MANY), serving(mmash(directory, port), port), browsing(playwright) as page:
        time.sleep(3)
        page.goto(f"http://127.0.0.1:{port}/")
        page.wait_for_selector("#app .now")
        time.sleep(2)
        page.evaluate("window.tasks.length = 0")
        page.evaluate(SCROLL)
        tasks = page.evaluate("window.tasks")
        rows = page.locator("#app .status").inner_text()
    told = f"{len(tasks)} above 50 ms, the longest {max(tasks, default=0):.0f} ms ({rows})"
    print(f"| tasks while {MANY:,} stats are scrolled through | {told} |", flush=True)


def in_a_browser(directory):
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if sync_playwright is None or shutil.which("chromium") is None:
        print("| in a browser | not measured: no chromium, or no playwright |")
        return
    with sync_playwright() as playwright:
        until_there_are_numbers(playwright, directory)
        for measure in (with_charts, scrolled):
            with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
                measure(playwright, place)


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--python2", help="one that has mmstats 0.8.0 and Flask")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    compiled = tempfile.TemporaryDirectory()
    with compiled, tempfile.TemporaryDirectory(dir="/dev/shm") as directory, publishing(directory):
        # Whoever installs a package has it compiled.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = compiled.name
        starts(directory)
        print("| what | measured |\n|---|---|")
        found = starts(directory)
        print(
            f"| first answer after the start | {min(found):.0f} ms, median {statistics.median(found):.0f} |"
        )
        alone, together = streams(directory, given.seconds * 3)
        told = f"{together:.1%} of a core, {alone:.1%} without any"
        print(f"| {STREAMS} streams, a sample a second | {told} |", flush=True)
        against(directory, given.seconds, "as 0.8 did it, in Flask,", [sys.executable, "-c", AS_0_8])
        if given.python2:
            against_0_8(given.python2, given.seconds)
        in_a_browser(directory)


if __name__ == "__main__":
    main()
