"""Text of the pure twin: a data descriptor, two slots that take turns (FORMAT.md 5.1)."""

from __future__ import annotations

from struct import pack, unpack
from time import monotonic_ns

from mmstats.cells.compound import in_turn
from mmstats.cells.segment import INTS, refuse_if_removed
from mmstats.cells.words import wrong_type
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.cells.segment import Segment


class Text:
    """A data descriptor for a text."""

    __slots__ = ("_size", "_slot", "name")

    def __init__(self, name: str, size: int) -> None:
        if size < 1:
            raise ValueError(f"{name!r}: no text has {size} bytes")
        self.name = name
        self._size = size
        self._slot = layout.SLOT_SIZE + -(-size // 8)  # cells of each

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def __set__(self, instance: Any, value: Any) -> None:
        raw = self._encoded(value)
        segment, index, _ = self._place(instance)
        views, later = segment._reach()
        if later is not None:
            later(self.__set__, instance, value)
        else:
            in_turn(segment, self._store, views[INTS], index, raw)

    def __delete__(self, instance: object) -> None:
        raise TypeError(f"{self.name!r} cannot be deleted")

    def _encoded(self, value: Any) -> bytes:
        """The UTF-8 of the text, cut at the end of a character."""
        if not isinstance(value, str):
            raise wrong_type(self.name, "a text", value)
        raw = value.encode("utf-8", "replace")
        return raw if len(raw) <= self._size else raw[: self._size].decode("utf-8", "ignore").encode()

    def _store(self, ints: Any, index: int, raw: bytes) -> None:
        n = ints[index + layout.TEXT_WITNESS]
        slot = index + layout.TEXT_SLOTS + self._slot * (n + 1 & 1)
        words = -(-len(raw) // 8)
        for at, word in enumerate(unpack(f"{words}q", raw.ljust(8 * words, b"\0")), slot + layout.SLOT_BYTES):
            ints[at] = word
        ints[slot + layout.SLOT_LENGTH] = len(raw)
        ints[slot + layout.SLOT_TIME] = monotonic_ns()
        ints[index + layout.TEXT_WITNESS] = n + 1

    def _place(self, instance: Any) -> tuple[Segment, int, Any]:
        cells: dict[str, tuple[Segment, int, Any]] = instance._mm_cells
        try:
            return cells[self.name]
        except KeyError:
            raise AttributeError(self.name) from None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return getattr(owner, "__mmstats_fields__", {}).get(self.name, self)
        segment, index, initial = self._place(instance)
        views, later = segment._reach()
        if later is not None:
            refuse_if_removed(later, self.name)
            return initial
        ints = views[INTS]
        n = ints[index + layout.TEXT_WITNESS]
        slot = index + layout.TEXT_SLOTS + self._slot * (n & 1)
        if not n or not ints[slot + layout.SLOT_TIME]:
            return initial
        begin, length = slot + layout.SLOT_BYTES, ints[slot + layout.SLOT_LENGTH]
        words = [ints[at] for at in range(begin, begin + -(-length // 8))]
        return pack(f"{len(words)}q", *words)[:length].decode("utf-8", "replace")
