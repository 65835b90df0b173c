"""A second reader, to be read: FORMAT.md section by section, and nothing of mmstats.

    python spec/plain_reader.py FILE    what the file says, as JSON; spec/vectors/README.md tells its shape

Exit status: 0 it was read, 1 it was not (`problems` say why), 2 usage. Every number stands here once more,
taken from the law and not from layout.toml, so that two readers can disagree. It looks at one file: it does
not judge who lives (section 8), combines no processes, and keeps nothing of what it parsed.
"""

from __future__ import annotations

import json
import os
import stat
import struct
import sys
import time
from math import fsum, isfinite

MAX_SIZE = 256 << 20
MAX_CELLS = 1 << 17
MAGIC = bytes.fromhex("02 6D 6D 73 74 0D 0A 1A")
PAD, METRIC, LANE, CELLS, MEMBER, FOLDED = 1, 2, 3, 4, 7, 9
RETIRED = 3
LIVE, ENDED, SUPERSEDED = 1, 3, 4
U64, I64, F64, BOOL, TEXT = 1, 2, 3, 4, 5
LETTERS = {U64: "Q", I64: "q", F64: "d"}
NEVER = {U64: 0xFFFFFFFFFFFFFFFF, I64: 0x8000000000000000, F64: 0x7FF86D6D73746174, BOOL: 0}
TAGS = {U64: "u64", I64: "i64", F64: "f64", BOOL: "bool", TEXT: "text"}
AGGREGATES = {1: "sum", 2: "max", 3: "min", 4: "avg", 5: "last", 6: "all", 7: "any", 8: "set"}
REASONS = dict(enumerate(("removed", "private", "space", "series", "value")))
NUMBERS = (U64, I64, F64)
OCTAVE_STEP = 1 << 20
GROWING = 20  # times that a file is read anew which grew meanwhile
SPREAD_AT = {"histogram": 7, "timer": 9}  # section 5.2: where the distribution begins in the value's cells
# Section 6: code → kind and the cell types that it may have.
KINDS = {
    1: ("counter", NUMBERS),
    2: ("updown", NUMBERS),
    3: ("number", NUMBERS),
    4: ("bool", (BOOL,)),
    5: ("average", (F64,)),
    6: ("moving", (F64,)),
    7: ("timer", (F64,)),
    8: ("histogram", (F64,)),
    9: ("gauge", (F64,)),
    10: ("text", (TEXT,)),
    11: ("static", (*NUMBERS, TEXT)),
    12: ("info", (TEXT,)),
    13: ("enum", (U64,)),
}


class Refused(Exception):  # noqa: N818 - a word of the law
    """The file is not for this reader, or cannot be opened."""


class Damage(Exception):  # noqa: N818 - a word of the law
    """What the law calls damage: of the file, the chain, a block, a metric."""


class Grown(Exception):  # noqa: N818 - not an error
    """Section 5.2: a value got an octave after the blocks had been read."""


def read(path) -> dict:
    """Section 2: all that the file at `path` says."""
    try:
        with File(path) as file:
            return read_open(file)
    except (OSError, ValueError, Refused) as error:
        return refused("refused", str(error))


def read_open(file) -> dict:
    """Section 2, of anything with `size`, `ino` and `pread(offset, length)`, also while it grows."""
    for _ in range(GROWING):
        try:
            return read_once(file)
        except Grown:
            file.refresh()
    return refused("damaged", "damaged: it grew all the time")


def read_once(file) -> dict:
    """Section 2, of the blocks that are there at one time."""
    data = file.pread(0, file.size)
    if data[:1] == b"\x01":
        return version_1(data)
    try:
        header = header_of(data, file.ino)
    except Refused as error:
        return refused("refused", str(error))
    except Damage as error:
        return refused("damaged", f"damaged: {error}")
    blocks = Blocks(data, header["header_size"])
    blocks.retired = retired = header["state"] == RETIRED
    blocks.clock = clock_of(header)
    stats = [made for metric in blocks.metrics for made in stats_of(metric, blocks, file, retired=retired)]
    left = [made for metric in blocks.ended if stays(metric) for made in stats_of(metric, blocks, file)]
    origin = {name: header[name] for name in ("uuid", "pid", "uid", "hostname", "group", "cmd")}
    out = {"version": 2, "error": blocks.error, "origin": origin, "stats": stats + dropped(header)}
    return {**out, "folded": blocks.folded, "left": left, "problems": blocks.problems}


def refused(error, reason) -> dict:
    return {"version": 0, "error": error, "stats": [], "problems": [reason]}


