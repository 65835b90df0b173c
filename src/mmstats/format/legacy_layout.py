"""Fields → the bytes of a file as 0.8 wrote it (spec/FORMAT.md, Version 1), and where their values stand."""

from __future__ import annotations

from struct import Struct

from mmstats.format.legacy import UNBUFFERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = b"\x01"
_length = Struct("<H").pack


class Slot:
    """One field's value. `index`: where it says which buffer is written; 0: there is one buffer alone."""

    __slots__ = ("at", "index", "pack", "size", "unpack")

    def __init__(self, letter: str, at: int, *, buffered: bool) -> None:
        coded = Struct("<" + letter)
        self.pack, self.unpack, self.size = coded.pack, coded.unpack_from, coded.size
        self.index = at - 1 if buffered else 0
        self.at = at

    def get(self, memory: bytes | bytearray) -> object:
        """The value: of two buffers the one that is not written."""
        other = memory[self.index] ^ 1 if self.index else 0
        return self.unpack(memory, self.at + other * self.size)[0]

    def set(self, memory: bytearray, value: object) -> None:
        """Store it, and then, of two buffers, which one is written next."""
        index = memory[self.index] if self.index else 0
        at = self.at + index * self.size
        memory[at : at + self.size] = self.pack(value)
        if self.index:
            memory[self.index] = index ^ 1


def laid_out(fields: Iterable[tuple[bytes, str, bool]]) -> tuple[bytes, list[Slot]]:
    """What a file begins with: label, letter, and whether there are two buffers, of each; all values zero."""
    out, slots = bytearray(VERSION), []
    for label, letter, buffered in fields:
        out += _length(len(label)) + label + _length(len(letter)) + letter.encode()
        out.append(0 if buffered else UNBUFFERED)
        slot = Slot(letter, len(out), buffered=buffered)
        out += bytes(slot.size * (2 if buffered else 1))
        slots.append(slot)
    return bytes(out), slots
