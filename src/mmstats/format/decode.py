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
from mmstats.format.members import Slot
from mmstats.format.metric import MAX_METRIC
from mmstats.format.runs import Decoded, Members, Run, Schema

MAX_BLOCKS = 262_144  # runs count as one
MAX_METRICS = 65_536
MAX_MEMBERS = 65_536
MAX_TEXT = 16 << 20  # bytes of all METRIC and MEMBER blocks
MAX_FOLDED = 65_536
MAX_RUN = 1_024  # metrics
KEY = 128  # bytes of a run by which it is looked up

_word = Struct("<II").unpack_from
_lane = Struct(layout.LANE_STRUCT).unpack_from
_cells = Struct(layout.CELLS_STRUCT).unpack_from
_folded = Struct(layout.FOLDED_STRUCT).unpack_from
_entry = Struct("<16sQQ")


def decode(data: bytes, schema: Schema | None = None) -> Decoded:
    """All that `data` says. FormatError only if it is no file of version 2 at all."""
    out = Decoded(decode_header(data))
    try:
        _walk(data, out, schema or Schema())
    except FormatError as error:
        out.complain(error)
    if out.members:
        _check_members(out)
    return out


def _check_members(out: Decoded) -> None:
    """Only families have members; what metrics that are left out have is left out with them."""
    for run, _ in out.runs:
        for metric in run.metrics:
            if not metric.tags:
                for slot in out.members.pop(metric.number, ()):
                    out.complain(FormatError(slot.offset, f"a member of {metric.label!r}", "of a family"))


def _walk(data: bytes, out: Decoded, schema: Schema) -> None:
    """Follow the chain of blocks to its end."""
    offset, left = out.header.header_size, MAX_BLOCKS
    while True:
        kind, after = _block(data, offset)
        if kind == layout.BLOCK_TYPE_METRIC:
            after = _take_run(data, offset, after, out, schema)
        elif kind == layout.BLOCK_TYPE_MEMBER:
            after = _take_members(data, offset, after, out, schema)
        elif kind in _TAKES:
            _TAKES[kind](data, offset, after - offset, out)
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
    if end - offset > MAX_METRIC:
        out.complain(FormatError(offset, f"a METRIC of {end - offset} bytes", f"at most {MAX_METRIC}"))
        return end
    if _is_static(data, offset):
        _take(_static(data, offset, end, schema), offset, end - offset, out)
        return end
    key = data[offset : offset + KEY]
    run = schema.runs.get(key)
    if run is None or not data.startswith(run.raw, offset):
        run = _new_run(data, offset)
        schema.keep(schema.runs, key, run)
    _take(run, offset, len(run.raw), out)
    return offset + len(run.raw)


def _static(data: bytes, offset: int, end: int, schema: Schema) -> Run:
    at = offset + layout.METRIC_INITIAL
    raw = data[offset:at] + data[at + 8 : end]
    run = schema.statics.get(raw)
    if run is None:
        run = Run(raw, [data[offset:end]])
        schema.keep(schema.statics, raw, run)
    return run


def _new_run(data: bytes, offset: int) -> Run:
    """The run that begins here: up to a block of another type, a static, damage of the chain."""
    blocks: list[bytes] = []
    begin, (kind, end) = offset, _block(data, offset)
    while (
        kind == layout.BLOCK_TYPE_METRIC
        and len(blocks) < MAX_RUN
        and end - begin <= MAX_METRIC
        and not _is_static(data, offset)
    ):
        blocks.append(data[offset:end])
        offset = end
        try:
            kind, end = _block(data, offset)
        except FormatError:  # whoever walks on meets it at the same place
            break
    return Run(data[begin:offset], blocks)


def _is_static(data: bytes, offset: int) -> bool:
    return data[offset + layout.METRIC_KIND] in (layout.KIND_STATIC, layout.KIND_INFO)