class File:
    """Section 2, steps 1 and 2: opened so that nothing can do harm, never mapped."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        found = os.fstat(self.fd)
        self.size, self.ino = found.st_size, found.st_ino
        if not stat.S_ISREG(found.st_mode) or self.size > MAX_SIZE:
            os.close(self.fd)
            raise Refused("not a regular file" if self.size <= MAX_SIZE else f"{self.size} bytes")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        os.close(self.fd)

    def refresh(self) -> None:
        self.size = min(os.fstat(self.fd).st_size, MAX_SIZE)

    def pread(self, offset, length) -> bytes:
        return os.pread(self.fd, length, offset)


def header_of(data, ino) -> dict:
    """Section 3, and section 2 step 3."""
    if data[:8] != MAGIC:
        raise Refused(f"not an mmstats file (begins with {data[:3].hex(' ')})" if data else "an empty file")
    if len(data) >= 10 and data[8:10] != b"\x02\0":
        raise Refused(f"written by mmstats format {int.from_bytes(data[8:10], 'little')}")
    if len(data) < 512:
        raise Damage(f"{len(data)} bytes, a header has 512")
    names = ("header_size", "incompat_flags", "state", "uuid", "boot_id", "pid", "uid", "time_ns", "ino")
    out = dict(zip(names, struct.unpack_from("<12xIQ16xI4x16s16s16xII16xQQ", data)))
    out["created"], out["created_monotonic"] = u64(data, 17), u64(data, 52)
    if out["incompat_flags"]:
        raise Refused(f"written with features this reader does not know, incompat_flags {data[16:24].hex()}")
    begin = out["header_size"]
    if begin < 512 or begin % 64 or begin > len(data):
        raise Damage(f"header_size={begin}")
    if out["state"] > 3:
        raise Damage(f"state={out['state']}")
    if out["ino"] not in (0, ino):
        raise Refused(f"a copy: inode {ino}, written as {out['ino']}; not counted")
    texts = {"hostname": data[160:224], "group": data[224:288], "cmd": data[288:352]}
    texts = {name: utf8(raw.partition(b"\0")[0], name) for name, raw in texts.items()}
    return {**out, **texts, "uuid": out["uuid"].hex(), "dropped": struct.unpack_from("<8Q", data, 352)}


def utf8(raw, what) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Damage(f"byte 0x{raw[error.start]:02x} in {what}: not UTF-8") from None


def clock_of(header) -> int:
    """Section 5.1, a window of time: CLOCK_MONOTONIC where the writer is, in ns."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            boot_id = bytes.fromhex(file.read().strip().replace("-", ""))
        time_ns = os.stat("/proc/self/ns/time").st_ino
    except OSError:
        boot_id, time_ns = b"", 0
    if (boot_id, time_ns) == (header["boot_id"], header["time_ns"]):
        return time.monotonic_ns()
    return time.time_ns() - header["created"] + header["created_monotonic"]


def dropped(header) -> list:
    """Section 3, what was dropped."""
    about = {"label": "mmstats.dropped", "kind": "counter", "unit": "", "aggregate": "sum"}
    found = [(REASONS.get(at, f"reason {at}"), count) for at, count in enumerate(header["dropped"]) if count]
    return [{**about, "tags": {"reason": reason}, "value": tag(U64, count)} for reason, count in found]


