"""The first bytes: is it ours, which version, who wrote it (spec/FORMAT.md sections 1 and 3)."""

from __future__ import annotations

from struct import Struct

from mmstats.errors import FormatError, NotRead
from mmstats.format import layout

_HEADER = Struct(layout.HEADER_STRUCT)
_GENERATION = Struct("<Q")
_WORDS = Struct("<8Q")
TEXT_SIZE = 64  # of hostname, group and cmd
NOTHING_DROPPED = bytes(64)
VERSION_1 = b"\x01"
KNOWN_FLAGS = 0  # of incompat_flags


class OfVersion1(NotRead):
    """A file of version 1, which `legacy` takes apart."""


class Header:
    """The header's fields, texts as text; `dropped` as the reasons and numbers that are not zero."""

    __slots__ = layout.HEADER_FIELDS

    magic: bytes
    major: int
    minor: int
    header_size: int
    incompat_flags: int
    compat_flags: int
    layout_gen: int
    state: int
    writer_flags: int
    uuid: bytes
    boot_id: bytes
    machine_id: bytes
    pid: int
    uid: int
    start_ticks: int
    pid_ns: int
    time_ns: int
    ino: int
    created: int
    created_boottime: int
    started: int
    hostname: str
    group: str
    cmd: str
    dropped: list[tuple[str, int]]
    created_monotonic: int


def decode_header(data: bytes) -> Header:
    """The header of a file of version 2; FormatError says why it is not one."""
    _check_beginning(data)
    header = Header()
    (
        header.magic,
        header.major,
        header.minor,
        header.header_size,
        header.incompat_flags,
        header.compat_flags,
        header.layout_gen,
        header.state,
        header.writer_flags,
        header.uuid,
        header.boot_id,
        header.machine_id,
        header.pid,
        header.uid,
        header.start_ticks,
        header.pid_ns,
        header.time_ns,
        header.ino,
        header.created,
        header.created_boottime,
        header.started,
        *_,  # texts, and what was dropped
        header.created_monotonic,
    ) = _HEADER.unpack_from(data)
    header.hostname = text_of(data, layout.HEADER_HOSTNAME)
    header.group = text_of(data, layout.HEADER_GROUP)
    header.cmd = text_of(data, layout.HEADER_CMD)
    header.dropped = _dropped(data)
    _check(header, len(data))
    return header


def layout_gen(data: bytes) -> int:
    """The number that is another one after every block published, of the eight bytes where it stands."""
    return int(_GENERATION.unpack(data)[0])


def _check_beginning(data: bytes) -> None:
    if not data:
        raise NotRead(0, "an empty file", "an mmstats file")
    if data[:1] == VERSION_1:
        raise OfVersion1(0, "written by mmstats format 1", "format 2")
    if data[:8] != layout.MAGIC:
        found = data[:3].hex(" ")
        raise NotRead(0, f"not an mmstats file (begins with {found})", layout.MAGIC.hex(" "))
    if len(data) < layout.HEADER_MAJOR + 2:
        raise FormatError(0, f"{len(data)} bytes", f"at least {layout.HEADER_SIZE}")
    major = int.from_bytes(data[layout.HEADER_MAJOR : layout.HEADER_MAJOR + 2], "little")
    if major != layout.MAJOR:
        found = f"written by mmstats format {major}, this reader knows 1 and {layout.MAJOR}"
        raise NotRead(layout.HEADER_MAJOR, found, str(layout.MAJOR))
    if len(data) < layout.HEADER_SIZE:
        raise FormatError(0, f"{len(data)} bytes", f"at least {layout.HEADER_SIZE}")


def _check(header: Header, size: int) -> None:
    unknown = header.incompat_flags & ~KNOWN_FLAGS
    if unknown:
        found = f"written with features this reader does not know (incompat_flags 0x{unknown:x})"
        raise NotRead(layout.HEADER_INCOMPAT_FLAGS, found, "0")
    begin = header.header_size
    if begin < layout.HEADER_SIZE or begin % layout.BLOCK_ALIGN or begin > size:
        expected = f"a multiple of {layout.BLOCK_ALIGN} from {layout.HEADER_SIZE} to {size}"
        raise FormatError(layout.HEADER_HEADER_SIZE, f"header_size={begin}", expected)
    if header.state > layout.STATE_RETIRED:
        raise FormatError(layout.HEADER_STATE, f"state={header.state}", f"0 to {layout.STATE_RETIRED}")


def text_of(data: bytes, offset: int = 0) -> str:
    """A text that ends with a zero, or after TEXT_SIZE bytes."""
    try:
        return data[offset : offset + TEXT_SIZE].partition(b"\0")[0].decode()
    except UnicodeDecodeError as error:
        bad = error.object[error.start]
        raise FormatError(offset + error.start, f"byte 0x{bad:02x}", "UTF-8") from None


def _dropped(data: bytes) -> list[tuple[str, int]]:
    if data.startswith(NOTHING_DROPPED, layout.HEADER_DROPPED):
        return []
    return [
        (layout.DROP_REASONS[at] if at < len(layout.DROP_REASONS) else f"reason {at}", count)
        for at, count in enumerate(_WORDS.unpack_from(data, layout.HEADER_DROPPED))
        if count
    ]
