"""Bytes → what a file says: header, metrics, lanes, where the cells are (spec/FORMAT.md section 4).

Sans I/O, and total: whatever the bytes are, `decode` ends with what was lawful up to the damage and a
list of what was not. Nothing is believed before it is checked; in particular the numbers of blocks
and bytes of text are limited, so that a hostile file costs no more time or memory than a
large honest one.

Processes of one program write the same METRIC blocks, byte for byte. Who reads many files hands the
same `Schema` to each call: each block is taken apart only once, and where a whole run of blocks was
met before, one comparison of bytes stands for all of them.
"""

from __future__ import annotations

from struct import Struct

from mmstats.errors import FormatError
from mmstats.format import layout
from mmstats.format.header import decode_header
from mmstats.format.metric import decode_metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.header import Header
    from mmstats.format.metric import Metric

MAX_BLOCKS = 262_144  # runs count as one
MAX_METRICS = 65_536
MAX_TEXT = 16 << 20  # bytes of all METRIC blocks
MAX_RUN = 1_024  # metrics
MAX_PROBLEMS = 8
MAX_SCHEMA = 16_384  # runs that are remembered
KEY = 128  # bytes of a run by which it is looked up

_word = Struct("<II").unpack_from
_lane = Struct(layout.LANE_STRUCT).unpack_from
_cells = Struct(layout.CELLS_STRUCT).unpack_from


class Run:
    """METRIC blocks that follow each other, and what they say, but for the withdrawn.

    `damage`: what is wrong in them, with offsets from the run's beginning. A static is a run of its
    own, whose `raw` leaves the number out: it is another one in each process. `made`: room for what
    a reader makes of it, once.
    """

    __slots__ = ("damage", "made", "metrics", "raw")

    def __init__(self, raw: bytes, blocks: list[bytes]) -> None:
        self.raw = raw
        self.metrics: list[Metric] = []
        self.damage: list[FormatError] = []
        self.made: Any = None
        at = 0
        for block in blocks:
            self._add(block, at)
            at += len(block)

    def _add(self, block: bytes, at: int) -> None:
        try:
            metric = decode_metric(block, at)
        except FormatError as error:
            self.damage.append(error)
        else:
            if metric.counts:
                self.metrics.append(metric)


class Schema:
    """What was met before. `runs`: the first bytes of a run → the run; `statics`: a whole block → it."""

    __slots__ = ("runs", "statics")

    def __init__(self) -> None:
        self.runs: dict[bytes, Run] = {}
        self.statics: dict[bytes, Run] = {}


