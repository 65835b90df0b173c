"""Whatever else lies in a directory, slurpstats shows what is good in it, says what is not, and ends."""

from __future__ import annotations

import json
import os
import pty
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import filebuilder as fb
import programs
from mmstats import snapshot
from mmstats.format import layout

pytestmark = pytest.mark.main

SLURPSTATS = str(programs.ROOT / "bin/slurpstats")
MIB = 1 << 20
LARGEST = 256 * MIB  # that is read
MOST = 256 * MIB  # of memory besides the file (FORMAT.md 2)
GOOD = fb.whole(*fb.total("hits", 42), state=layout.STATE_RETIRED)


@pytest.fixture
def good(stats_dir):
    return fb.write(stats_dir / "good.mmstats", GOOD)


def a_fifo(path):
    os.mkfifo(path)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def a_link_to_zeros(path):
    os.symlink("/dev/zero", path)


def a_link_to_a_good_file(path):
    os.symlink(path.with_name("good.mmstats"), path)


def a_directory(path):
    path.mkdir()


def an_empty_file(path):
    path.touch()


def a_text(path):
    path.write_text("hits 42\n")


def a_tebibyte(path):
    path.write_bytes(GOOD)
    os.truncate(path, 1 << 40)


def a_copy(path):
    shutil.copy(path.with_name("good.mmstats"), path)


def another_version(path):
    path.write_bytes(layout.MAGIC + b"\x09" + bytes(4096))


MADE = {
    a_fifo: "not a regular file",
    a_socket: "No such device",
    a_link_to_zeros: "a link, and links are not followed",
    a_link_to_a_good_file: "a link, and links are not followed",
    a_directory: "not a regular file",
    an_empty_file: "an empty file",
    a_text: "not an mmstats file",
    a_tebibyte: f"{1 << 40} bytes, at most {LARGEST} are read",
    a_copy: "a copy",
    another_version: "format 9",
}


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_it_is_a_problem_and_the_good_file_is_shown(good, stats_dir, make):
    make(stats_dir / "bad.mmstats")
    done = subprocess.run(
        [sys.executable, SLURPSTATS, "--jsonl", str(stats_dir)],
        env=programs.environment("pure", stats_dir),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (512 * MIB, 512 * MIB)),
    )
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(stat["file"], stat["value"]) for stat in shown] == [(good, 42)]
    assert MADE[make] in done.stderr
    assert "bad.mmstats" in done.stderr