class Blocks:
    """Section 4: the chain of blocks from `begin` on, and what was wrong in it.

    `lanes`: number → state. `cells`: segment → [(lane, where its first cell is, how many it has)].
    """

    def __init__(self, data, begin):
        self.data, self.error, self.problems, self.retired, self.clock = data, "", [], False, 0
        self.metrics, self.ended, self.lanes, self.cells, self.folded = [], [], {}, {}, []
        self.members = []
        try:
            self.walk(begin)
        except Damage as error:
            self.damaged(error)

    def walk(self, at) -> None:
        """Section 4: a length of zero, or the end of the file, ends the chain."""
        takes = {
            METRIC: self.take_metric,
            LANE: self.take_lane,
            CELLS: self.take_cells,
            MEMBER: self.take_member,
            FOLDED: self.take_folded,
        }
        while len(self.data) - at >= 64:
            kind, length = struct.unpack_from("<II", self.data, at)
            if length == 0:
                return
            if length % 64 or length > len(self.data) - at:
                raise Damage(f"offset {at}: a block of length {length}")
            try:
                takes.get(kind, lambda *_: None)(at, length)  # of an unknown type, PAD, BUILDING: skipped
            except Damage as error:
                self.damaged(error)
            at += length

    def note(self, reason) -> None:
        if reason not in self.problems:
            self.problems.append(reason)

    def damaged(self, error) -> None:
        self.error = "damaged"
        self.note(f"damaged: {error}")

    def take_metric(self, at, length) -> None:
        """Section 4.1."""
        names = ("number", "kind", "cell_type", "aggregate", "flags")
        metric = dict(zip(names, struct.unpack_from("<8xIBBBB", self.data, at)))
        names = ("segment", "index", "cells", "state", "initial")
        metric.update(zip(names, struct.unpack_from("<16xIIIIQ", self.data, at)))
        lengths = struct.unpack_from("<6I", self.data, at + 40)
        if 64 + sum(lengths) > length:
            raise Damage(f"offset {at}: texts of {sum(lengths)} bytes in a METRIC of {length}")
        if not LIVE <= metric["state"] <= SUPERSEDED:
            raise Damage(f"offset {at}: a METRIC of state={metric['state']}")
        at += 64
        for name, size in zip(("label", "unit", "help", "value", "tags"), lengths):
            metric[name] = utf8(self.data[at : at + size], f"the {name} at {at}")
            at += size
        metric["extra"] = self.data[at : at + lengths[5]]
        if not metric["label"]:
            raise Damage(f"offset {at}: a METRIC with an empty label")
        if metric["state"] == ENDED:
            self.ended.append(metric)
        if metric["state"] == LIVE:
            if (metric["label"], metric["tags"]) in [(m["label"], m["tags"]) for m in self.metrics]:
                raise Damage(f"a second metric {metric['label']!r}")
            self.metrics.append(metric)

    def take_lane(self, at, _length) -> None:
        """Section 4.2."""
        lane, state = struct.unpack_from("<8xI4xQ", self.data, at)
        if lane == 0 or lane in self.lanes:
            raise Damage(f"offset {at}: a LANE of lane={lane}")
        self.lanes[lane] = state

    def take_cells(self, at, length) -> None:
        """Section 4.3."""
        lane, segment, count = struct.unpack_from("<8xIII", self.data, at)
        if 64 + 8 * count > length:
            raise Damage(f"offset {at}: count={count} cells in a block of {length}")
        if lane in [one for one, _, _ in self.cells.get(segment, [])]:
            raise Damage(f"offset {at}: a second block of segment {segment}, lane {lane}")
        self.cells.setdefault(segment, []).append((lane, at + 64, count))

    def take_member(self, at, length) -> None:
        """Section 4.4; whose it is, and whether it stays that, is looked at again with its cells."""
        names = ("generation", "number", "segment", "index", "size")
        member = dict(zip(names, struct.unpack_from("<8xQIIII", self.data, at)))
        if member["generation"] and 64 + member["size"] > length:
            raise Damage(f"offset {at}: values of {member['size']} bytes in a MEMBER of {length}")
        if member["generation"]:
            self.members.append({**member, "at": at, "length": length})

    def take_folded(self, at, length) -> None:
        """Section 9."""
        (count,) = struct.unpack_from("<8xQ", self.data, at)
        if 64 + 32 * count > length:
            raise Damage(f"offset {at}: count={count} entries in a block of {length}")
        self.folded += [self.data[at + 64 + 32 * i : at + 80 + 32 * i].hex() for i in range(count)]


def stays(metric) -> bool:
    """Section 6: whether the end of a process leaves something of it."""
    kind = KINDS.get(metric["kind"], ("", ()))[0]
    keeps = metric["flags"] & 1 and AGGREGATES.get(metric["aggregate"]) in ("sum", "max", "min")
    return kind in ("counter", "average", "timer", "histogram") or (
        kind in ("updown", "number") and bool(keeps)
    )


def stats_of(metric, blocks, file, *, retired=False) -> list:
    """Section 6: the stat of one metric, or of each member; what cannot be understood is said."""
    if metric["kind"] not in KINDS:
        blocks.note(f"kind {metric['kind']} is not known to this reader")
        return []
    try:
        check(metric)
        places = [Cells(metric, blocks, file)] if not metric["tags"] else []
    except Damage as error:
        blocks.damaged(error)
        return []
    stats = []
    for place in places + members_of(metric, blocks, file):
        try:
            value = value_of(metric, place)
            value = with_carry(value, metric, place) if retired else value
        except Damage as error:
            blocks.damaged(error)
            continue
        about = {name: metric[name] for name in ("label", "unit", "help")}
        kind, aggregate = KINDS[metric["kind"]][0], AGGREGATES[metric["aggregate"]]
        if place.stands():
            stats.append({**about, "tags": place.tags, "kind": kind, "aggregate": aggregate, "value": value})
    return stats


def members_of(metric, blocks, file) -> list:
    """Section 4.4: the members of a family, each with other tags."""
    out = []
    for member in [member for member in blocks.members if member["number"] == metric["number"]]:
        try:
            place = Member(metric, member, blocks, file)
        except Damage as error:
            blocks.damaged(error)
            continue
        if place.tags in [other.tags for other in out]:
            blocks.damaged(f"a second member of {metric['label']!r} with {place.tags}")
        else:
            out.append(place)
    return out


