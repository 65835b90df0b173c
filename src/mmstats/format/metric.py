"""One METRIC block: what a metric is called, what it is (spec/FORMAT.md 4.1), what a cell of it means."""

from __future__ import annotations

from math import nan
from struct import Struct

from mmstats.errors import FormatError
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Union

    Cell = Union[int, float, bool, None]

MAX_METRIC = 1 << 20

_METRIC = Struct(layout.METRIC_STRUCT)
_as_u64 = Struct("<Q").pack
_from_i64 = Struct("<q").unpack
_from_f64 = Struct("<d").unpack
_u64 = Struct("<Q").unpack_from
_i64 = Struct("<q").unpack_from
_f64 = Struct("<d").unpack_from
_BOOLS = {1: False, 2: True}

# The letter by which `struct` reads a cell that needs no more than that; a bool does.
CODES = {layout.CELL_TYPE_U64: "Q", layout.CELL_TYPE_I64: "q", layout.CELL_TYPE_F64: "d"}
PATTERN = {layout.CELL_TYPE_U64: layout.NEVER_U64, layout.CELL_TYPE_I64: layout.NEVER_I64 - (1 << 64)}


class Metric:
    """What is said of one metric. `kind` and `aggregate`: words, or `kind 77` where the code is unknown.

    `initial`: as a number of its cell type, None for never; `value`: the text of a static text.
    `state`: a METRIC_STATE.
    """

    __slots__ = (
        *(
            "aggregate",
            "cell_type",
            "cells",
            "extra",
            "help",
            "index",
            "initial",
            "keep",
            "kind",
            "label",
        ),
        *("number", "segment", "state", "tags", "unit", "value"),
    )

    aggregate: str
    cell_type: int
    cells: int
    extra: bytes
    help: str
    index: int
    initial: int | float | bool | None
    keep: bool
    kind: str
    label: str
    number: int
    segment: int
    state: int
    tags: list[str]
    unit: str
    value: str


def decode_metric(raw: bytes, offset: int = 0) -> Metric:
    """The metric of one whole block; `offset`, where it stands, is for the FormatError."""
    if len(raw) < layout.METRIC_SIZE:
        raise FormatError(offset, f"a METRIC of {len(raw)} bytes", f"at least {layout.METRIC_SIZE}")
    if len(raw) > MAX_METRIC:
        raise FormatError(offset, f"a METRIC of {len(raw)} bytes", f"at most {MAX_METRIC}")
    metric = Metric()
    fixed = _METRIC.unpack_from(raw)
    _, _, number, kind, cell_type, aggregate, flags, segment, index, cells, state, initial = fixed[:12]
    metric.number = number
    metric.kind = layout.KINDS.get(kind, f"kind {kind}")
    metric.cell_type = cell_type
    metric.aggregate = layout.AGGREGATES.get(aggregate, f"aggregate {aggregate}")
    metric.keep = bool(flags & layout.METRIC_FLAG_KEEP)
    metric.segment, metric.index, metric.cells = segment, index, cells
    metric.state = _checked(state, offset)
    metric.initial = number_of(initial, cell_type)
    _texts(metric, raw, fixed[12:], offset)
    return metric


def _checked(state: int, offset: int) -> int:
    if not layout.METRIC_STATE_LIVE <= state <= layout.METRIC_STATE_SUPERSEDED:
        raise FormatError(offset + layout.METRIC_STATE, f"state={state}", "1 to 4")
    return state


def number_of(bits: int, cell_type: int) -> int | float | bool | None:
    """What the raw bits of a cell mean; None: never written."""
    if cell_type == layout.CELL_TYPE_F64:
        return None if bits == layout.NEVER_F64 else float(_from_f64(_as_u64(bits))[0])
    if cell_type == layout.CELL_TYPE_I64:
        return int(_from_i64(_as_u64(bits))[0])
    if cell_type == layout.CELL_TYPE_BOOL:
        return bits == 2
    return bits


def _texts(metric: Metric, raw: bytes, lengths: tuple[int, ...], offset: int) -> None:
    """The texts behind the fixed part, one behind the other."""
    if layout.METRIC_SIZE + sum(lengths) > len(raw):
        room = len(raw) - layout.METRIC_SIZE
        raise FormatError(
            offset + layout.METRIC_LABEL_LENGTH, f"texts of {sum(lengths)} bytes", f"at most {room}"
        )
    at, found = layout.METRIC_SIZE, []
    for length in lengths:
        found.append(raw[at : at + length])
        at += length
    label, unit, text, value, tags, metric.extra = found
    try:
        metric.label, metric.unit, metric.help = label.decode(), unit.decode(), text.decode()
        metric.value, names = value.decode(), tags.decode()
    except UnicodeDecodeError as error:
        bad = error.object[error.start]
        raise FormatError(offset + layout.METRIC_SIZE, f"byte 0x{bad:02x} in a text", "UTF-8") from None
    if not label:
        raise FormatError(offset + layout.METRIC_LABEL_LENGTH, "an empty label", "at least one byte")
    metric.tags = names.split("\0")[:-1]


# --- single cells ------------------------------------------------------------------------------


def _read_u64(data: bytes, offset: int) -> Cell:
    return int(_u64(data, offset)[0])


def _read_i64(data: bytes, offset: int) -> Cell:
    return int(_i64(data, offset)[0])


def _read_f64(data: bytes, offset: int) -> Cell:
    return float(_f64(data, offset)[0])


def _read_bool(data: bytes, offset: int) -> Cell:
    return _BOOLS.get(_u64(data, offset)[0])


def _unless(read: Callable[[bytes, int], Cell], pattern: int) -> Callable[[bytes, int], Cell]:
    def read_unless(data: bytes, offset: int) -> Cell:
        return None if _u64(data, offset)[0] == pattern else read(data, offset)

    return read_unless


PLAIN = {
    layout.CELL_TYPE_U64: _read_u64,
    layout.CELL_TYPE_I64: _read_i64,
    layout.CELL_TYPE_F64: _read_f64,
    layout.CELL_TYPE_BOOL: _read_bool,
}
NEVER = {
    layout.CELL_TYPE_U64: _unless(_read_u64, layout.NEVER_U64),
    layout.CELL_TYPE_I64: _unless(_read_i64, layout.NEVER_I64),
    layout.CELL_TYPE_F64: _unless(_read_f64, layout.NEVER_F64),
    layout.CELL_TYPE_BOOL: _read_bool,
}


def stated(data: bytes, block: int, metric: Metric) -> Cell:
    """The number of a static, which stands in its METRIC block; nothing means never there."""
    found = number_of(_u64(data, block + layout.METRIC_INITIAL)[0], metric.cell_type)
    return nan if found is None else found
