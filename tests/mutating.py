"""Files changed at random, and read: what a reader is hurt by.

    python tests/mutating.py COUNT SEED [--spoilt]    JSON of what came of it

Changed are the vectors, files of mmstats 0.8, and one of each kind of field. A change is a function of seed
and number: what was found is found again. `--spoilt` takes a check out of the reader, to see it found out.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import struct
import sys
import tempfile
import time
import traceback
from collections import deque
from contextlib import redirect_stdout
from pathlib import Path

TESTS = Path(__file__).resolve().parent
INTERESTING = (0, 1, 2, 7, 63, 64, 65, 511, 512, 1 << 16, 1 << 31, (1 << 32) - 1, (1 << 32) - 64)
LARGE = (*INTERESTING, 1 << 59, 1 << 61, 1 << 63, (1 << 64) - 1, 0x7FF86D6D73746174, 0x7FF0000000000000)
INODE = slice(128, 136)


def corpus():
    """Every file that changes begin with; they name no inode, so that none is refused as a copy."""
    import plainly

    found = [vector.data for vector in plainly.vectors().vectors()]
    found += [path.read_bytes() for path in sorted((TESTS / "data/v1").glob("*.mmstats"))]
    return [without_inode(data) for data in [*found, *of_every_kind()]]


def without_inode(data):
    changed = bytearray(data)
    if data[:1] == b"\x02" and len(data) >= INODE.stop:
        changed[INODE] = bytes(8)
    return bytes(changed)


def of_every_kind():
    """Files as a writer makes them: one with each field, one that carries another's totals."""
    import mmstats

    class Every(mmstats.MmStats):
        counter = mmstats.CounterField()
        real = mmstats.CounterField(float=True)
        number = mmstats.Int64Field(aggregate="max")
        least = mmstats.DoubleField(aggregate="min")
        ready = mmstats.BoolField()
        size = mmstats.AverageField()
        load = mmstats.MovingAverageField(size=8)
        latency = mmstats.TimerField(size=8)
        phase = mmstats.StringField(size=40)
        release = mmstats.StaticTextField(value="1.0")
        port = mmstats.StaticInt64Field(value=8080)
        requests = mmstats.CounterField(tags=("method", "status"))
        route = mmstats.TimerField(size=8, tags=("route",))

    directory = tempfile.mkdtemp(prefix="mmstats-mutating-", dir="/dev/shm")
    try:
        for filename in ("every", "kept"):
            for _ in range(2):  # the second takes the first one's totals over
                stats = Every(path=directory, filename=filename, persistent=filename == "kept")
                use(stats)
                yield Path(directory, filename).read_bytes()
                stats.remove()
    finally:
        shutil.rmtree(directory)


def use(stats):
    stats.counter.incr(3)
    stats.real.incr(0.5)
    stats.number, stats.least, stats.ready = -7, 2.5, True
    for value in range(12):
        stats.size.add(value)
        stats.load.add(value)
        stats.latency.observe(value / 8)
        stats.phase = "abcdef" * value
        stats.requests.tagged("GET", value % 3).incr()
        stats.route.tagged("/").observe(value)


class Change:
    """One change of many: `rng` decides which."""

    def __init__(self, files, rng):
        self.rng = rng
        self.files = files
        self.data = bytearray(rng.choice(files))
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            rng.choice(
                (self.flip, self.byte, self.word, self.double, self.cut, self.grow, self.splice, self.swap)
            )()

    def at(self, width=1):
        """An offset; mostly of what is not the zeros at the end, and where a word begins."""
        used = len(self.data.rstrip(b"\0")) + 64
        at = self.rng.randrange(max(1, min(used, len(self.data)) - width + 1))
        return at - at % width if self.rng.random() < 0.9 else at

    def put(self, at, raw):
        self.data[at : at + len(raw)] = raw

    def flip(self):
        if self.data:
            self.data[self.at()] ^= 1 << self.rng.randrange(8)

    def byte(self):
        self.put(self.at(), bytes([self.rng.randrange(256)]))

    def word(self):
        value = self.rng.choice(INTERESTING) + self.rng.choice((0, 0, 0, -1, 1))
        self.put(self.at(4), struct.pack("<I", value & 0xFFFFFFFF))

    def double(self):
        self.put(self.at(8), struct.pack("<Q", self.rng.choice(LARGE)))

    def cut(self):
        del self.data[self.at() :]

    def grow(self):
        self.data += self.rng.choice((b"\0", b"\xff")) * self.rng.choice((1, 64, 4096))

    def splice(self):
        """A piece of another file, inserted or put over what is there."""
        other = self.rng.choice(self.files)
        begin = self.rng.randrange(len(other) + 1) & -64
        piece = other[begin : begin + self.rng.choice((8, 64, 128, 512))]
        at = self.at(64)
        self.data[at : at + len(piece) * self.rng.randrange(2)] = piece

    def swap(self):
        one, other = self.at(8), self.at(8)
        first, second = self.data[one : one + 8], self.data[other : other + 8]
        self.put(one, second)
        self.put(other, first)


def look(path, others):
    """Whatever readers do with a file: as it is, and combined with others."""
    from mmstats import snapshot
    from mmstats.aggregate.combine import combine
    from mmstats.tools import machine, tables
    from mmstats.tools.style import Style
    from mmstats.tools.text import Listing

    style = Style(human=True, color="always")
    found = snapshot(path)
    whole = combine([*found, *others])
    Listing().of(found[0])
    for line in [*machine.objects(found), *machine.combined_objects(whole)]:
        json.loads(line)
    with redirect_stdout(io.StringIO()):
        for write in tables.WRITERS.values():
            write(found, style)
        tables.write_combined(whole, [*found, *others], style)
    return found[0]


def spoil():
    """A reader that believes where a metric says that its cells are."""
    from mmstats.format import cells

    cells._offset = lambda metric, start, _count, _cells=1: start + 8 * metric.index


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(count, seed):
    files = list(corpus())
    directory = tempfile.mkdtemp(prefix="mmstats-mutating-", dir="/dev/shm")
    path = os.path.join(directory, "a.mmstats")
    out = {"changes": count, "seed": seed, "exceptions": 0, "read": 0, "problems": 0, "slowest": 0.0}
    try:
        Path(path).write_bytes(files[0])
        look(path, [])
        before, others = peak(), deque(maxlen=3)
        for number in range(count):
            data = Change(files, random.Random(seed * 1_000_003 + number)).data
            Path(path).write_bytes(data)
            begin = time.monotonic()
            try:
                seen = look(path, others)
            except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
                out["exceptions"] += 1
                out["first"] = out.get("first") or f"number {number}\n{traceback.format_exc()}"
            else:
                others.append(seen)
                out["read"] += bool(seen.stats)
                out["problems"] += bool(seen.problems)
            out["slowest"] = max(out["slowest"], time.monotonic() - begin)
    finally:
        shutil.rmtree(directory)
    return {**out, "memory": round(peak() - before, 1)}


if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))
    if "--spoilt" in sys.argv:
        spoil()
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
