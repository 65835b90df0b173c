"""Files of format version 2 made by hand from the constants of the layout: what a writer would leave."""

from __future__ import annotations

import os
import struct

from mmstats.format import layout
from mmstats.host import identity, locks

CODES = {name: code for code, name in layout.KINDS.items()}
AGGREGATES = {name: code for code, name in layout.AGGREGATES.items()}
U64, I64, F64, BOOL, TEXT = (
    layout.CELL_TYPE_U64,
    layout.CELL_TYPE_I64,
    layout.CELL_TYPE_F64,
    layout.CELL_TYPE_BOOL,
    layout.CELL_TYPE_TEXT,
)
PACK = {U64: "<Q", I64: "<q", F64: "<d", BOOL: "<Q"}
NEVER = {U64: layout.NEVER_U64, I64: layout.NEVER_I64, F64: layout.NEVER_F64, BOOL: 0}
DEFAULTS = {
    "counter": "sum",
    "updown": "sum",
    "number": "sum",
    "bool": "any",
    "gauge": "sum",
    "static": "set",
    "text": "last",
}


def up(length: int, align: int) -> int:
    return -(-length // align) * align


def bits(value, cell_type: int) -> int:
    """The eight bytes of a cell as a number; None is never."""
    if value is None:
        return NEVER[cell_type]
    if cell_type == BOOL:
        return 2 if value else 1
    return struct.unpack("<Q", struct.pack(PACK[cell_type], value))[0]


def header(**given) -> bytes:
    """512 bytes; what is not given says this process on this machine."""
    values = {
        **dict.fromkeys(layout.HEADER_FIELDS, 0),
        "magic": layout.MAGIC,
        "major": layout.MAJOR,
        "header_size": layout.HEADER_SIZE,
        "state": layout.STATE_LIVE,
        "writer_flags": 7,
        "uuid": os.urandom(16),
        "boot_id": identity.boot_id(),
        "machine_id": identity.machine_id(),
        "pid": os.getpid(),
        "uid": os.geteuid(),
        "start_ticks": identity.start_ticks(),
        "pid_ns": identity.pid_ns(),
        "time_ns": identity.time_ns(),
        "created": 1_700_000_000_000_000_000,
        "started": 1_700_000_000_000_000_000,
        "hostname": identity.hostname(),
        "group": "app",
        "cmd": "app",
        "dropped": b"",
        **given,
    }
    packed = [text.encode() if isinstance(text, str) else text for text in values.values()]
    return struct.pack(layout.HEADER_STRUCT, *packed).ljust(layout.HEADER_SIZE, b"\0")


def metric(
    label,
    kind="counter",
    cell_type=U64,
    *,
    aggregate=None,
    keep=False,
    segment=1,
    index=0,
    cells=1,
    state=layout.METRIC_STATE_LIVE,
    initial=0,
    unit="",
    help="",
    value="",
    tags=(),
    extra=b"",
    number=1,
):
    """A METRIC block. `kind` and `aggregate`: a word or a code; `initial`: None is never."""
    texts = [text.encode() for text in (label, unit, help, value)]
    texts += ["".join(f"{tag}\0" for tag in tags).encode(), extra]
    length = up(layout.METRIC_SIZE + sum(map(len, texts)), 64)
    raw = initial if cell_type not in PACK else bits(initial, cell_type)
    fixed = struct.pack(
        layout.METRIC_STRUCT,
        *(layout.BLOCK_TYPE_METRIC, length, number, CODES.get(kind, kind), cell_type),
        AGGREGATES.get(aggregate, aggregate) or AGGREGATES[DEFAULTS.get(kind, "sum")],
        *(layout.METRIC_FLAG_KEEP if keep else 0, segment, index, cells, state, raw),
        *map(len, texts),
    )
    return (fixed + b"".join(texts)).ljust(length, b"\0")


def lane(number, state=1):
    fixed = struct.pack(layout.LANE_STRUCT, layout.BLOCK_TYPE_LANE, layout.LANE_SIZE, number, 0, state)
    return fixed.ljust(layout.LANE_SIZE, b"\0")


def cells(lane, raws, segment=1, count=None):
    """A CELLS block; `raws` are the eight bytes of each cell as numbers."""
    length = up(layout.CELLS_SIZE + 8 * len(raws), layout.LANE_ALIGN)
    words = len(raws) if count is None else count
    fixed = struct.pack(layout.CELLS_STRUCT, layout.BLOCK_TYPE_CELLS, length, lane, segment, words)
    return (fixed.ljust(layout.CELLS_SIZE, b"\0") + struct.pack(f"<{len(raws)}Q", *raws)).ljust(length, b"\0")


def member(values, generation=1, *, metric=1, segment=1, index=0, room=64, ttl=0, folded=0, text=None):
    """A MEMBER block. `text`: the bytes of its values, where they are not those."""
    raw = "".join(f"{value}\0" for value in values).encode() if text is None else text
    length = up(layout.MEMBER_SIZE + max(len(raw), room), 64)
    fixed = struct.pack(
        layout.MEMBER_STRUCT,
        *(layout.BLOCK_TYPE_MEMBER, length, generation, metric, segment, index, len(raw), ttl, folded),
    )
    return (fixed.ljust(layout.MEMBER_SIZE, b"\0") + raw).ljust(length, b"\0")


def pad(length, block_type=layout.BLOCK_TYPE_PAD):
    return struct.pack("<II", block_type, length).ljust(length, b"\0")


def whole(*blocks, **given) -> bytes:
    """A file: header, blocks, zeros up to the step."""
    data = header(**given) + b"".join(blocks)
    return data.ljust(up(len(data) + 8, layout.FIRST_STEP), b"\0")


def fields(*rows) -> list[bytes]:
    """METRIC blocks, then one CELLS block for each lane, of rows `(label, kind, cell_type, value, options)`.

    `value`: a list gives one for each lane from 1; a gauge's goes to lane 0; a static's is stated.
    """
    metrics, lanes, process = [], {}, []
    for label, kind, cell_type, value, *options in rows:
        more = dict(options[0]) if options else {}
        if kind == "static":
            stated = {"value": value} if cell_type == TEXT else {"initial": value}
            metrics.append(metric(label, kind, cell_type, segment=0, cells=0, **stated, **more))
        elif kind == "gauge":
            metrics.append(metric(label, kind, cell_type, segment=2, index=len(process), **more))
            process.append(bits(value, cell_type))
        else:
            values = value if isinstance(value, list) else [value]
            metrics.append(metric(label, kind, cell_type, index=len(lanes.setdefault(1, [])), **more))
            for number in range(1, max(len(values), *lanes) + 1):
                raws = lanes.setdefault(number, [0] * (len(lanes[1]) - 1) if number > 1 else [])
                raws.append(bits(values[number - 1] if number <= len(values) else 0, cell_type))
    blocks = [block for number, raws in lanes.items() for block in (lane(number), cells(number, raws))]
    return metrics + blocks + ([cells(0, process, 2)] if process else [])


def total(label, value):
    """The blocks of retired totals that are one counter."""
    return [metric(label), cells(0, [value, 0, 0])]


HELD = []  # descriptors of files that nobody else writes, for as long as the tests run
ELSEWHERE = {"pid_ns": 1}  # a writer of another container: if its file is held, it lives


def write_held(path, data: bytes) -> str:
    """The file as `write` makes it, and a lock on it, as its living writer would have it."""
    path = write(path, data)
    HELD.append(os.open(path, os.O_RDWR))
    assert locks.hold(HELD[-1], layout.LOCK_WRITER)
    return path


def write(path, data: bytes) -> str:
    """The file at `path` with its inode in the header, as its writer would have it."""
    path = os.fspath(path)
    with open(path, "wb") as file:
        file.write(data)
        if len(data) >= layout.HEADER_INO + 8 and data[: len(layout.MAGIC)] == layout.MAGIC:
            file.seek(layout.HEADER_INO)
            file.write(struct.pack("<Q", os.fstat(file.fileno()).st_ino))
    return path
