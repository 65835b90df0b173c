"""Whatever a file says: its words on a terminal, what it costs, and how it combines with another's."""

from __future__ import annotations

import json
import os
import pty
import resource
import struct
import subprocess
import sys

import pytest

import filebuilder as fb
import programs
import spreading
from mmstats import combined, snapshot
from mmstats.format import layout

pytestmark = pytest.mark.main

SLURPSTATS = str(programs.ROOT / "bin/slurpstats")
DEADLINE = 60  # seconds, of what takes one
MIB = 1 << 20
LARGEST = 256 * MIB  # that is read
MOST = 256 * MIB  # of memory besides the file (FORMAT.md 2)


def environment(directory):
    return {**programs.environment("pure", directory), "LC_ALL": "C.UTF-8", "TERM": "xterm"}


def run(directory, *words, timeout=DEADLINE):
    """Exit code, what it printed, what it said: of another Python that may not have all the memory."""
    done = subprocess.run(
        [sys.executable, *words],
        env=environment(directory),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)),
    )
    return done.returncode, done.stdout, done.stderr


# --- on a terminal ----------------------------------------------------------------------------------

EVIL = "evil\x1b[2J\x1b]0;title\x07\x9b31m\r\n\t\x7f\x85\u2028\u202e\u2066\u061c"
OURS = ("\x1b[2m", "\x1b[31m", "\x1b[0m")  # dim, alarm, and the end of both


def a_text(text):
    """A text's cells, its second slot written."""
    raw = text.encode()
    room = fb.up(len(raw), 8) // 8
    slot = struct.pack("<QQ", len(raw), 7) + raw.ljust(8 * room, b"\0")
    words = struct.unpack(f"<{room + 2}Q", slot)
    return [1, *[0] * (room + 2), *words]


def evil_file():
    """Every word that a file can say; some of it is damage, and told."""
    text = a_text(EVIL)
    return fb.whole(
        fb.metric(EVIL, unit=EVIL, help=EVIL),
        fb.metric(f"{EVIL}.text", "text", fb.TEXT, segment=2, cells=len(text)),
        fb.metric(f"{EVIL}.nul\0", "static", fb.TEXT, segment=0, cells=0, value=f"{EVIL}\0{EVIL}"),
        fb.metric(f"{EVIL}.tag", tags=(EVIL, "k")),
        fb.metric(f"{EVIL}.damaged", cell_type=9),
        fb.metric(EVIL),
        fb.metric("x" * MIB),
        fb.cells(1, [5]),
        fb.cells(1, text, 2),
        cmd="cmd\x1b[33m\n",
        group="group\x1b[34m\n",
        hostname="host\x1b[35m\n",
        **fb.ELSEWHERE,
    )


def evil_file_of_version_1():
    raw = EVIL.encode()
    return b"\1" + struct.pack("<H", len(raw)) + raw + b"\x03\x0090s\xff" + raw.ljust(90, b"\0")


def at_a_terminal(directory, *words):
    """What a terminal is sent, and the exit code."""
    parent, child = pty.openpty()
    command = [sys.executable, SLURPSTATS, str(directory), *words]
    running = subprocess.Popen(command, env=environment(directory), stdout=child, stderr=child)
    os.close(child)
    said = b""
    try:
        while chunk := os.read(parent, 65536):
            said += chunk
    except OSError:  # nobody has the other end any more
        pass
    os.close(parent)
    return said.decode(), running.wait(DEADLINE)


VIEWS = ["", "--raw --color never", "--by all", "--files", "--list", "--jsonl", "-v", "-s evil", "-f pid=0"]


@pytest.mark.parametrize("view", VIEWS)
def test_no_word_of_a_file_reaches_a_terminal_as_it_is(stats_dir, view):
    fb.write(stats_dir / "evil.mmstats", evil_file())
    (stats_dir / "old.mmstats").write_bytes(evil_file_of_version_1())
    said, code = at_a_terminal(stats_dir, *view.split())
    assert code in (0, 1, 3), said
    plain = said.replace("\r\n", "\n")
    for escape in OURS:
        plain = plain.replace(escape, "")
    wrong = {letter for letter in plain if letter != "\n" and not letter.isprintable()}
    assert wrong == set(), ascii(plain[:2000])
    assert "Traceback" not in plain


