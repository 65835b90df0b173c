"""What it costs to read many processes: all of them as one, as Prometheus's text.

    python bench/reading.py [--processes 10 100 1000] [--rounds N]

So many processes live, each with 100 counters in 20 families of 5 tags, 10 gauges and 5 histograms, of
mmstats and of prometheus_client in its multiprocess mode. What is printed are medians of interleaved rounds
in milliseconds: of prometheus_client's MultiProcessCollector and generate_latest, of who reads again and
again, of who reads once, in a process that has loaded what it needs, and of who reads again without native
code.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

FAMILIES, TAGS, GAUGES, HISTOGRAMS, VALUES = 20, 5, 10, 5, 50


def fill(count: int, families: int, histograms: int) -> None:
    """Fork as many processes, each of which publishes and waits; say when all have."""
    import prometheus_client as theirs

    import mmstats as ours

    fields = {
        f"c{at}": ours.CounterField(label=f"app.family{at}", tags=("method",)) for at in range(families)
    }
    fields.update({f"g{at}": ours.GaugeField(label=f"app.gauge{at}") for at in range(GAUGES)})
    fields.update(
        {
            f"h{at}": ours.HistogramField(label=f"app.histogram{at}", unit="seconds")
            for at in range(histograms)
        }
    )
    stats = type(ours.BaseMmStats)("Stats", (ours.BaseMmStats,), fields)()
    counters = [theirs.Counter(f"app_family{at}", "", ["method"]) for at in range(families)]
    gauges = [theirs.Gauge(f"app_gauge{at}", "", multiprocess_mode="livesum") for at in range(GAUGES)]
    histograms = [theirs.Histogram(f"app_histogram{at}", "") for at in range(histograms)]
    done, tell = os.pipe()
    children = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            _publish(number, stats, counters, gauges, histograms)
            os.write(tell, b".")
            signal.pause()
            os._exit(0)
        children.append(pid)
        os.read(done, 1)
    print("ready", flush=True)
    sys.stdin.read()
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _publish(number: int, stats: object, counters: list, gauges: list, histograms: list) -> None:
    choose = random.Random(number)  # noqa: S311 - no secret
    for at in range(len(counters)):
        for tag in range(TAGS):
            getattr(stats, f"c{at}").tagged(f"m{tag}").incr(number + 1)
            counters[at].labels(f"m{tag}").inc(number + 1)
    for at in range(GAUGES):
        getattr(stats, f"g{at}").set(1.5)
        gauges[at].set(1.5)
    for at in range(len(histograms)):
        for _ in range(VALUES):
            value = choose.lognormvariate(-3, 1)
            getattr(stats, f"h{at}").observe(value)
            histograms[at].observe(value)


def measured(directory: str, rounds: int) -> dict[str, float]:
    """Milliseconds of each way, in rounds."""
    from prometheus_client import CollectorRegistry, generate_latest, multiprocess

    from mmstats.combining import Combiner
    from mmstats.export import prometheus

    os.environ["PROMETHEUS_MULTIPROC_DIR"] = f"{directory}/theirs"
    native, pure = Combiner(), Combiner(pure=True)

    def again() -> str:
        return prometheus.render(native.combined(f"{directory}/ours"))

    def once() -> str:
        return prometheus.render(Combiner().combined(f"{directory}/ours"))

    def in_python() -> str:
        return prometheus.render(pure.combined(f"{directory}/ours"))

    def theirs() -> bytes:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=f"{directory}/theirs")
        return generate_latest(registry)

    ways = {"again": again, "once": once, "pure": in_python, "prometheus_client": theirs}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            begin = time.perf_counter()
            way()
            spent[name].append((time.perf_counter() - begin) * 1e3)
    return {name: statistics.median(times) for name, times in spent.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--wide", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fill:
        fill(given.fill, *((2_000 // TAGS, 2_000) if given.wide else (FAMILIES, HISTOGRAMS)))
        return
    print("| processes | prometheus_client [ms] | again [ms] | times faster | once | times | pure | times |")
    print("|---|---|---|---|---|---|---|---|")
    for count in given.processes:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
            for name in ("ours", "theirs"):
                os.mkdir(f"{directory}/{name}", 0o700)
            told = {"MMSTATS_PATH": f"{directory}/ours", "PROMETHEUS_MULTIPROC_DIR": f"{directory}/theirs"}
            filling = subprocess.Popen(
                [sys.executable, __file__, "--fill", str(count)],
                env={**os.environ, **told},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            assert filling.stdout
            filling.stdout.readline()
            found = measured(directory, given.rounds)
            filling.communicate("")
        theirs = found.pop("prometheus_client")
        told = " | ".join(f"{spent:.1f} | {theirs / spent:.1f}" for spent in found.values())
        print(f"| {count:,} | {theirs:.1f} | {told} |", flush=True)


if __name__ == "__main__":
    main()
