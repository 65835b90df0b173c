"""Bytes → what a file says: header, metrics, lanes, where the cells are (spec/FORMAT.md section 4).

Sans I/O, and total: whatever the bytes are, `decode` ends with what was lawful up to the damage and a
list of what was not. Nothing is believed before it is checked; in particular the numbers of blocks,
metrics and bytes of text are limited, so that a hostile file costs no more time or memory than a
large honest one.

Processes of one program write the same METRIC blocks, byte for byte. Who reads many files hands the
same `schema` to each call, and each block is taken apart only once.
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

    Schema = dict[bytes, Metric]

MAX_BLOCKS = 262_144
MAX_METRICS = 65_536
MAX_TEXT = 16 << 20  # bytes of METRIC blocks in one file
MAX_PROBLEMS = 8
MAX_SCHEMA = 16_384  # blocks that are remembered

_word = Struct("<II").unpack_from
_lane = Struct(layout.LANE_STRUCT).unpack_from
_cells = Struct(layout.CELLS_STRUCT).unpack_from


class Decoded:
    """What one file says.

    `lanes`: lane → its state, 0 for one whose thread ended; `cells`: segment → lane → (where its
    first cell is, how many it has); `families`: how many metrics have tags, and no cells of their own.
    """

    __slots__ = ("cells", "families", "header", "lanes", "metrics", "problems", "text")

    def __init__(self, header: Header) -> None:
        self.header = header
        self.metrics: list[Metric] = []
        self.lanes: dict[int, int] = {}
        self.cells: dict[int, dict[int, tuple[int, int]]] = {}
        self.problems: list[str] = []
        self.families = 0
        self.text = 0

    def complain(self, error: FormatError) -> None:
        """Note what is wrong, the first few times."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"damaged: {error}")
        elif len(self.problems) == MAX_PROBLEMS:
            self.problems.append("damaged: and more of the kind")


def decode(data: bytes, schema: Schema | None = None) -> Decoded:
    """All that `data` says. FormatError only if it is no file of version 2 at all."""
    out = Decoded(decode_header(data))
    try:
        _walk(data, out, {} if schema is None else schema)
    except FormatError as error:
        out.complain(error)
    return out


def _walk(data: bytes, out: Decoded, schema: Schema) -> None:
    """Follow the chain of blocks to its end."""
    offset, end, left = out.header.header_size, len(data) - 8, MAX_BLOCKS
    while offset <= end:
        kind, length = _word(data, offset)
        if not length:
            return
        after = offset + length
        if length % layout.BLOCK_ALIGN or after > len(data):
            raise FormatError(offset, f"a block of length {length}", _lawful_length(len(data) - offset))
        if kind == layout.BLOCK_TYPE_METRIC:
            _take_metric(data, offset, after, out, schema)
        elif kind == layout.BLOCK_TYPE_CELLS:
            _take_cells(data, offset, length, out)
        elif kind == layout.BLOCK_TYPE_LANE:
            _take_lane(data, offset, out)
        offset = after
        left -= 1
        if not left:
            raise FormatError(offset, f"more than {MAX_BLOCKS} blocks", "fewer")


def _take_metric(data: bytes, offset: int, after: int, out: Decoded, schema: Schema) -> None:
    raw = data[offset:after]
    metric = schema.get(raw)
    if metric is None:
        try:
            metric = decode_metric(raw, offset)
        except FormatError as error:
            out.complain(error)
            return
        if len(schema) < MAX_SCHEMA:
            schema[raw] = metric
    if metric.live:
        _add(metric, len(raw), offset, out)


def _add(metric: Metric, size: int, offset: int, out: Decoded) -> None:
    out.text += size
    if out.text > MAX_TEXT:
        raise FormatError(offset, f"more than {MAX_TEXT} bytes of metrics", "less")
    if len(out.metrics) == MAX_METRICS:
        raise FormatError(offset, f"more than {MAX_METRICS} metrics", "fewer")
    if metric.tags:
        out.families += 1
    else:
        out.metrics.append(metric)


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