def _take(run: Run, offset: int, length: int, out: Decoded) -> None:
    out.text += length
    out.metrics += len(run.metrics) + len(run.apart)
    if out.text > MAX_TEXT:
        raise FormatError(offset, f"more than {MAX_TEXT} bytes of metrics", "less")
    if out.metrics > MAX_METRICS:
        raise FormatError(offset, f"more than {MAX_METRICS} metrics", "fewer")
    for error in run.damage:
        out.complain(FormatError(offset + error.offset, error.found, error.expected))
    if not out.names.isdisjoint(run.names):
        run = _rest(run, offset, out)
    out.names |= run.names
    out.runs.append((run, offset))
    out.compound = out.compound or run.compound


def _rest(run: Run, offset: int, out: Decoded) -> Run:
    """What is left of a run some of whose names the file has already."""
    label = next(metric.label for metric in run.metrics if (metric.label, *metric.tags) in out.names)
    out.complain(FormatError(offset, f"a second metric {label!r}", "a label of its own"))
    return run.without(out.names)


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


def _take_lane(data: bytes, offset: int, _length: int, out: Decoded) -> None:
    _, _, lane, _, state = _lane(data, offset)
    if lane == 0 or lane in out.lanes:
        out.complain(FormatError(offset + layout.LANE_LANE, f"lane={lane}", "a new number, from 1"))
        return
    out.lanes[lane] = state


def _take_members(data: bytes, offset: int, end: int, out: Decoded, schema: Schema) -> int:
    """Take the MEMBER blocks that follow each other from here on, or the first of them; where they end."""
    key = (offset, data[offset : offset + KEY])
    run = schema.members.get(key)
    if run is None or not data.startswith(run.raw, offset):
        run = _new_members(data, offset)
        if run is not None:
            schema.keep(schema.members, key, run)
    if run is None or out.text + len(run.raw) > MAX_TEXT or out.slots + run.count > MAX_MEMBERS:
        out.member_runs = None
        _take_member(data, offset, end - offset, out)
        return end
    out.text += len(run.raw)
    out.slots += run.count
    for metric, slots in run.taken.items():
        out.members.setdefault(metric, []).extend(slots)
        out.compound = True
    if out.member_runs is not None:
        out.member_runs.append((offset, run))
    return offset + len(run.raw)


def _new_members(data: bytes, offset: int) -> Members | None:
    """Those that begin here; None where there is damage, which is told of each by itself."""
    slots: list[Slot] = []
    begin = offset
    try:
        kind, end = _block(data, offset)
        while kind == layout.BLOCK_TYPE_MEMBER and len(slots) < MAX_RUN:
            slots.append(Slot(data, offset, end - offset))
            offset = end
            kind, end = _block(data, offset)
    except FormatError:
        return None
    return Members(data[begin:offset], slots)


def _take_member(data: bytes, offset: int, length: int, out: Decoded) -> None:
    out.text += length
    out.slots += 1
    if out.text > MAX_TEXT:
        raise FormatError(offset, f"more than {MAX_TEXT} bytes of metrics and members", "less")
    if out.slots > MAX_MEMBERS:
        raise FormatError(offset, f"more than {MAX_MEMBERS} members", "fewer")
    try:
        slot = Slot(data, offset, length)
    except FormatError as error:
        out.complain(error)
        return
    if not slot.is_free:
        out.members.setdefault(slot.metric, []).append(slot)
        out.compound = True


def _take_folded(data: bytes, offset: int, length: int, out: Decoded) -> None:
    _, _, count = _folded(data, offset)
    fit = min((length - layout.FOLDED_SIZE) // _entry.size, MAX_FOLDED - len(out.folded))
    if count > fit:
        out.complain(FormatError(offset + layout.FOLDED_COUNT, f"count={count}", f"at most {fit}"))
        return
    first = offset + layout.FOLDED_SIZE
    out.folded += _entry.iter_unpack(data[first : first + _entry.size * count])


_TAKES = {
    layout.BLOCK_TYPE_CELLS: _take_cells,
    layout.BLOCK_TYPE_LANE: _take_lane,
    layout.BLOCK_TYPE_FOLDED: _take_folded,
}


def _lawful_length(room: int) -> str:
    return f"a multiple of {layout.BLOCK_ALIGN}, at most {room}"
