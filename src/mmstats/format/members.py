"""MEMBER blocks: the slots of a family's members, which are taken, left and taken again (spec/FORMAT.md 4.4).

What stands in a slot may change while it is read. So only its place is taken from the first copy of a
file; whose slot it is, and what is counted there, is told by `Copies`.
"""

from __future__ import annotations

from struct import Struct, pack

from mmstats.errors import FormatError
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Tags = tuple[tuple[str, str], ...]
    Place = Union[tuple[int, int], tuple[int, int, int]]

MANY = (("overflow", "true"),)  # the tags of the member for all that were too many

_MEMBER = Struct(layout.MEMBER_STRUCT).unpack_from


class Slot:
    """A slot that was taken when the file was read first. `word`: its generation, as it stands in a file."""

    __slots__ = ("folded", "index", "length", "metric", "offset", "segment", "ttl", "word")

    def __init__(self, data: bytes, offset: int, length: int) -> None:
        """FormatError where its values are beyond the block."""
        _, _, generation, metric, segment, index, size, ttl, folded = _MEMBER(data, offset)
        self.word = pack("<Q", generation)
        self.offset, self.length = offset, length
        self.metric, self.segment, self.index = metric, segment, index
        self.ttl, self.folded = ttl, folded
        if layout.MEMBER_SIZE + size > length and generation:
            fit = length - layout.MEMBER_SIZE
            raise FormatError(offset + layout.MEMBER_TAGS_LENGTH, f"values of {size} bytes", f"at most {fit}")

    @property
    def is_free(self) -> bool:
        """Whether it belongs to nobody."""
        return not any(self.word)


def tags_of(block: bytes, names: list[str], offset: int) -> Tags:
    """The tags of the member that has the slot; `offset`, where the block stands, is for the FormatError."""
    size = _MEMBER(block)[6]
    if not size:
        return MANY
    at = offset + layout.MEMBER_SIZE
    try:
        *values, rest = block[layout.MEMBER_SIZE : layout.MEMBER_SIZE + size].decode().split("\0")
    except UnicodeDecodeError as error:
        raise FormatError(at, f"byte 0x{error.object[error.start]:02x} in a tag's value", "UTF-8") from None
    if rest or len(values) != len(names):
        raise FormatError(at, f"{len(values)} values of tags", f"{len(names)}, for {', '.join(names)}")
    return tuple(sorted(zip(names, values)))