class Cells:
    """Where the cells of a metric are: of each lane whether its thread lives, and their bytes."""

    tags: dict = {}  # noqa: RUF012 - never changed
    word = b""  # the generation that cells begin with

    def __init__(self, metric, blocks, file):
        self.metric, self.blocks, self.file = metric, blocks, file
        self.segment, self.index = metric["segment"], metric["index"]

    def stands(self) -> bool:
        return True

    def lanes(self, cells) -> list:
        """Sections 4.2 and 4.3: the lane, whether its thread lives, and where the value's cells are."""
        head, out = len(self.word) // 8, []
        for lane, at, count in self.blocks.cells.get(self.segment, []):
            if self.index + head + cells > count:
                raise Damage(f"{self.metric['label']!r} ends at {self.index + head + cells} of {count} cells")
            place = at + 8 * self.index
            if not head or self.counts(place):
                out.append((lane, self.blocks.lanes.get(lane, 1) != 0, place + 8 * head))
        return out

    def counts(self, place) -> bool:
        """Section 4.4: whether a lane's cells are this generation's."""
        return self.file.pread(place, 8) == self.word

    def whole(self, at, cells, witnesses) -> bytes:
        """Sections 4.4 and 5.1: the cells as they were between two updates, by three reads."""
        head, patience = len(self.word), Patience()
        begin, told = at - head, head + 8 * witnesses
        while True:
            before = self.file.pread(begin, told)
            raw = self.file.pread(at, 8 * cells)
            after = self.file.pread(begin, told)
            if len(before) < told or len(raw) < 8 * cells:
                raise Damage(f"the end of the file within {self.metric['label']!r}")
            if before == after or patience.is_over():
                break
        if before != after:
            self.blocks.note(f"{self.metric['label']!r} was being written")
        return before[head : head + 8 * witnesses] + raw[8 * witnesses :]


class Patience:
    """Section 5.1: 50 ms, or a hundred tries; here of each value."""

    def __init__(self):
        self.deadline, self.tries = time.monotonic() + 0.05, 0

    def is_over(self) -> bool:
        self.tries += 1
        return time.monotonic() > self.deadline and self.tries >= 100


class Member(Cells):
    """Section 4.4: a slot, as long as it is the same member's."""

    def __init__(self, metric, member, blocks, file):
        super().__init__(metric, blocks, file)
        if not metric["tags"]:
            raise Damage(f"a member of {metric['label']!r}, which is no family")
        self.segment, self.index, self.at = member["segment"], member["index"], member["at"]
        self.word = member["generation"].to_bytes(8, "little")
        size = struct.unpack("<I", file.pread(self.at + 28, 4))[0]
        self.tags = tags_of(metric, file.pread(self.at + 64, min(size, member["length"] - 64)))

    def stands(self) -> bool:
        return self.file.pread(self.at + 8, 8) == self.word


def tags_of(metric, raw) -> dict:
    """Section 4.4: values in the order of the names; none: the member for all that were too many."""
    if not raw:
        return {"overflow": "true"}
    *names, _ = metric["tags"].split("\0")
    *values, rest = utf8(raw, f"values of tags of {metric['label']!r}").split("\0")
    if rest or len(values) != len(names):
        raise Damage(f"{len(values)} values of tags of {metric['label']!r}, which has {len(names)}")
    return dict(sorted(zip(names, values)))


def check(metric) -> None:
    """Section 6, when it is wrong."""
    kind, cell_types = KINDS[metric["kind"]]
    if metric["cell_type"] not in cell_types:
        raise Damage(f"cell_type={metric['cell_type']} of {metric['label']!r}, a {kind}")
    if metric["aggregate"] not in AGGREGATES:
        raise Damage(f"aggregate {metric['aggregate']} of {metric['label']!r}")
    if kind in ("static", "info"):
        if metric["tags"]:
            raise Damage(f"tags of {metric['label']!r}, a {kind}")
        return
    if not metric["cells"] or not (metric["segment"] or metric["tags"]):
        raise Damage(f"segment={metric['segment']} cells={metric['cells']} of {metric['label']!r}")
    fits = COMPOUND[kind][0] if kind in COMPOUND else lambda _: True
    if kind == "moving" and metric["extra"]:
        fits = width_of(metric) and (lambda cells: cells >= 15 and cells % 3 == 0)
    if kind in COMPOUND and not (metric["cells"] <= MAX_CELLS and fits(metric["cells"])):
        raise Damage(f"cells={metric['cells']} of {metric['label']!r}, a {kind}")
    check_extra(metric, kind)


