"""How reading grows: with processes, with stats, with the dead, and what a writer feels of it.

    python bench/scale.py [growth wide dead beside] [--rounds N]

growth: combined, and as Prometheus's text, of 10 to 10,000 files with 100 counters in 20 families of 5 tags,
10 gauges and 5 histograms: milliseconds, and the most memory that a process which does that has ever had. The
files are copies of one, each locked as by a writer of its own; as many processes would not fit into memory.
wide: 16 processes with 2,000 counters and 2,000 histograms, beside prometheus_client's multiprocess mode.
dead: 100 living processes, and besides them 10,000 dead ones that were folded.
beside: 10**8 increments, and a reader that takes 100 snapshots a second meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import reading

COUNTS = (10, 100, 1_000, 10_000)
LIVING, DEAD = 100, 10_000
INCREMENTS, SNAPSHOTS_PER_SECOND = 10**8, 100

READ = """
import json, resource, statistics, sys, time
from mmstats.combining import Combiner
from mmstats.export import prometheus
directory, rounds = sys.argv[1], int(sys.argv[2])
combiner, spent = Combiner(), []
for _ in range(rounds + 1):
    begin = time.perf_counter()
    text = prometheus.render(combiner.combined(directory))
    spent.append((time.perf_counter() - begin) * 1e3)
print(json.dumps([spent[0], statistics.median(spent[1:]), len(text),
                  resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""

WRITE = """
import mmstats, os, resource, sys, time
class Stats(mmstats.BaseMmStats):
    count = mmstats.CounterField()
incr = Stats(path=sys.argv[1]).count.incr
def run(times):
    for _ in range(times):
        incr()
run(100_000)
print("ready", flush=True)
for _ in sys.stdin:
    faults, begin = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.perf_counter()
    run(int(sys.argv[2]))
    spent = time.perf_counter() - begin
    print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults, flush=True)
"""


@contextlib.contextmanager
def places():
    """A directory in memory, with one for each of the two."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        for name in ("ours", "theirs"):
            os.mkdir(f"{directory}/{name}", 0o700)
        yield directory


@contextlib.contextmanager
def filled(directory, count, *more):
    """So many processes publish what `reading` publishes."""
    told = {"MMSTATS_PATH": f"{directory}/ours", "PROMETHEUS_MULTIPROC_DIR": f"{directory}/theirs"}
    command = [sys.executable, reading.__file__, "--fill", str(count), *more]
    process = subprocess.Popen(
        command, env={**os.environ, **told}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    try:
        yield
    finally:
        process.communicate("")


def copies(source, directory, count, *, state=None):
    """So many copies of a file, each as of a writer of its own; the descriptors that hold their locks."""
    from mmstats.format import layout
    from mmstats.host import identity, locks

    data, held = bytearray(Path(source).read_bytes()), []
    struct.pack_into("<I", data, layout.HEADER_PID, os.getpid())
    struct.pack_into("<Q", data, layout.HEADER_START_TICKS, identity.start_ticks())
    if state is not None:
        struct.pack_into("<I", data, layout.HEADER_STATE, state)
    for number in range(count):
        fd = os.open(f"{directory}/copy-{number}.mmstats", os.O_RDWR | os.O_CREAT, 0o600)
        data[layout.HEADER_UUID : layout.HEADER_UUID + 16] = os.urandom(16)
        struct.pack_into("<Q", data, layout.HEADER_INO, os.fstat(fd).st_ino)
        os.pwrite(fd, data, 0)
        if state is None:
            locks.hold(fd, layout.LOCK_WRITER)
            held.append(fd)
        else:
            os.close(fd)
    return held


def one_of(directory):
    """The largest file: of a process that did something."""
    return max(Path(directory).glob("*.mmstats"), key=lambda path: path.stat().st_size)


def read(directory, rounds):
    """Milliseconds of the first time and of the others, bytes of text, MiB of memory."""
    command = [sys.executable, "-c", READ, directory, str(rounds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def growth(rounds):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print("| files | once [ms] | again [ms] | again, µs a file | most memory [MiB] |\n|---|---|---|---|---|")
    for count in COUNTS:
        with places() as directory, filled(directory, 1):
            source = one_of(f"{directory}/ours")
            held = copies(source, f"{directory}/theirs", count)
            once, again, _, memory = read(f"{directory}/theirs", rounds)
            for fd in held:
                os.close(fd)
        told = f"{once:.1f} | {again:.1f} | {again * 1e3 / count:.0f} | {memory:.0f}"
        print(f"| {count:,} | {told} |", flush=True)


def wide(rounds):
    with places() as directory, filled(directory, 16, "--wide"):
        found = reading.measured(directory, rounds)
    theirs = found.pop("prometheus_client")
    print("| way | [ms] | times faster |\n|---|---|---|")
    print(f"| prometheus_client | {theirs:.0f} | |")
    for name, spent in found.items():
        print(f"| {name} | {spent:.0f} | {theirs / spent:.1f} |")


def dead(rounds):
    from mmstats.format import layout

    with places() as directory, filled(directory, LIVING):
        ours = f"{directory}/ours"
        before = read(ours, rounds)
        copies(one_of(ours), ours, DEAD, state=layout.STATE_CLOSED)
        unfolded = read(ours, 3)
        clean = [sys.executable, "-m", "mmstats", "clean", ours]
        begin = time.perf_counter()
        subprocess.run(clean, check=False, stdout=subprocess.DEVNULL)
        spent = time.perf_counter() - begin
        after = read(ours, rounds)
    print(f"| {LIVING} living, and | again [ms] | times |\n|---|---|---|")
    for name, found in (("nobody dead", before), (f"{DEAD:,} dead", unfolded), ("those folded", after)):
        print(f"| {name} | {found[1]:.1f} | {found[1] / before[1]:.2f} |")
    print(f"\nFolding them took {spent:.1f} s.")


def beside(rounds):
    from mmstats.combining import Combiner

    with places() as directory:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE, f"{directory}/ours", str(INCREMENTS // 10)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        process.stdout.readline()
        combiner, spent = Combiner(), {"nobody": [], "a reader": []}
        for _ in range(max(10, rounds)):
            for name, times in spent.items():
                process.stdin.write("\n")
                process.stdin.flush()
                if name != "nobody":
                    snap(combiner, f"{directory}/ours", process.stdout.fileno())
                times.append([float(word) for word in process.stdout.readline().split()])
        process.communicate("")
    print("| beside | wall of 10**7 increments, least [s] | median [s] | page faults |\n|---|---|---|---|")
    for name, times in spent.items():
        walls, faults = zip(*times)
        print(f"| {name} | {min(walls):.3f} | {statistics.median(walls):.3f} | {sum(faults):.0f} |")


def snap(combiner, directory, until):
    """Snapshots on a beat, until the writer has something to say."""
    import select

    while not select.select([until], [], [], 1 / SNAPSHOTS_PER_SECOND)[0]:
        combiner.combined(directory)


def main() -> None:
    """Print the tables that are named, or all."""
    tables = {"growth": growth, "wide": wide, "dead": dead, "beside": beside}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", metavar="TABLE", help=", ".join(tables))
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    unknown = [name for name in given.what if name not in tables]
    if unknown:
        parser.error(f"{unknown[0]!r}: expected some of {', '.join(tables)}")
    for name in given.what or tables:
        print(f"\n{name}\n", flush=True)
        tables[name](given.rounds)


if __name__ == "__main__":
    main()
