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
    from mmstats.format.header import Header
    from mmstats.format.metric import Metric

MAX_BLOCKS = 262_144
MAX_TEXT = 16 << 20  # bytes of METRIC blocks of one file that were not met before
MAX_PROBLEMS = 8
MAX_SCHEMA = 16_384  # blocks that are remembered, and as many runs
MAX_METRICS = 65_536
KEY = 128  # bytes of a run by which it is looked up
NO_RUN: tuple[bytes, list[Metric]] = (b"", [])

_word = Struct("<II").unpack_from
_lane = Struct(layout.LANE_STRUCT).unpack_from
_cells = Struct(layout.CELLS_STRUCT).unpack_from


class Schema:
    """What was met before. `blocks`: METRIC block → metric; `runs`: its first bytes → run."""

    __slots__ = ("blocks", "runs")

    def __init__(self) -> None:
        self.blocks: dict[bytes, Metric] = {}
        self.runs: dict[bytes, tuple[bytes, list[Metric]]] = {}


class Decoded:
    """What one file says.

    `lanes`: lane → its state, 0 for one whose thread ended; `cells`: segment → lane → (where its
    first cell is, how many it has).
    """

    __slots__ = ("cells", "header", "lanes", "metrics", "problems", "text")

    def __init__(self, header: Header) -> None:
        self.header = header
        self.metrics: list[Metric] = []
        self.lanes: dict[int, int] = {}
        self.cells: dict[int, dict[int, tuple[int, int]]] = {}
        self.problems: list[str] = []
        self.text = 0

    def complain(self, error: FormatError) -> None:
        """Note what is wrong, the first few times."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"damaged: {error}")
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append("damaged: and more of the kind")

    def leave_out(self, kind: str) -> None:
        """Note once that there are metrics of a kind that is not known."""
        reason = f"{kind if kind[:5] == 'kind ' else 'kind ' + kind} is not known to this reader; left out"
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
            after = _take_run(data, offset, out, schema)
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


def _take_run(data: bytes, offset: int, out: Decoded, schema: Schema) -> int:
    """Take the METRIC blocks that follow each other from here on; where they end."""
    key = data[offset : offset + KEY]
    known, metrics = schema.runs.get(key, NO_RUN)
    if known and data.startswith(known, offset):
        out.metrics += metrics
        _limit(out, offset)
        return offset + len(known)
    first, complaints = len(out.metrics), len(out.problems)
    end = _new_run(data, offset, out, schema)
    room = len(schema.runs) < MAX_SCHEMA or key in schema.runs
    if room and len(out.problems) == complaints:
        schema.runs[key] = data[offset:end], out.metrics[first:]
    return end


def _new_run(data: bytes, offset: int, out: Decoded, schema: Schema) -> int:
    """Take METRIC blocks one by one, but for the withdrawn and the damaged; where they end."""
    known, metrics = schema.blocks.get, out.metrics
    kind, after = _block(data, offset)
    while kind == layout.BLOCK_TYPE_METRIC:
        raw = data[offset:after]
        metric = known(raw) or _new_metric(raw, offset, out, schema)
        if metric and metric.counts:
            metrics.append(metric)
            _limit(out, offset)
        offset = after
        kind, after = _block(data, offset)
    return offset


def _limit(out: Decoded, offset: int) -> None:
    if len(out.metrics) > MAX_METRICS:
        del out.metrics[MAX_METRICS:]
        raise FormatError(offset, f"more than {MAX_METRICS} metrics", "fewer")


def _new_metric(raw: bytes, offset: int, out: Decoded, schema: Schema) -> Metric | None:
    """The metric of a block that was not met before; None for a damaged one."""
    out.text += len(raw)
    if out.text > MAX_TEXT:
        raise FormatError(offset, f"more than {MAX_TEXT} bytes of metrics", "less")
    try:
        metric = decode_metric(raw, offset)
    except FormatError as error:
        out.complain(error)
        return None
    if len(schema.blocks) < MAX_SCHEMA:
        schema.blocks[raw] = metric
    return metric


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
    _, _, lane, _, state, _ = _lane(data, offset)
    if lane == 0 or lane in out.lanes:
        out.complain(FormatError(offset + layout.LANE_LANE, f"lane={lane}", "a new number, from 1"))
        return
    out.lanes[lane] = state


def _lawful_length(room: int) -> str:
    return f"a multiple of {layout.BLOCK_ALIGN}, at most {room}"