def check_extra(metric, kind) -> None:
    """Section 6, when it is wrong: parameters of the kind."""
    if kind in SPREAD_AT:
        check_range(metric, kind)
    if kind == "enum":
        states(metric)


def range_of(extra) -> dict:
    """Section 5.2: scale, octaves and bounds."""
    if len(extra) < 16:
        raise Damage(f"a range of {len(extra)} bytes")
    scale, low, high, count = struct.unpack_from("<IiiI", extra)
    if scale > 8 or not -1023 <= low < high <= 1023:
        raise Damage(f"a range of scale={scale} low={low} high={high}")
    if count > 256 or len(extra) != 16 + 8 * count:
        raise Damage(f"{count} bounds in a range of {len(extra)} bytes")
    bounds = struct.unpack_from(f"<{count}d", extra, 16)
    if not all(map(isfinite, bounds)) or any(one >= two for one, two in zip(bounds, bounds[1:])):
        raise Damage("bounds that do not ascend")
    cells = 6 + (count + 1 if count else 0)
    return {"scale": scale, "low": low, "high": high, "bounds": bounds, "cells": cells}


def check_range(metric, kind) -> None:
    """Section 5.2, when it is wrong."""
    least = SPREAD_AT[kind] + range_of(metric["extra"])["cells"]
    fits = metric["cells"] == least if kind == "histogram" else metric["cells"] >= least + 2
    if not fits or metric["cells"] > MAX_CELLS or metric["segment"] >= OCTAVE_STEP:
        raise Damage(f"cells={metric['cells']} segment={metric['segment']} of {metric['label']!r}, a {kind}")


def with_carry(value, metric, place) -> dict:
    """Section 9.1: of two cells behind the metric's own, what a sum of integers has beyond 64 bits."""
    own, blocks = metric["cells"], place.blocks
    lanes = place.lanes(own + 2)
    if [lane for lane, _, _ in lanes] != [0]:
        raise Damage(f"{metric['label']!r} has no cells of its own in lane 0")
    ((_, _, at),) = lanes
    (carry,) = struct.unpack_from("<q", blocks.data, at + 8 * own)
    if metric["cell_type"] not in (U64, I64):
        return value
    low = u64(blocks.data[at : at + 8], 0)
    return {"type": value["type"], "value": str((carry << 64) + low)}


def value_of(metric, place) -> dict:
    """Section 6."""
    kind, cell_type, cells = KINDS[metric["kind"]][0], metric["cell_type"], metric["cells"]
    if kind in ("static", "info"):
        return (
            tag(TEXT, metric["value"])
            if cell_type == TEXT
            else tag(cell_type, number(metric["initial"], cell_type))
        )
    if kind in SPREAD_AT:
        return distributed(metric, place)
    if kind not in COMPOUND:
        lanes = place.lanes(cells if metric["tags"] else 1)
        return one_cell(metric, kind, [(lives, place.whole(at, 1, 0)) for _, lives, at in lanes])
    _, parts, together = COMPOUND[kind]
    if kind == "moving" and metric["extra"]:
        parts = recent(width_of(metric), place.blocks.clock)
    lanes = []
    for _, lives, at in place.lanes(cells):
        raw = place.whole(at, cells, 1)
        n = u64(raw, 0)
        lanes += [parts(n, raw, lives)] if n else []
    return together([lane for lane in lanes if lane])


def distributed(metric, place) -> dict:
    """Section 5.2: a histogram, or a timer, over the lanes."""
    kind, cells, told = KINDS[metric["kind"]][0], metric["cells"], range_of(metric["extra"])
    parts = timer if kind == "timer" else histogram
    lanes = []
    for lane, lives, at in place.lanes(cells):
        raw, spread = with_octaves(metric, place, lane, at, told)
        n = u64(raw, 0)
        lanes += [(parts(n, raw, lives, told), spread)] if n else []
    value = (timed if kind == "timer" else measured)([one for one, _ in lanes])
    return {**value, "value": {**value["value"], **spread_over([one for _, one in lanes], told)}}