class Decoded:
    """What one file says.

    `runs`: each with where it begins. `lanes`: lane → its state, 0 for one whose thread ended;
    `cells`: segment → lane → (where its first cell is, how many it has).
    """

    __slots__ = ("cells", "header", "lanes", "metrics", "problems", "runs", "text")

    def __init__(self, header: Header) -> None:
        self.header = header
        self.runs: list[tuple[Run, int]] = []
        self.lanes: dict[int, int] = {}
        self.cells: dict[int, dict[int, tuple[int, int]]] = {}
        self.problems: list[str] = []
        self.metrics = 0  # how many there are
        self.text = 0  # bytes of them

    def complain(self, error: FormatError) -> None:
        """Note what is wrong, the first few times."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"damaged: {error}")
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append("damaged: and more of the kind")

    def note(self, reason: str) -> None:
        """A problem that is said once for the file."""
        if reason not in self.problems:
            self.problems.append(reason)


def decode(data: bytes, schema: Schema | None = None) -> Decoded:
    """All that `data` says. FormatError only if it is no file of version 2 at all."""
    out = Decoded(decode_header(data))
    try:
        _walk(data, out, schema or Schema())
    except FormatError as error:
        out.complain(error)
    return out


def _walk(data: bytes, out: Decoded, schema: Schema) -> None:
    """Follow the chain of blocks to its end."""
    offset, left = out.header.header_size, MAX_BLOCKS
    while True:
        kind, after = _block(data, offset)
        if kind == layout.BLOCK_TYPE_METRIC:
            after = _take_run(data, offset, after, out, schema)
        elif kind == layout.BLOCK_TYPE_CELLS:
            _take_cells(data, offset, after - offset, out)
        elif kind == layout.BLOCK_TYPE_LANE:
            _take_lane(data, offset, out)
        elif not after:
            return
        offset = after
        left -= 1
        if not left:
            raise FormatError(offset, f"more than {MAX_BLOCKS} blocks", "fewer")


def _block(data: bytes, offset: int) -> tuple[int, int]:
    """Type and end of the block at `offset`; the end is 0 where the chain ends."""
    room = len(data) - offset
    if room < layout.BLOCK_ALIGN:
        return 0, 0
    kind, length = _word(data, offset)
    if length % layout.BLOCK_ALIGN or length > room:
        raise FormatError(offset, f"a block of length {length}", _lawful_length(room))
    return (kind, offset + length) if length else (0, 0)


def _take_run(data: bytes, offset: int, end: int, out: Decoded, schema: Schema) -> int:
    """Take the METRIC blocks that follow each other from here on; where they end."""
    if _is_static(data, offset):
        _take(_static(data, offset, end, schema), offset, end - offset, out)
        return end
    key = data[offset : offset + KEY]
    run = schema.runs.get(key)
    if run is None or not data.startswith(run.raw, offset):
        run = _new_run(data, offset)
        if len(schema.runs) < MAX_SCHEMA or key in schema.runs:
            schema.runs[key] = run
    _take(run, offset, len(run.raw), out)
    return offset + len(run.raw)


def _static(data: bytes, offset: int, end: int, schema: Schema) -> Run:
    at = offset + layout.METRIC_INITIAL
    raw = data[offset:at] + data[at + 8 : end]
    run = schema.statics.get(raw)
    if run is None:
        run = Run(raw, [data[offset:end]])
        if len(schema.statics) < MAX_SCHEMA:
            schema.statics[raw] = run
    return run


def _new_run(data: bytes, offset: int) -> Run:
    """The run that begins here: up to a block of another type, a static, damage of the chain."""
    blocks: list[bytes] = []
    begin, (kind, end) = offset, _block(data, offset)
    while kind == layout.BLOCK_TYPE_METRIC and len(blocks) < MAX_RUN and not _is_static(data, offset):
        blocks.append(data[offset:end])
        offset = end
        try:
            kind, end = _block(data, offset)
        except FormatError:  # whoever walks on meets it at the same place
            break
    return Run(data[begin:offset], blocks)


def _is_static(data: bytes, offset: int) -> bool:
    return data[offset + layout.METRIC_KIND] == layout.KIND_STATIC


def _take(run: Run, offset: int, length: int, out: Decoded) -> None:
    out.text += length
    out.metrics += len(run.metrics)
    if out.text > MAX_TEXT:
        raise FormatError(offset, f"more than {MAX_TEXT} bytes of metrics", "less")
    if out.metrics > MAX_METRICS:
        raise FormatError(offset, f"more than {MAX_METRICS} metrics", "fewer")
    for error in run.damage:
        out.complain(FormatError(offset + error.offset, error.found, error.expected))
    out.runs.append((run, offset))


def _take_cells(data: bytes, offset: int, length: int, out: Decoded) -> None:
    _, _, lane, segment, count = _cells(data, offset)
    if layout.CELLS_SIZE + 8 * count > length:
        fit = (length - layout.CELLS_SIZE) // 8
        out.complain(FormatError(offset + layout.CELLS_COUNT, f"count={count}", f"at most {fit}"))
        return
    of_segment = out.cells.setdefault(segment, {})
    if lane in of_segment:
        found = f"a second block of segment {segment}, lane {lane}"
        out.complain(FormatError(offset, found, "one for each lane"))
        return
    of_segment[lane] = (offset + layout.CELLS_SIZE, count)


def _take_lane(data: bytes, offset: int, out: Decoded) -> None:
    _, _, lane, _, state = _lane(data, offset)
    if lane == 0 or lane in out.lanes:
        out.complain(FormatError(offset + layout.LANE_LANE, f"lane={lane}", "a new number, from 1"))
        return
    out.lanes[lane] = state


def _lawful_length(room: int) -> str:
    return f"a multiple of {layout.BLOCK_ALIGN}, at most {room}"