NAMES = [
    b"a\nb",
    b"\x1b[31mred",
    b"\xff\xfe",
    "\u202eesrever".encode(),
    "\u2028".encode(),
    b"\x9b2J",
    b"'; rm",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_no_name_reaches_the_terminal_as_it_is(stats_dir, name):
    """A file with it is shown, another one complained about: each on a line of its own."""
    fb.write(os.fsencode(stats_dir) + b"/good-" + name + b".mmstats", GOOD)
    Path(os.fsdecode(os.fsencode(stats_dir) + b"/bad-" + name + b".mmstats")).touch()
    said = at_a_terminal(stats_dir)
    assert said.count("\n") == 4, ascii(said)
    assert "hits 42" in said
    plain = said.replace("\r\n", "").replace("\x1b[31m  (retired)\x1b[0m", "")
    assert [letter for letter in plain if not letter.isprintable()] == []


def at_a_terminal(directory):
    parent, child = pty.openpty()
    with open(parent, "rb", buffering=0) as terminal:
        running = subprocess.Popen(
            [sys.executable, SLURPSTATS, str(directory)],
            env={**programs.environment("pure", directory), "LC_ALL": "C.UTF-8", "TERM": "xterm"},
            stdout=child,
            stderr=child,
        )
        os.close(child)
        said = b""
        while chunk := read(terminal):
            said += chunk
        running.wait(60)
    return said.decode()


def read(terminal):
    try:
        return terminal.read(65536)
    except OSError:  # nobody has the other end any more
        return b""


def repeated(block, size=LARGEST):
    return fb.header() + block * ((size - layout.HEADER_SIZE) // len(block))


def many(blocks):
    return fb.header() + b"".join(blocks)


ONE_RING = [131_000, 0, *[1] * 130_998]
CONTENTS = {
    "zeros behind a timer": lambda: many(
        [fb.metric("a", "timer", fb.F64, cells=12), fb.lane(1), fb.cells(1, [0] * 12)]
    ),
    "pads": lambda: repeated(fb.pad(64)),
    "one metric again and again": lambda: repeated(fb.metric("a"), 64 * MIB),
    "metrics": lambda: many(fb.metric(f"a{at}") for at in range(70_000)),
    "lanes": lambda: many(fb.cells(lane, [lane]) for lane in range(270_000)),
    "long labels": lambda: many(fb.metric("a" * MIB + str(at)) for at in range(20)),
    "uuids": lambda: many([struct.pack("<IIQ", 9, LARGEST - 512, (LARGEST - 576) // 32).ljust(64, b"\0")]),
    "rings that share their cells": lambda: many(
        [
            *(fb.metric(f"m{at}", "moving", fb.F64, cells=131_000) for at in range(20_000)),
            fb.cells(0, ONE_RING),
        ]
    ),
    "version 1": lambda: b"\1" + b"".join(
        struct.pack("<H6s", 6, b"%06d" % at) + b"\1\0Q\xff" + bytes(8) for at in range(70_000)
    ),
    "a text of version 1": lambda: b"\1\1\0a\x08\x009999999s\xff" + b"x" * 10_000_000,
}  # fmt: skip
READ = """
import sys
from mmstats import snapshot

def most():
    with open("/proc/self/status") as status:
        (line,) = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

before = most()
found = snapshot(sys.argv[1])
print(most() - before, len(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("content", CONTENTS)
def test_the_largest_file_costs_no_more_than_the_law_says(stats_dir, content):
    """Memory is measured; time is bounded, with room for a machine that has other things to do."""
    path = fb.write(stats_dir / "large.mmstats", CONTENTS[content]())
    os.truncate(path, LARGEST)
    done = subprocess.run(
        [sys.executable, "-c", READ, path],
        env=programs.environment("pure", stats_dir),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    memory, found = map(int, done.stdout.split())
    assert found == 1
    assert memory < LARGEST + MOST


class Changing:
    """A thread that changes the length of a file, on and on; it is not one that mmstats maps."""

    def __init__(self, path, lengths):
        self.path = path
        self.lengths = lengths
        self.enough = threading.Event()
        self.thread = threading.Thread(target=self.change)

    def change(self):
        while not self.enough.is_set():
            for length in self.lengths:
                os.truncate(self.path, length)
                if length >= len(COMPOUND):
                    with open(self.path, "r+b") as file:
                        file.write(COMPOUND)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *exc):
        self.enough.set()
        self.thread.join()


COMPOUND = fb.whole(
    fb.metric("a", "timer", fb.F64, cells=400), fb.metric("b", segment=2), fb.cells(1, [5, 0, *[9] * 398])
)


@pytest.mark.parametrize("lengths", [(0, 700, 4096, 9000), (len(COMPOUND), 4096), (8 * MIB, len(COMPOUND))])
def test_a_file_that_shrinks_and_grows_while_it_is_read(stats_dir, lengths):
    """No exception and no signal: what is there of it is shown, or that it was cut is said."""
    path = stats_dir / "moving.mmstats"
    path.write_bytes(COMPOUND)
    with Changing(path, lengths):
        seen, until = [], time.monotonic() + 60
        while len(seen) < 500 or (not _both(seen, lengths) and time.monotonic() < until):
            seen.append(snapshot(path)[0])
    assert _both(seen, lengths)


def _both(seen, lengths):
    """Whether looks met it whole and, where it is ever cut, cut: which of the two is met is chance."""
    cut = min(lengths) < len(COMPOUND)
    return any(one.stats for one in seen) and (not cut or any(one.problems for one in seen))


MAP = """
import mmap, os, resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
with open(sys.argv[1], "rb") as file:
    view = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    os.truncate(sys.argv[1], 0)
    view[0]
"""


def test_mapping_a_file_that_shrinks_is_what_kills(stats_dir):
    """Why readers copy: with that remedy taken out, the kernel ends the reader."""
    path = stats_dir / "moving.mmstats"
    path.write_bytes(COMPOUND)
    assert subprocess.run([sys.executable, "-c", MAP, path], check=False).returncode == -signal.SIGBUS
