"""What is Java's own: interrupts, a lock that is easily lost, threads that end and tell nobody."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from mmstats import combined, snapshot
from mmstats.format import layout
from mmstats.host import locks

pytestmark = [pytest.mark.main, pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK")]
JARS = Path("/usr/share/java")
JAVA = Path(__file__).resolve().parents[2] / "java"


@pytest.fixture
def program(jvm):
    return [*jvm, "mmstats.Driver"]


def is_locked(path):
    with open(path, "rb") as file:
        return [locks.held(file.fileno(), byte) for byte in (layout.LOCK_WRITER, layout.LOCK_WITNESS)]


def test_an_interrupt_takes_no_lock_away(drivers, stats_dir):
    """A channel closes where an interrupted thread uses it, the lock goes with it; here the file grows."""
    driver = drivers().do("open", "counter hits")
    path = driver.ask("file")
    for number in range(200):
        told = [driver.ask(f"interrupted counter hits.{number}"), driver.answer()]
        assert told == ["ok", "ok"]
    assert Path(path).stat().st_size > 8192
    assert is_locked(path) == [True, True]
    assert [one.origin.state for one in snapshot(stats_dir)] == ["alive"]


def test_a_program_that_reads_its_own_file_lives_all_the_same(drivers, stats_dir):
    """With that its locks are gone; nobody folds what a living process goes on counting."""
    driver = drivers().do("open", "counter hits", "gauge free", "incr hits 5", "set free 3", "look")
    assert is_locked(driver.ask("file")) == [False, False]
    clean(stats_dir)
    driver.do("incr hits 1")
    (one,) = snapshot(stats_dir)
    assert (one.origin.state, one.value("hits")) == ("alive", 6)
    whole = combined(stats_dir)
    assert (whole.value("hits"), whole.value("free"), whole.processes) == (6, 3.0, 1)
    driver.kill()
    assert [one.origin.state for one in snapshot(stats_dir)] == ["gone"]
    clean(stats_dir)
    assert combined(stats_dir).value("hits") == 6


def clean(directory):
    command = [sys.executable, "-m", "mmstats", "clean", str(directory)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def test_that_a_thread_has_ended_is_seen_within_a_second_or_so(jvm, stats_dir):
    """Nobody asks for a lane meanwhile: what the thread said is a text no more."""
    program = """
import mmstats.*;
public class Said {
    public static void main(String[] arguments) throws Exception {
        Publisher publisher = Publisher.open();
        Text phase = publisher.text("phase", new About());
        phase.set("first");
        Thread thread = new Thread(() -> phase.set("second"));
        thread.start();
        thread.join();
        System.out.println("said");
        System.in.read();
    }
}
"""
    source = stats_dir / "Said.java"
    source.write_text(program)
    process = subprocess.Popen(
        [*jvm, str(source)],
        env={"MMSTATS_PATH": str(stats_dir), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "said\n"
    end = time.monotonic() + 30
    while snapshot(stats_dir)[0].value("phase") != "first":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert snapshot(stats_dir)[0].origin.cmd == "Said.java"
    process.communicate("\n")


def test_updates_of_a_hot_loop_ask_the_system_for_nothing(program, stats_dir, tmp_path):
    """A hundred thousand do as many calls that have to do with the file, or with the thread, as ten do."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    counts = []
    calls = "openat,write,pwrite64,ftruncate,fallocate,fcntl,msync,fsync,lseek,readlink"
    for times in (10, 100_000):
        lines = ["open", "counter hits", "histogram size", "counter requests tags=name", "gauge free"]
        lines += [
            f"{update} {times}"
            for update in ("incr hits 1", "observe size 3", "incr requests{a} 1", "set free 2")
        ]
        trace = tmp_path / f"trace-{times}"
        subprocess.run(
            ["strace", "-f", "-e", f"trace={calls}", "-o", str(trace), *program],
            input="\n".join([*lines, "end", ""]),
            env={"MMSTATS_PATH": str(stats_dir), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        ours = [
            line for line in trace.read_text().splitlines() if str(stats_dir) in line or "thread-self" in line
        ]
        counts.append(len(ours))
    assert counts[0] == counts[1] > 0


def test_its_own_tests(tmp_path):
    """JUnit: what a declaration refuses, and races of two actors, each outcome of which has a name."""
    if not (JARS / "junit-platform-console-standalone.jar").exists():
        pytest.skip("needs junit5")
    done = subprocess.run(
        ["make", "-s", "-C", str(JAVA), f"BUILD={tmp_path}", "test"],
        env={"MMSTATS_PATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"[1-9]\d* tests successful", done.stdout)


def test_its_jar_and_its_documentation(tmp_path):
    done = subprocess.run(
        ["make", "-s", "-C", str(JAVA), f"BUILD={tmp_path}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    page = (tmp_path / "doc/mmstats/Publisher.html").read_text()
    assert "Publishes counters, gauges, timers, histograms and texts" in page


# --- a service under load ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_service_that_is_killed_and_started_again(jvm, stats_dir):
    """Eight threads count, and tell how far they are; ten times they are killed, and all of it is there.

    A thread tells after it has counted: so what it told is there, and at most one more of each.
    """
    told = 0
    for _ in range(10):
        service = subprocess.Popen(
            [*jvm, "Service", "8"],
            env={"MMSTATS_PATH": str(stats_dir), "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            text=True,
        )
        lines = 0
        last = {}
        while lines < 800:
            thread, count = service.stdout.readline().split()
            last[thread] = int(count)
            lines += 1
        service.kill()
        for line in service.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                thread, count = line.split()
                last[thread] = int(count)
        service.communicate()
        told += sum(last.values())
        clean(stats_dir)
    whole = combined(stats_dir)
    jobs = whole.value("service.jobs")
    assert told <= jobs <= told + 10 * 8
    latency = whole.value("service.latency")
    assert abs(latency.count - jobs) <= 10 * 8  # what was killed between the two
    by_slurp = subprocess.run(
        [
            sys.executable,
            "-m",
            "mmstats",
            "slurp",
            "--value",
            "-a",
            "sum",
            "-s",
            "service.jobs",
            str(stats_dir),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(by_slurp.stdout) == jobs
    mmash = subprocess.Popen(
        [sys.executable, "-m", "mmstats", "mmash", "--port", "0", str(stats_dir)],
        stdout=subprocess.PIPE,
        text=True,
    )
    address = mmash.stdout.readline().split()[1]
    try:
        with urllib.request.urlopen(f"{address}api/v1/stats?select=service.jobs&by=all") as answer:
            (stat,) = json.load(answer)["stats"]
        with urllib.request.urlopen(f"{address}metrics") as answer:
            text = answer.read().decode()
    finally:
        mmash.kill()
        mmash.communicate()
    assert stat["value"] == jobs
    (line,) = [line for line in text.splitlines() if line.startswith("service_jobs_total{")]
    assert float(line.rpartition(" ")[2]) == jobs
