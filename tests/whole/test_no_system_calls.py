"""Publishing is a store into memory: no system call, no page fault, once a thread has begun."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

import programs

UPDATES = {
    "counter": "stats.count.incr()",
    "counter by five": "stats.count.incr(5)",
    "counter by keyword": "stats.count.incr(amount=2)",
    "counter's value": "stats.count.value",
    "unsigned": "stats.number += 1",
    "number": "stats.number = 7",
    "float": "stats.real = 2.5",
    "wrapping": "stats.byte = 300",
    "bool": "stats.on = True",
    "updown": "stats.inflight.incr(); stats.inflight.decr(2)",
    "gauge": "stats.free.set(12)",
    "gauge assigned": "stats.free = 12.5",
    "held": "with stats.inflight.held(): pass",
    "maximum": "stats.top = -2.0",
    "static": "stats.name",
    "average": "stats.mean.add(2.5)",
    "histogram": "stats.size.observe(0.25)",
    "duration": "stats.latency.observe(0.25)",
    "a member": "stats.requests.tagged('GET').incr()",
}
PROGRAM = """
import gc, resource
class Every(Model):
    byte = mmstats.ByteField()
    on = mmstats.BoolField()
    inflight = mmstats.UpDownField()
    free = mmstats.GaugeField()
    top = mmstats.DoubleField()
    name = mmstats.StaticTextField(value='x')
    mean = mmstats.AverageField()
    size = mmstats.HistogramField()
    latency = mmstats.TimerField()
    requests = mmstats.CounterField(tags=('method',))

stats = Every()
def update():
    %s
for _ in range(100):
    update()
gc.collect()
gc.disable()
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES.keys())
def test_a_thousand_updates_make_no_system_call(twin, stats_dir, tmp_path, update):
    """Between two getppid() that mark the place there is nothing, whatever is updated."""
    assert calls_of(update, twin, stats_dir, tmp_path) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_trace_would_show_a_call(twin, stats_dir, tmp_path):
    """The same trace of an update that asks for its pid shows each of them: the test above can fail."""
    assert len(calls_of("stats.count.incr(); os.getpid()", twin, stats_dir, tmp_path)) == 1000


def calls_of(update: str, twin: object, stats_dir, tmp_path) -> list[str]:
    """The system calls of a thousand updates."""
    trace = tmp_path / "trace"
    script = (
        programs.MODEL + PROGRAM % update + "os.getppid()\nfor _ in range(1000): update()\nos.getppid()\n"
    )
    subprocess.run(
        ["strace", "-f", "-o", str(trace), sys.executable, "-c", script],
        env=programs.environment(twin, stats_dir),
        check=True,
        timeout=120,
    )
    between = trace.read_text().split("getppid()")[1].splitlines()[1:-1]
    return [line for line in between if "SIG" not in line]


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy's collector moves memory as it likes")
def test_updates_cause_no_page_fault(twin, stats_dir):
    """After writeback a page on a disk faults again; the place of our files is such that none does."""
    assert faults(twin, stats_dir) == 0


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy's collector moves memory as it likes")
def test_the_count_of_faults_would_show_a_disk(twin, tmp_path):
    """The same program with its file on a disk faults after each writeback: the test above can fail."""
    if on_tmpfs(tmp_path):
        pytest.skip("there is no disk here")
    assert faults(twin, tmp_path) > 10


def on_tmpfs(directory) -> bool:
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", str(directory)],
        capture_output=True,
        text=True,
        check=True,
    )
    return kind.stdout.strip() in ("tmpfs", "ramfs", "overlayfs")


def faults(twin, directory) -> int:
    """Page faults of 50 updates, each after a writeback of the file."""
    done = programs.run(
        PROGRAM % "stats.count.incr()"
        + """
fd = os.open(stats.filename, os.O_RDWR)
def once():
    os.fsync(fd)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    update()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
for _ in range(50):
    once()
print(sum([once() for _ in range(50)]))
""",
        twin,
        directory,
    )
    return int(done.stdout)
