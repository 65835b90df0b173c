"""Members of families that are one number each, many at once: the short way within the short way."""

from __future__ import annotations

from struct import Struct

from mmstats.format.spread import MASK
from mmstats.read.pattern import SUM_I64
from mmstats.read.steps import HALF, LETTERS
from mmstats.read.walked import BusyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.read.walked import Walked

_u64 = Struct("<Q").unpack


class Slots:
    """Members of families that stand side by side, each with one number that is summed up over all lanes."""

    __slots__ = ("_generations", "_signed", "_unpack", "held", "numbers")

    STEP = 2  # words of a member: its generation, and the number

    def __init__(self, numbers: list[int], rules: list[int], words: list[bytes]) -> None:
        self.numbers = numbers  # the places of their totals
        self._generations = tuple([_u64(word)[0] for word in words])
        self._signed = [rule == SUM_I64 for rule in rules]
        self._unpack = Struct("<" + "".join(f"Q{LETTERS[rule]}" for rule in rules)).unpack_from
        self.held: list[Any] = []

    def read(self, file: Walked, segment: int, index: int) -> None:
        """One of each member, None where no lane counts for it."""
        size = self.STEP * len(self.numbers)
        total: list[Any] = [None] * len(self.numbers)
        lanes = file.lanes.get(segment, {})
        for lane in lanes.values():
            at = file.place(lane, index, size)
            file.claim(size)
            words = self._unpack(file.middle, at)
            before, end = words[:: self.STEP], at + 8 * size
            is_quiet = file.first[at:end] == file.middle[at:end] == file.last[at:end]
            if not (is_quiet or before == self._words(file.first, at) == self._words(file.last, at)):
                raise BusyError
            found: list[Any] = list(words[1 :: self.STEP])
            if before != self._generations:
                pairs = zip(found, before, self._generations)
                found = [number if one == wanted else None for number, one, wanted in pairs]
            total = found if len(lanes) == 1 else summed(total, found)
        self.held = total if len(lanes) == 1 else list(map(_wrapped, total, self._signed))

    def _words(self, data: bytes, at: int) -> tuple[int, ...]:
        """The generations."""
        words: tuple[int, ...] = self._unpack(data, at)[:: self.STEP]
        return words


def _wrapped(number: int | None, is_signed: bool) -> int | None:
    """As one cell would hold it."""
    if number is None:
        return None
    return (number + HALF & MASK) - HALF if is_signed else number & MASK


def summed(one: list[Any], other: list[Any]) -> list[Any]:
    """Place by place; None is nothing."""
    return [b if a is None else a if b is None else a + b for a, b in zip(one, other)]
