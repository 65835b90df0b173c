"""Records → bytes: the header and the blocks, as spec/FORMAT.md sections 3 and 4 draw them.

A block is encoded whole, its type and length included; who stores it into a live file stores its
first eight bytes last (section 4, order of visibility).
"""

from __future__ import annotations

from struct import pack

from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def round_up(length: int, align: int) -> int:
    """The least multiple of `align` that is not below `length`."""
    return -(-length // align) * align


def word(block_type: int, length: int) -> int:
    """Type and length as the one 8-byte word that publishes a block."""
    return length << 32 | block_type


def header(**fields: object) -> bytes:
    """The 512 bytes of a header; what is not given is zero, but for the constants of the format."""
    values: dict[str, object] = {
        "magic": layout.MAGIC,
        "major": layout.MAJOR,
        "minor": layout.MINOR,
        "header_size": layout.HEADER_SIZE,
        **dict.fromkeys(("uuid", "boot_id", "machine_id", "hostname", "group", "cmd", "dropped"), b""),
        **fields,
    }
    known = [values.pop(name, 0) for name in layout.HEADER_FIELDS]
    if values:
        raise KeyError(f"no such field of the header: {', '.join(values)}")
    return pack(layout.HEADER_STRUCT, *known).ljust(layout.HEADER_SIZE, b"\0")


def metric(
    *,
    metric: int,
    kind: int,
    cell_type: int,
    aggregate: int,
    flags: int,
    segment: int,
    index: int,
    cells: int,
    initial: int,
    label: str,
    unit: str,
    help: str,
    value: bytes = b"",
    tags: Sequence[str] = (),
    extra: bytes = b"",
    state: int = layout.METRIC_STATE_LIVE,
) -> bytes:
    """A METRIC block. `initial` is the raw bits of the cell type; `value` a static text."""
    names = b"".join(tag.encode() + b"\0" for tag in tags)
    texts = [label.encode(), unit.encode(), help.encode(), value, names, extra]
    length = round_up(layout.METRIC_SIZE + sum(map(len, texts)), layout.BLOCK_ALIGN)
    fixed = pack(
        layout.METRIC_STRUCT,
        *(layout.BLOCK_TYPE_METRIC, length, metric, kind, cell_type, aggregate, flags),
        *(segment, index, cells, state, initial),
        *map(len, texts),
    )
    return (fixed + b"".join(texts)).ljust(length, b"\0")


def member(
    generation: int,
    values: Sequence[str],
    *,
    metric: int,
    segment: int,
    index: int,
    ttl: int = 0,
    folded: int = 0,
) -> bytes:
    """A MEMBER block. Without values it stands for all members that are too many."""
    raw = tag_values(values)
    length = round_up(layout.MEMBER_SIZE + len(raw), layout.BLOCK_ALIGN)
    fixed = pack(
        layout.MEMBER_STRUCT,
        *(layout.BLOCK_TYPE_MEMBER, length, generation, metric, segment, index, len(raw), ttl, folded),
    )
    return (fixed.ljust(layout.MEMBER_SIZE, b"\0") + raw).ljust(length, b"\0")


def tag_values(values: Sequence[str]) -> bytes:
    """The values of a member's tags, each with a NUL behind it."""
    return b"".join(value.encode() + b"\0" for value in values)


def lane_state(thread: int, owners: int) -> int:
    """A lane's state while the thread of this id has it, the `owners`-th to have it."""
    return (owners & 0xFFFFFFFF) << 32 | thread


def lane(number: int, owner: int) -> bytes:
    """A LANE block; `owner` is its state, see `lane_state`."""
    fixed = pack(layout.LANE_STRUCT, layout.BLOCK_TYPE_LANE, layout.LANE_SIZE, number, 0, owner)
    return fixed.ljust(layout.LANE_SIZE, b"\0")


def cells(lane: int, segment: int, initial: Sequence[int]) -> bytes:
    """A CELLS block; `initial` gives each cell's first eight bytes as an unsigned number."""
    length = cells_length(len(initial))
    fixed = pack(layout.CELLS_STRUCT, layout.BLOCK_TYPE_CELLS, length, lane, segment, len(initial))
    body = pack(f"<{len(initial)}Q", *initial)
    return (fixed.ljust(layout.CELLS_SIZE, b"\0") + body).ljust(length, b"\0")


def folded(files: Sequence[tuple[bytes, int, int]]) -> bytes:
    """A FOLDED block: of each file its uuid, CLOCK_REALTIME in ns, and its inode or 0."""
    entries = b"".join(pack("<16sQQ", *file) for file in files)
    length = round_up(layout.FOLDED_SIZE + len(entries), layout.BLOCK_ALIGN)
    fixed = pack(layout.FOLDED_STRUCT, layout.BLOCK_TYPE_FOLDED, length, len(files))
    return (fixed.ljust(layout.FOLDED_SIZE, b"\0") + entries).ljust(length, b"\0")


def cells_length(count: int) -> int:
    """Bytes of a CELLS block of `count` cells."""
    return round_up(layout.CELLS_SIZE + 8 * count, layout.LANE_ALIGN)


def cut(text: str, limit: int) -> bytes:
    """`text` as UTF-8 of at most `limit` bytes, cut at a code point."""
    return text.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore").encode()


def octave_segment(segment: int, k: int) -> int:
    """The segment of the k-th octave, from `low` on, of a value whose first cells are in `segment`."""
    return segment + layout.OCTAVE_STEP * (k + 1)
