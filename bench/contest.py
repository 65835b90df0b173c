"""What an update costs, beside what people use today: one table of one run.

    python bench/contest.py [--rounds N]

Each contestant has a process of its own, with one thread unless the row says otherwise; all of them wait but
the one that is asked. A round asks each of them for each row, so that a slow moment of the machine meets
everybody. What is printed is the median of the rounds: nanoseconds of a loop around an empty method call
written in C, of the shape of `incr`, and for the others how many of those it takes.

prometheus_client is measured with its values in the process, and in the multiprocess mode; OpenTelemetry with
its SDK and a reader that nobody asks; statsd sends each update by UDP to a closed port of this machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import timeit
from pathlib import Path

LOOPS = 10_000
TAGS = "'GET', '200'"
ROWS = (
    *("counter: 1 more", "counter: 5 more", "counter of 40 fields, in a subclass: 1 more"),
    *("a number is assigned", "gauge: set", "histogram: observe"),
    *("a block is timed", "two readings of the clock, by themselves"),
    *("family: look a member up, 1 more", "the same by keyword", "a member that was kept: 1 more"),
    *("2 threads at once: 1 more", "8 threads at once: 1 more"),
)
MMSTATS = (
    """
import mmstats
class Stats(mmstats.BaseMmStats):
    hits = mmstats.CounterField()
    ratio = mmstats.DoubleField()
    free = mmstats.GaugeField()
    body = mmstats.HistogramField(unit="seconds")
    latency = mmstats.TimerField()
    requests = mmstats.CounterField(tags=("method", "status"))
many = {f"field{at}": mmstats.CounterField() for at in range(40)}
Many = type(mmstats.BaseMmStats)("Many", (mmstats.BaseMmStats,), many)
class Subclass(Many):
    def report(self):
        return None
stats, forty = Stats(), Subclass()
kept = stats.requests.tagged('GET', '200')
""",
    (
        *("stats.hits.incr()", "stats.hits.incr(5)", "forty.field7.incr()"),
        *("stats.ratio = 1.5", "stats.free.set(1.5)", "stats.body.observe(0.25)"),
        *("with stats.latency: pass", ""),
        f"stats.requests.tagged({TAGS}).incr()",
        *("stats.requests.tagged(method='GET', status='200').incr()", "kept.incr()"),
    ),
)
PROMETHEUS = (
    """
import prometheus_client as theirs
hits = theirs.Counter("hits", "")
free = theirs.Gauge("free", "")
size = theirs.Histogram("size", "")
requests = theirs.Counter("requests", "", ["method", "status"])
kept = requests.labels('GET', '200')
""",
    (
        *("hits.inc()", "hits.inc(5)", ""),
        *("free.set(1.5)", "free.set(1.5)", "size.observe(0.25)", "with size.time(): pass", ""),
        *(
            f"requests.labels({TAGS}).inc()",
            "requests.labels(method='GET', status='200').inc()",
            "kept.inc()",
        ),
    ),
)
OPENTELEMETRY = (
    """
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
meter = MeterProvider([InMemoryMetricReader()]).get_meter("bench")
hits, free, size = meter.create_counter("hits"), meter.create_gauge("free"), meter.create_histogram("size")
""",
    (
        *("hits.add(1)", "hits.add(5)", "", "free.set(1.5)", "free.set(1.5)", "size.record(0.25)", "", ""),
        *("hits.add(1, {'method': 'GET', 'status': '200'})", "", ""),
    ),
)
STATSD = (
    """
import socket, statsd
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
client = statsd.StatsClient("127.0.0.1", port)
""",
    (
        *("client.incr('hits')", "client.incr('hits', 5)", "", "client.gauge('free', 1.5)"),
        *("client.gauge('free', 1.5)", "client.timing('size', 250)", "with client.timer('size'): pass", ""),
        *("client.incr('requests.GET.200')", "", ""),
    ),
)
VALUE = (
    "import multiprocessing\nvalue = multiprocessing.Value('q')\nlock = value.get_lock()",
    ("with lock: value.value += 1", "with lock: value.value += 5", "", "value.value = 15", *("",) * 7),
)
DICT = (
    "counts = {'hits': 0}",
    ("counts['hits'] += 1", "counts['hits'] += 5", "", "counts['hits'] = 15", *("",) * 7),
)
EMPTY = (
    """
