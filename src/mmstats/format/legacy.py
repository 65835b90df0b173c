"""Bytes → what a file of mmstats 0.x says (spec/FORMAT.md, Version 1).

Sans I/O, and total, as `decode` is. Fields stand packed one behind the other; there is nothing that says
how many there are, and nothing that tells a reader that a value was changing.
"""

from __future__ import annotations

from struct import Struct

from mmstats.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Value = Union[int, float, bool, str]

UNBUFFERED = 255
MAX_FIELDS = 65_536
MAX_TEXT = 16 << 20  # characters of all texts
FIRST = 1  # the first field stands behind the version
# What a type letter of Python's `struct` is on x86-64 under Linux, where 0.8 wrote it in native order.
LETTERS = {
    **{letter: Struct("<" + letter).unpack_from for letter in "bB?hHiIqQfd"},
    "l": Struct("<q").unpack_from,
    "L": Struct("<Q").unpack_from,
}
SIZES = {
    **dict.fromkeys("bB?", 1),
    **dict.fromkeys("hH", 2),
    **dict.fromkeys("iIf", 4),
    **dict.fromkeys("qQdlL", 8),
}

MOST_KNOWN = 4_096
_known: dict[bytes, tuple[str, str, int]] = {}  # the bytes before a value: label, letter, size
_length = Struct("<H").unpack_from


class Field:
    """One field: `type` is its letter, `s` of a text; `buffered`: it has two buffers that take turns."""

    __slots__ = ("buffered", "label", "type", "value")

    def __init__(self, label: str, type: str, value: Value, *, buffered: bool) -> None:  # noqa: A002
        self.label = label
        self.type = type
        self.value = value
        self.buffered = buffered


class Legacy:
    """All that one file says; `damage`: why it ends before its end."""

    __slots__ = ("damage", "fields", "text")

    def __init__(self) -> None:
        self.text = 0  # characters of all texts
        self.fields: list[Field] = []
        self.damage: FormatError | None = None

    def add(self, field: Field, at: int) -> None:
        """One more, whose end is at `at`; FormatError where there is too much to keep."""
        self.fields.append(field)
        self.text += len(field.value) if isinstance(field.value, str) else 0
        if self.text > MAX_TEXT:
            raise FormatError(at, f"more than {MAX_TEXT} characters of text", "fewer")


def decode_legacy(data: bytes) -> Legacy:
    """The fields of a file that begins with the byte 01, up to the first that is no lawful one."""
    out, at = Legacy(), FIRST
    try:
        while (label_length := _next_length(data, at)) and len(out.fields) < MAX_FIELDS:
            field, at = _field(data, at + 2, label_length)
            out.add(field, at)
    except FormatError as error:
        out.damage = error
    else:
        if label_length:
            out.damage = FormatError(at, f"more than {MAX_FIELDS} fields", "fewer")
    return out


def _next_length(data: bytes, at: int) -> int:
    """The length of the next label; 0: there is no field any more."""
    if len(data) - at < 2:
        return 0
    return int(_length(data, at)[0])


def _field(data: bytes, at: int, label_length: int) -> tuple[Field, int]:
    """The field whose label begins at `at`, and where the next one begins."""
    label, letter, size, at = _head(data, at, label_length)
    index = _bytes(data, at, 1)[0]
    if index not in (0, 1, UNBUFFERED):
        raise FormatError(at, f"buffer {index}", f"0, 1 or {UNBUFFERED}")
    buffers = 1 if index == UNBUFFERED else 2
    end = at + 1 + size * buffers
    if end > len(data):
        _bytes(data, at + 1, size * buffers)
    begin = at + 1 if buffers == 1 else at + 1 + size * (index ^ 1)  # the index names the one that is written
    if letter == "s":
        value: Value = data[begin : begin + size].partition(b"\0")[0].decode("utf-8", "ignore")
    else:
        value = LETTERS[letter](data, begin)[0]
    return Field(label, letter, value, buffered=buffers == 2), end


def _head(data: bytes, at: int, label_length: int) -> tuple[str, str, int, int]:
    """Label, letter and size of the field whose label begins at `at`, and where its index stands.

    The files of one program begin their fields alike, so what such bytes say is remembered.
    """
    end = at + label_length + 2
    if end <= len(data):
        end += data[end - 2] | data[end - 1] << 8
    raw = data[at - 2 : end]
    known = _known.get(raw)
    if known is None:
        label = _bytes(data, at, label_length).decode("utf-8", "ignore")
        at += label_length
        type_length = int(_length(_bytes(data, at, 2))[0])
        code = _bytes(data, at + 2, type_length).decode("ascii", "replace")
        known = (label, *_type(code, at + 2))
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[raw] = known
    return (*known, end)


def _type(code: str, at: int) -> tuple[str, int]:
    """The letter of a type, and how many bytes a value has."""
    if code in SIZES:
        return code, SIZES[code]
    count = code[:-1]
    if code[-1:] == "s" and count.isascii() and count.isdigit() and len(count) < 8:
        return "s", int(count)
    raise FormatError(at, f"type {code[:20]!r}", "a letter of struct for one number, or a number and s")


def _bytes(data: bytes, at: int, length: int) -> bytes:
    if at + length > len(data):
        raise FormatError(at, f"the end of the file after {len(data) - at} bytes", f"{length} bytes")
    return data[at : at + length]