@pytest.mark.parametrize("view", ["", "--by all", "--list"])
def test_one_long_label_does_not_make_every_line_long(stats_dir, view):
    """Columns are as wide as their longest entry, for people; 3,000 lines of 64 KiB are for nobody."""
    labels = ["x" * layout.TEXT_LIMIT, *(f"short.{at}" for at in range(3_000))]
    rows = [(label, "counter", fb.U64, 1) for label in labels]
    fb.write_held(stats_dir / "a.mmstats", fb.whole(*fb.fields(*rows), **fb.ELSEWHERE))
    code, out, err = run(stats_dir, SLURPSTATS, *view.split(), str(stats_dir))
    assert (code, err, "short.2999" in out) == (0, "", True)
    assert len(out) < 4 * MIB


@pytest.mark.parametrize("created", ["inf", "nan", "-inf"])
@pytest.mark.parametrize("view", ["--files", "--by all", "-f age>0"])
def test_a_time_that_is_none(stats_dir, created, view):
    """Version 1 says as a double when its process began; it may be any."""
    raw = b"\1" + struct.pack("<H11s", 11, b"sys.created") + b"\1\0d\xff" + struct.pack("<d", float(created))
    (stats_dir / "old.mmstats").write_bytes(raw)
    fb.write_held(
        stats_dir / "good.mmstats", fb.whole(*fb.fields(("hits", "counter", fb.U64, 42)), **fb.ELSEWHERE)
    )
    code, out, err = run(stats_dir, SLURPSTATS, str(stats_dir), *view.split())
    assert (code, err) == (0, "")
    assert "good.mmstats" in out or "hits" in out


# --- combined ---------------------------------------------------------------------------------------

ONE = 0x3FF0_0000_0000_0000  # 1.0
COUNTED = [0, 0, 0, 1, 0, 0]  # a distribution of one value, which is in its zero
WORDS = {
    "average": [1, 0, ONE],
    "moving": [1, 0, ONE, ONE],
    "timer": [1, 0, *[ONE] * 7, *COUNTED, ONE, ONE],
    "histogram": [1, *[ONE] * 6, *COUNTED],
    "text": [1, 0, 0, 0, 0, 1, 7, 0x41, 0],
    "static": [],
}


def variants(kind):
    """A file of one metric `m` of the kind, for each rule and type of cell, written and never written."""
    cells = len(WORDS.get(kind, [1]))
    extra = spreading.RANGE.pack() if kind in ("timer", "histogram") else b""
    for aggregate in layout.AGGREGATES:
        for cell_type in (fb.U64, fb.I64, fb.F64, fb.BOOL, fb.TEXT):
            for initial in (1, None) if cell_type in fb.NEVER else (0,):
                never = fb.NEVER.get(cell_type, 0)
                written = WORDS.get(kind, [1])
                raws = written if initial is not None else [never if cells == 1 else 0] * len(written)
                metric = fb.metric(
                    "m",
                    kind,
                    cell_type,
                    aggregate=aggregate,
                    segment=int(cells > 0),
                    cells=cells,
                    initial=initial,
                    extra=extra,
                    value="text" if cell_type == fb.TEXT and kind == "static" else "",
                )
                yield metric + fb.cells(int(kind != "gauge"), raws)


def be_born(path, created):
    with open(path, "r+b") as file:
        file.seek(layout.HEADER_CREATED)
        file.write(struct.pack("<Q", created))


KINDS = "counter updown number bool average moving timer histogram text gauge static".split()


@pytest.mark.parametrize("kind", KINDS)
def test_declarations_that_contradict_each_other_combine_or_are_problems(stats_dir, kind):
    """One label, one kind, all rules and types: whichever is the youngest, nothing raises."""
    made = (fb.whole(blocks, created=0, **fb.ELSEWHERE) for blocks in variants(kind))
    paths = [fb.write_held(stats_dir / f"{at}.mmstats", data) for at, data in enumerate(made)]
    paths = [path for path in paths if snapshot(path)[0].stats]
    assert paths
    for path in paths:
        be_born(path, 10**18)
        assert combined(path).stats, path
        assert combined(paths).stats, path
        be_born(path, 0)


@pytest.mark.parametrize("view", ["", "--by all", "--jsonl", "--by all --jsonl"])
def test_a_static_that_was_never_written(stats_dir, view):
    """The pattern of never among several numbers of a set."""
    for name, value in (("a", None), ("b", 1.5), ("c", 2.5)):
        rows = fb.fields(("real", "static", fb.F64, value))
        fb.write_held(stats_dir / f"{name}.mmstats", fb.whole(*rows, **fb.ELSEWHERE))
    code, out, err = run(stats_dir, SLURPSTATS, str(stats_dir), *view.split())
    assert (code in (0, 3), "real" in out, "Traceback" in err) == (True, True, False), err