from time import perf_counter
from object_model import Holder, empty_type
stats = Holder(empty_type()())
""",
    (
        "stats.requests.incr()",
        "stats.requests.incr(5)",
        *("",) * 5,
        "perf_counter(); perf_counter()",
        *("",) * 3,
    ),
)
CONTESTANTS = {
    "empty call": (EMPTY, {}),
    "mmstats": (MMSTATS, {"MMSTATS_CELLS": "native"}),
    "mmstats, pure": (MMSTATS, {"MMSTATS_CELLS": "pure"}),
    "prometheus_client": (PROMETHEUS, {}),
    "multiprocess": (PROMETHEUS, {"PROMETHEUS_MULTIPROC_DIR": ""}),
    "OpenTelemetry": (OPENTELEMETRY, {}),
    "statsd": (STATSD, {}),
    "Value": (VALUE, {}),
    "dict": (DICT, {}),
}
IN_THREADS = """
def in_threads(count, gate=__import__("threading")):
    def work(loops):
        for _ in range(loops):
            {statement}
    def run(loops):
        threads = [gate.Thread(target=work, args=(loops,)) for _ in range(count)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    return run
in_2, in_8 = in_threads(2), in_threads(8)
"""
LONG_ENOUGH = 0.005  # seconds of each thread, so that starting them is not what is measured


def serve(name: str) -> None:
    """Answer each number of a row with nanoseconds of one update, or with nothing."""
    setup, statements = CONTESTANTS[name][0]
    names: dict[str, object] = {}
    exec(setup + IN_THREADS.format(statement=statements[0]), names)  # noqa: S102 - our own
    timers = [timeit.Timer(statement, globals=names) if statement else None for statement in statements]
    loops = max(100, int(LONG_ENOUGH / min(timers[0].repeat(3, LOOPS)) * LOOPS))
    threads = {len(timers): ("in_2", 2), len(timers) + 1: ("in_8", 8)}
    print("ready", flush=True)
    for line in sys.stdin:
        row = int(line)
        if row in threads:
            run, count = threads[row]
            spent = timeit.timeit(f"{run}({loops})", number=1, globals=names) / (count * loops)
        else:
            timer = timers[row]
            spent = timer.timeit(LOOPS) / LOOPS if timer is not None else 0.0
        print(spent * 1e9, flush=True)


class Contestant:
    """One process."""

    def __init__(self, name: str, directory: str) -> None:
        own = Path(directory, name.replace(" ", "-"))
        own.mkdir()
        told = {key: value or str(own) for key, value in CONTESTANTS[name][1].items()}
        self.name = name
        self.rounds: list[list[float]] = [[] for _ in ROWS]
        self._program = subprocess.Popen(
            [sys.executable, __file__, "--serve", name],
            env={**os.environ, "MMSTATS_PATH": str(own), **told},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.is_there = self._read() == "ready"

    def _read(self) -> str:
        return self._program.stdout.readline().strip() if self._program.stdout else ""

    def ask(self, row: int) -> None:
        """One round of one row."""
        print(row, file=self._program.stdin, flush=True)
        self.rounds[row].append(float(self._read()))

    def median(self, row: int) -> float:
        """Nanoseconds; 0.0 where it has no such thing."""
        return statistics.median(self.rounds[row])

    def end(self) -> None:
        """It is not needed any more."""
        self._program.communicate()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        made = [Contestant(name, directory) for name in CONTESTANTS]
        there = [one for one in made if one.is_there]
        for _ in range(options.rounds):
            for row in range(len(ROWS)):
                for one in there:
                    one.ask(row)
        show(there)
        for one in made:
            one.end()


def show(contestants: list[Contestant]) -> None:
    """A table in Markdown: multiples of an empty call."""
    empty = contestants[0].median(0)
    names = [f"{one.name} [ns]" if at == 0 else one.name for at, one in enumerate(contestants)]
    print(f"| {' | '.join(['', *names])} |\n|{'---|' * (len(names) + 1)}")
    for row, title in enumerate(ROWS):
        cells = []
        for at, one in enumerate(contestants):
            median = one.median(row)
            cells.append((f"{median:.1f}" if at == 0 else f"{median / empty:.1f}") if median else "")
        print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
