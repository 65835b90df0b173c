"""The C writer, built three times: as it is shipped, and twice with sanitizers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

C = Path(__file__).resolve().parent.parent.parent / "c"
SANITIZED = "-O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all"
BUILDS = {
    "shipped": ("-O2 -g", ""),
    "address": (f"{SANITIZED} -fsanitize=address,undefined", "-fsanitize=address,undefined"),
    # The sanitizer knows no fences; in one process nobody relies on them.
    "thread": (f"{SANITIZED} -Wno-tsan -fsanitize=thread", "-fsanitize=thread"),
}
COMPILER = os.environ.get("CC", "gcc")


def made(
    build: Path, *targets: str, cc: str = COMPILER, flags: str = "-O2", link: str = "", **names: str
) -> None:
    """Run the Makefile; what it says where it fails is what the test says."""
    settings = {"BUILD": build, "CC": cc, "CFLAGS": flags, "LDFLAGS": link, **names}
    command = ["make", "-s", "-C", str(C), *targets, *(f"{name}={value}" for name, value in settings.items())]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Name → the directory of that build, made the first time that it is asked for."""
    if shutil.which(COMPILER) is None or shutil.which("make") is None:
        pytest.skip("needs a C compiler and make")

    @cache
    def build(name):
        directory = tmp_path_factory.mktemp(name)
        flags, link = BUILDS[name]
        targets = ("all", *(f"{directory}/{program}" for program in ("driver", "stress")))
        made(directory, *targets, flags=flags, link=link)
        return directory

    return build


class Driver:
    """c/test/driver.c as a process: `do(line)` gives its answer."""

    def __init__(self, program, directory, **told):
        self.said = []
        environment = {
            **os.environ,
            **told,
            "MMSTATS_PATH": str(directory),
            "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1",
            "TSAN_OPTIONS": "exitcode=66",
        }
        self.process = subprocess.Popen(
            [str(program)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self):
        return self.process.pid

    def answer(self):
        """What it answers, and whatever the writer said before that is in `said`."""
        while True:
            line = self.process.stdout.readline().rstrip("\n")
            assert line or self.process.poll() is None, self.process.stderr.read()
            if not line.startswith("said "):
                return line
            self.said.append(line[5:])

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def do(self, *lines):
        """Each of them is right."""
        for line in lines:
            answers = [self.ask(line)]
            # One of each command, and one for the end of what they were in.
            more = line.count(" ; ") + line.startswith(("thread", "fork", "raw-fork"))
            answers += [self.answer() for _ in range(more)]
            assert answers == ["ok"] * len(answers), (line, answers)
        return self

    def end(self):
        """It ends in order: no sanitizer had anything to say."""
        _, said = self.process.communicate("end\n", timeout=60)
        assert (self.process.returncode, said) == (0, "")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.communicate()


@pytest.fixture
def stats_dir():
    """A directory of this test on tmpfs; gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="mmstats-test-", dir="/dev/shm"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=["shipped", "address"])
def build(request, built):
    """Tests of what the writer does run as it is shipped, and with sanitizers."""
    return built(request.param)


@pytest.fixture
def driver(build, stats_dir):
    """A driver whose publisher is open, in a directory of its own."""
    one = Driver(build / "driver", stats_dir).do("open")
    yield one
    if one.process.poll() is None:
        one.end()


@pytest.fixture
def drivers(build, stats_dir):
    """A function: another driver, not opened yet."""
    made = []

    def another(directory=stats_dir, **told):
        made.append(Driver(build / "driver", directory, **told))
        return made[-1]

    yield another
    for one in made:
        if one.process.poll() is None:
            one.end()