def test_of_metrics_with_one_label_the_first_counts_wherever_they_stand(stats_dir):
    """Also if it stands in a run of blocks of which another one was left out."""
    blocks = [fb.metric("a"), fb.pad(64), fb.metric("b", index=1), fb.metric("a"), fb.pad(64)]
    blocks += [fb.metric("b", index=2), fb.cells(1, [1, 2, 3])]
    (one,) = snapshot(fb.write(stats_dir / "a.mmstats", fb.whole(*blocks)))
    assert [(stat.label, stat.value) for stat in one.stats] == [("a", 1), ("b", 2)]
    assert len(one.problems) == 2


# --- what it costs ----------------------------------------------------------------------------------


def longer(block, length):
    """The block, said to have that length; what follows is a hole in the file."""
    return block[:4] + struct.pack("<I", length) + block[8:]


def one_metric(kind, segment):
    def file(at):
        metric = longer(fb.metric(f"a{at}", kind, segment=segment), LARGEST - layout.HEADER_SIZE)
        return [(0, fb.header(ino=0) + metric)], LARGEST

    return file


def withdrawn(at):
    """15 MiB of metrics that are no more."""
    metrics = [longer(fb.metric(f"m{at}-{one}", state=2), MIB) for one in range(15)]
    offsets = range(layout.HEADER_SIZE, LARGEST, MIB)
    return [(0, fb.header(ino=0)), *zip(offsets, metrics)], layout.HEADER_SIZE + 15 * MIB + 64


def wide_texts_of_version_1(_):
    text = "\U0001f600".encode() + b"x" * 9_999_995
    field = b"\x08\x009999999s\xff" + text
    return [(0, b"\1" + b"".join(struct.pack("<H2s", 2, b"%02d" % at) + field for at in range(9)))], 0


def wide_texts(_):
    """Half a MiB of text in each of 200 lanes."""
    cells = layout.VALUE_CELLS - 1
    slot = (cells - 1) // 2
    text = struct.pack("<QQ", 8 * slot - 16, 5) + "\U0001f600".encode()
    length = fb.up(layout.CELLS_SIZE + 8 * cells, 128)
    parts = [(0, fb.header(ino=0) + fb.metric("t", "text", fb.TEXT, cells=cells))]
    for lane in range(200):
        at = layout.HEADER_SIZE + 128 + lane * length
        block = struct.pack(layout.CELLS_STRUCT, layout.BLOCK_TYPE_CELLS, length, lane, 1, cells)
        parts += [(at, block), (at + 64, b"\1"), (at + 64 + 8 + 8 * slot, text)]
    return parts, at + length


def a_set_of_lanes(_):
    lanes = [fb.cells(lane, [lane]) for lane in range(1, 100_000)]
    return [(0, b"".join([fb.header(ino=0), fb.metric("m", "number", aggregate="set"), *lanes]))], 0


def wrong_metrics(_):
    return [(0, b"".join([fb.header(ino=0), *(fb.metric(f"m{at}", cell_type=9) for at in range(60_000))]))], 0


COSTS = {
    "a metric as large as a file": (3, one_metric("counter", 1)),
    "a static as large as a file": (3, one_metric("static", 0)),
    "withdrawn metrics": (40, withdrawn),
    "wide texts of version 1": (1, wide_texts_of_version_1),
    "wide texts of lanes": (1, wide_texts),
    "a set of many lanes": (1, a_set_of_lanes),
    "metrics each of which is wrong": (1, wrong_metrics),
}
READ = """
import json, sys
from mmstats import snapshot

def most():
    with open("/proc/self/status") as status:
        (line,) = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

before = most()
found = snapshot(sys.argv[1])
print(json.dumps([most() - before, len(found), max(len(one.problems) for one in found)]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("content", COSTS)
def test_it_costs_no_more_than_the_law_says(stats_dir, content):
    """Memory, problems, and time: ten seconds for what takes a tenth of one unless it is done by squares."""
    count, make = COSTS[content]
    for at in range(count):
        parts, size = make(at)
        with open(stats_dir / f"{at}.mmstats", "wb") as file:
            for offset, raw in parts:
                file.seek(offset)
                file.write(raw)
            size = file.truncate(max(size, file.tell()))
    code, out, err = run(stats_dir, "-c", READ, str(stats_dir), timeout=10)
    assert code == 0, err
    memory, found, problems = json.loads(out)
    assert found == count
    assert memory < size + MOST
    assert problems < 100
