"""The writers in other languages: C, as it is shipped and twice with sanitizers, and Java."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
C, JAVA = ROOT / "c", ROOT / "java"
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


@pytest.fixture(scope="session")
def java(tmp_path_factory):
    """The directory of the Java writer's classes, and those of its tests."""
    if shutil.which("javac") is None:
        pytest.skip("needs a JDK")
    directory = tmp_path_factory.mktemp("java")
    done = subprocess.run(
        ["make", "-s", "-C", str(JAVA), f"BUILD={directory}", "classes"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return directory / "classes"


# What a JVM needs to begin soon; none of it is for the writer.
JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx256m")


@pytest.fixture
def jvm(java):
    """A command that lacks the name of a class."""
    return ["java", *JVM, "-cp", str(java)]


class Driver:
    """c/test/driver.c, or its twin in Java, as a process: `do(line)` gives its answer."""

    def __init__(self, command, directory, **told):
        self.command = command
        self.said = []
        environment = {
            **os.environ,
            **told,
            "MMSTATS_PATH": str(directory),
            "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1",
            "TSAN_OPTIONS": "exitcode=66",
        }
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def name(self):
        """What the writer calls its program."""
        return self.command[-1].rpartition("/")[2].rpartition(".")[2]

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


@pytest.fixture(params=["c", "c-address", "java"])
def program(request):
    """The command of a driver: each test of what a writer does runs with each of them."""
    return command_of(request.param, request)


@pytest.fixture(params=["c", "c-address"])
def c_program(request):
    """Likewise, of C alone."""
    return command_of(request.param, request)


def command_of(name, request):
    if name == "java":
        return [*request.getfixturevalue("jvm"), "mmstats.Driver"]
    return [str(request.getfixturevalue("built")(name.partition("-")[2] or "shipped") / "driver")]


@pytest.fixture
def driver(program, stats_dir):
    """A driver whose publisher is open, in a directory of its own."""
    yield from opened(program, stats_dir)


@pytest.fixture
def c_driver(c_program, stats_dir):
    yield from opened(c_program, stats_dir)


def opened(program, stats_dir):
    one = Driver(program, stats_dir).do("open")
    yield one
    if one.process.poll() is None:
        one.end()


@pytest.fixture
def drivers(program, stats_dir):
    """A function: another driver, not opened yet."""
    yield from several(program, stats_dir)


@pytest.fixture
def c_drivers(c_program, stats_dir):
    yield from several(c_program, stats_dir)


def several(program, stats_dir):
    made = []

    def another(directory=stats_dir, **told):
        made.append(Driver(program, directory, **told))
        return made[-1]

    yield another
    for one in made:
        if one.process.poll() is None:
            one.end()
