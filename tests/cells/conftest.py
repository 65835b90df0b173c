"""Memory for cells, openers that note what they were asked, and forked children that answer."""

from __future__ import annotations

import ctypes
import gc
import json
import mmap
import os
import platform
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import forking
from mmstats.format.layout import CELL_TYPE_I64, CELL_TYPE_U64

IS_PYPY = platform.python_implementation() == "PyPy"


class Memory:
    """Shared memory of some cells, so that a forked child's stores into it would be seen."""

    def __init__(self, count=8, words=()):
        self.map = mmap.mmap(-1, count * 8)
        self.view = memoryview(self.map)
        for index, word in enumerate(words):
            self[index] = word

    def __getitem__(self, index):
        return int.from_bytes(self.map[index * 8 : index * 8 + 8], "little")

    def __setitem__(self, index, word):
        self.map[index * 8 : index * 8 + 8] = (word % 2**64).to_bytes(8, "little")


class Lanes:
    """An opener that gives every thread memory of its own, and remembers all of it."""

    def __init__(self, twin, count=8, *, words=(), base=None, release=False):
        self.memories = []
        self.asked = 0
        self.count, self.words, self.base, self.release = count, words, base, release
        self.segment = twin.Segment(self.open)
        self.twin = twin

    def open(self, segment):
        self.asked += 1
        memory = Memory(self.count, self.words)
        self.memories.append(memory)
        segment.attach(memory.view, self.base, release=self.release)
        if not self.twin.token.stands:
            self.twin.token.renew()  # a forked child has memory of its own now

    def counter(self, index=0, cell_type=CELL_TYPE_U64, label="web.hits", total=None):
        return self.twin.Counter(self.segment, index, cell_type, label, total)

    def updown(self, index=0):
        return self.counter(index, CELL_TYPE_I64)

    def total(self, index=0):
        return sum(memory[index] for memory in self.memories)


@pytest.fixture
def lanes(twin):
    """Lanes of that twin, with what is to be different."""

    def make(**options):
        return Lanes(twin, **options)

    return make


@pytest.fixture
def memory():
    return Memory


@pytest.fixture
def said(twin):
    """A function: what a program prints, in a process of its own, where `twin` is the twin's module."""

    def run(program, **environment):
        program = f"import {twin.__name__} as twin\n{textwrap.dedent(program)}"
        command = [sys.executable, "-c", program]
        environ = {**os.environ, **environment}
        done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


class Stats:
    """Made anew for each test: something with `_mm_cells`, as a model's instance has."""


@pytest.fixture
def number(twin, lanes):
    """A function: an instance whose attribute `x` is such a number, and its lanes."""

    def make(cell_type, bits=64, signed=False, never=False, initial=0, **options):
        options.setdefault("words", ())
        there = lanes(**options)
        cls = type("Model", (Stats,), {"x": twin.Number("x", cell_type, bits, signed, never)})
        stats = cls()
        stats._mm_cells = {"x": (there.segment, 0, initial)}
        return stats, there

    return make


@pytest.fixture
def in_thread():
    """A function: what a function returns in a thread that has ended, to its last step, by then."""

    def run(function):
        answer = []
        thread = threading.Thread(target=lambda: answer.append(function()))
        thread.start()
        thread.join()
        settle()
        return answer[0]

    return run


def settle():
    """The last steps of a thread come after join(), on PyPy with the GC."""
    for _ in range(3 if IS_PYPY else 1):
        gc.collect()
        time.sleep(0.02)


def os_fork():
    return os.fork()


def libc_fork():
    """A fork that Python's hooks never hear of, as uWSGI's."""
    return getattr(ctypes, "PyDLL", ctypes.CDLL)(None).fork()  # PyPy has but one kind


def forking_by(fork, before=lambda: None):
    """A function: what a function returns in a child forked so. An exception there is one here."""

    def run(function):
        reader, writer = os.pipe()
        before()
        pid = fork()
        if pid == 0:
            answer = {"error": "nothing was returned"}
            try:
                answer = {"value": function()}
            except BaseException as error:  # noqa: BLE001 - the parent judges
                answer = {"error": repr(error)}
            finally:
                os.write(writer, json.dumps(answer).encode())
                os._exit(0)
        os.close(writer)
        with open(reader, "rb") as pipe:
            answer = json.loads(pipe.read() or b'{"error": "the child died"}')
        os.waitpid(pid, 0)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    run.__name__ = fork.__name__
    return run


@pytest.fixture(params=[os_fork, libc_fork], ids=["os.fork", "libc.fork"])
def in_child(request):
    """Like `forking_by`, of a process with one thread."""
    return forking_by(request.param)


@pytest.fixture(params=["os.fork", "libc.fork"][: 1 + forking.IN_C_BESIDE_THREADS])
def in_child_beside_threads(request):
    """Likewise, of one in which other threads sleep."""
    return forking_by({"os.fork": os_fork, "libc.fork": libc_fork}[request.param], forking.until_others_sleep)