def with_octaves(metric, place, lane, at, told) -> tuple:
    """Section 5.2, a reader: the first cells, and how many values lie where."""
    begun_at = at + 8 * SPREAD_AT[KINDS[metric["kind"]][0]]
    rows, patience = octaves_of(metric, place, lane, told), Patience()
    while True:
        before = place.file.pread(at, 8)
        raw = place.file.pread(at, 8 * metric["cells"])
        buckets = {k: place.file.pread(where, 8 << told["scale"]) for k, where in rows.items()}
        begun, after = place.file.pread(begun_at, 24), place.file.pread(at, 8)
        if len(raw) < 8 * metric["cells"] or any(len(row) < 8 << told["scale"] for row in buckets.values()):
            raise Damage(f"the end of the file within {metric['label']!r}")
        raw, n = before + raw[8:], u64(before, 0)
        spread = spread_of(raw[begun_at - at :], buckets, begun, n, told)
        is_whole = before == after and n == spread["count"]
        if before == after and not is_whole and place.file.pread(32, 8) != place.blocks.data[32:40]:
            raise Grown
        if is_whole or patience.is_over():
            break
    if not is_whole:
        place.blocks.note(f"{metric['label']!r} was being written")
    return raw, spread


def octaves_of(metric, place, lane, told) -> dict:
    """Section 5.2, octaves: place from `low` on → where the value has its buckets in that lane."""
    room, head = 1 << told["scale"], len(place.word) // 8
    step = metric["cells"] + head + (2 if place.blocks.retired else 0)
    begin, out = place.index // step * room, {}
    for k in range(told["high"] - told["low"]):
        for one, at, count in place.blocks.cells.get(place.segment + OCTAVE_STEP * (k + 1), []):
            if one == lane and place.index % step:
                raise Damage(f"index={place.index} of {metric['label']!r}, not a multiple of {step}")
            if one == lane and begin + room > count:
                raise Damage(f"{metric['label']!r} ends at {begin + room} of {count} cells of an octave")
            if one == lane:
                out[k] = at + 8 * begin
    return out


def spread_of(cells, buckets, begun, n, told) -> dict:
    """Section 5.2: counts by number of bucket, and by bound; as they were before an update under way."""
    room = 1 << told["scale"]
    counts = {number: u64(cells, 3 + number) for number in range(3)}
    for k, row in buckets.items():
        counts.update({3 + k * room + i: u64(row, i) for i in range(room)})
    bounds = [u64(cells, 6 + i) for i in range(told["cells"] - 6)]
    what, was, was_bound = (u64(begun, i) for i in range(3))
    if what >> 32 == (n + 1) % (1 << 32):
        number, bound = what % (1 << 20), (what >> 20) % (1 << 12)
        counts[number] = was
        if 0 < bound <= len(bounds):
            bounds[bound - 1] = was_bound
    count = add(counts.values())
    if bounds and add(bounds) != count:
        count = -1
    return {"count": count, "counts": counts, "bounds": bounds}


def spread_over(lanes, told) -> dict:
    """Section 5.2: of all lanes; nothing where nobody wrote."""
    if not lanes:
        return {}
    total = {}
    for lane in lanes:
        for number, count in lane["counts"].items():
            total[number] = total.get(number, 0) + count
    first = told["low"] << told["scale"]
    buckets = sorted((first + number - 3, count) for number, count in total.items() if number > 2 and count)
    return {
        "scale": str(told["scale"]),
        "octaves": [str(told["low"]), str(told["high"])],
        "zero": str(total[0]),
        "overflow": str(total[1]),
        "negative": str(total[2]),
        "buckets": {str(index): str(count) for index, count in buckets},
        "bounds": [tag(F64, bound)["value"] for bound in told["bounds"]],
        "counts": [str(add(column)) for column in zip(*(lane["bounds"] for lane in lanes))],
    }


def states(metric) -> list:
    """Section 6, enums."""
    *texts, rest = utf8(metric["extra"], f"the states of {metric['label']!r}").split("\0")
    if not texts or rest or not all(texts):
        raise Damage(f"states of {metric['label']!r}")
    return texts


def state(metric, raws) -> dict:
    """Section 6, enums: the text of the state; empty where nobody wrote."""
    told = states(metric)
    found = {place for place in (int.from_bytes(raw, "little") for raw in raws) if place != NEVER[U64]}
    if max(found, default=0) >= len(told):
        raise Damage(f"state {max(found)} of {metric['label']!r}")
    texts = [tag(TEXT, text) for text in sorted(told[place] for place in found)]
    return {"type": "set", "value": texts} if len(texts) > 1 else (texts or [tag(TEXT, "")])[0]


def one_cell(metric, kind, lanes) -> dict:
    """Section 6, over lanes, of kinds with one cell; section 5, never."""
    if kind == "enum":
        return state(metric, [raw for _, raw in lanes])
    how = {"counter": "sum", "updown": "sum", "bool": "any"}.get(kind) or AGGREGATES[metric["aggregate"]]
    cell_type, stays = metric["cell_type"], how == "sum" and kind != "gauge"
    words = [int.from_bytes(raw, "little") for lives, raw in lanes if lives or stays or kind == "gauge"]
    values = [number(word, cell_type) for word in words if stays or word != NEVER[cell_type]]
    values = [value for value in values if value is not None]
    if not values:
        return tag(cell_type, number(metric["initial"], cell_type) or 0)
    if how == "set":
        return {"type": "set", "value": [tag(cell_type, value) for value in sorted(set(values))]}
    if how == "all":  # what a process has of a number that is shown for each process
        how = "max" if cell_type == F64 else "sum"
    return tag({"avg": F64, "any": BOOL}.get(how, cell_type), OVER_LANES[how](values))


def number(word, cell_type):
    """Section 5: what eight bytes mean."""
    if cell_type == BOOL:
        return {1: False, 2: True}.get(word)
    return struct.unpack("<" + LETTERS[cell_type], struct.pack("<Q", word))[0]


def add(values):
    """One after the other: `sum` rounds otherwise since Python 3.12."""
    total = 0
    for value in values:
        total += value
    return total


OVER_LANES = {
    "sum": add,
    "max": max,
    "min": min,
    "any": any,
    "avg": lambda values: add(values) / len(values),
    "last": lambda values: values[-1],  # a plain cell does not tell when
}


def f64(raw, cell, count=1):
    return struct.unpack_from(f"<{count}d", raw, 8 * cell)


def u64(raw, cell):
    return int.from_bytes(raw[8 * cell : 8 * cell + 8], "little")


def window(n, raw, ring) -> list:
    """Section 5.1: values max(started, n - N) to n - 1 of the N + 1 places that begin at cell `ring`."""
    started, places = u64(raw, 1), len(raw) // 8 - ring
    if started > n:
        raise Damage(f"started={started} beyond the witness {n}")
    return [f64(raw, ring + i % places)[0] for i in range(max(started, n - places + 1), n)]


def total(values) -> float:
    try:
        return fsum(values)
    except (OverflowError, ValueError):  # infinities of both signs, or more than there is room for
        return add(values)


def average(n, raw, _lives):
    """Section 5.1, Average: sum and count."""
    return f64(raw, 1 + (n & 1))[0], n


def moving(n, raw, lives):
    """Section 5.1, Moving average: sum and count, None where they are gone with their thread."""
    values = window(n, raw, 2) if lives else []
    return (total(values), len(values)) if values else None


def width_of(metric) -> int:
    """Section 5.1, a window of time: the width of a slice in ns."""
    width = u64(metric["extra"], 0)
    if not width or len(metric["extra"]) != 8:
        raise Damage(f"slices of {metric['extra'].hex(' ')} in {metric['label']!r}")
    return width


def recent(width, clock):
    """Section 5.1, Moving average of a window of time, when the writer's clock says that."""

    def parts(n, raw, lives):
        """Sum and count, None where none is in the window."""
        at, ring = 1 + 4 * (n & 1), range(9, len(raw) // 8, 3)
        started, now = u64(raw, at), u64(raw, at + 1)
        oldest = max(clock // width, now) - len(ring) + 1
        where = [i for i in ring if max(started, oldest) <= u64(raw, i) < now]
        where += [at + 1] if now >= oldest else []
        count = add(u64(raw, i + 1) for i in where)
        return (total([f64(raw, i + 2)[0] for i in where]), count) if lives and count else None

    return parts


def mean(lanes) -> dict:
    return tag(F64, add(one[0] for one in lanes) / add(one[1] for one in lanes) if lanes else 0.0)


def histogram(n, raw, _lives, _told):
    """Section 5.2: count, sum, min, max."""
    return (n, *f64(raw, 1 + 3 * (n & 1), 3))


def measured(lanes) -> dict:
    """Section 6, histogram: sums, min, max."""
    value = {
        "sum": add(lane[1] for lane in lanes),
        "min": min((lane[2] for lane in lanes), default=0.0),
        "max": max((lane[3] for lane in lanes), default=0.0),
    }
    told = {name: tag(F64, float(number))["value"] for name, number in value.items()}
    return {"type": "histogram", "value": {"count": str(add(lane[0] for lane in lanes)), **told}}


def timer(n, raw, lives, told):
    """Section 5.1, Timer: count, sum, min, max; time, last; sum and count of the ring."""
    values = window(n, raw, 9 + told["cells"])
    totals = (n, *f64(raw, 3 + 3 * (n & 1), 3))
    return (*totals, u64(raw, 2), values[-1], total(values), len(values)) if lives and values else totals


def timed(lanes) -> dict:
    """Section 6, timer: sums, min, max, latest."""
    latest = sorted((lane for lane in lanes if len(lane) > 4), key=lambda lane: lane[4])
    count, of_ring = add(lane[0] for lane in lanes), add(lane[7] for lane in latest)
    ring = [lane[6] for lane in lanes if len(lane) > 4]
    value = {
        "sum": add(lane[1] for lane in lanes),
        "min": min((lane[2] for lane in lanes), default=0.0),
        "max": max((lane[3] for lane in lanes), default=0.0),
        "last": latest[-1][5] if latest else 0.0,
        "moving": add(ring) / of_ring if latest else 0.0,
    }
    told = {name: tag(F64, float(number))["value"] for name, number in value.items()}
    return {"type": "timer", "value": {"count": str(count), **told}}


def text(n, raw, lives):
    """Section 5.1, Text: time and text; None where there is none."""
    size = (len(raw) // 8 - 1) // 2
    slot = 1 + size * (n & 1)
    length, when = u64(raw, slot), u64(raw, slot + 1)
    if lives and length > 8 * (size - 2):
        raise Damage(f"a text of {length} bytes in {8 * (size - 2)}")
    begin = 8 * (slot + 2)
    return (when, raw[begin : begin + length].decode("utf-8", "replace")) if lives and when else None


def latest(lanes) -> dict:
    return tag(TEXT, max(lanes)[1] if lanes else "")


# Kind → whether it may have so many cells, the parts of one lane, the value of several.
COMPOUND = {
    "average": (lambda cells: cells == 3, average, mean),
    "moving": (lambda cells: cells >= 4, moving, mean),
    "text": (lambda cells: cells % 2 and 7 <= cells <= 5 + 2 * 8192, text, latest),
}


def tag(cell_type, value) -> dict:
    """A value with its type, both as text, so that every language can compare them exactly."""
    if cell_type in (U64, I64):  # sums are modulo 2**64, as the cells are
        value %= 1 << 64
        value -= 1 << 64 if cell_type == I64 and value >= 1 << 63 else 0
    said = str(value).lower() if cell_type == BOOL else repr(float(value)) if cell_type == F64 else str(value)
    return {"type": TAGS[cell_type], "value": said}


def version_1(data) -> dict:
    """The appendix: fields one behind the other, until two zero bytes or the end."""
    stats, at, problems = [], 1, []
    try:
        while u16(data, at):
            made, at = field(data, at)
            stats.append(made)
    except Damage as error:
        problems.append(f"damaged: {error}")
    error = "damaged" if problems else ""
    return {"version": 1, "error": error, "stats": stats, "problems": problems}


def u16(data, at) -> int:
    return int.from_bytes(data[at : at + 2], "little") if len(data) - at >= 2 else 0


def take(data, at, length) -> bytes:
    if at + length > len(data):
        raise Damage(f"the end of the file after {len(data)} bytes, within a field")
    return data[at : at + length]


def field(data, at):
    """The appendix: one field, and where the next one begins."""
    label = take(data, at + 2, u16(data, at)).decode("utf-8", "ignore")
    at += 2 + u16(data, at)
    code = take(data, at + 2, int.from_bytes(take(data, at, 2), "little")).decode("ascii", "replace")
    at += 2 + len(code)
    size = size_1(code)
    index = take(data, at, 1)[0]
    if index not in (0, 1, 255):
        raise Damage(f"buffer {index} of {label!r}")
    buffers = take(data, at + 1, size if index == 255 else 2 * size)
    raw = buffers[size:] if index == 0 else buffers[:size]  # the index names the one being written
    about = {"label": label, "tags": {}, "unit": "", "kind": kind_1(code, index)}
    return {**about, "value": value_1(code, raw)}, at + 1 + len(buffers)


def size_1(code) -> int:
    """The appendix: a letter of Python's `struct` as on x86-64, or a length and `s`."""
    if len(code) == 1 and code in "bB?hHiIlLqQfd":
        return struct.calcsize("<" + code.replace("l", "q").replace("L", "Q"))
    if code[-1:] == "s" and code[:-1].isdigit() and code.isascii() and len(code) < 9:
        return int(code[:-1])
    raise Damage(f"type {code[:20]!r}")


def kind_1(code, index) -> str:
    if code[-1] in "s?":
        return {"s": "text", "?": "bool"}[code[-1]]
    return "static" if index == 255 and code != "b" else "number"


def value_1(code, raw) -> dict:
    if code[-1] == "s":
        return tag(TEXT, raw.partition(b"\0")[0].decode("utf-8", "ignore"))
    value = struct.unpack("<" + code.replace("l", "q").replace("L", "Q"), raw)[0]
    return tag(BOOL if code == "?" else F64 if code in "fd" else U64 if code.isupper() else I64, value)


def main(arguments) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: plain_reader.py FILE", file=sys.stderr)
        return 2
    found = read(arguments[0])
    print(json.dumps(found, indent=1))
    return 0 if found["version"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
