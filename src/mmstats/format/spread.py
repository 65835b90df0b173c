"""How many values lie where: what the cells of a distribution say (spec/FORMAT.md 5.2)."""

from __future__ import annotations

from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mmstats.format.ranges import Range

LOW_HALF = 0xFFFFFFFF
NUMBERS, BOUND_SHIFT, BOUNDS = (1 << 20) - 1, 20, (1 << 12) - 1


class Spread:
    """Counts by bucket. `buckets`: index → count, without those of none; `counts`: those between bounds."""

    __slots__ = ("buckets", "counts", "negative", "overflow", "range", "zero")

    def __init__(
        self,
        range: Range,  # noqa: A002 - the word of the format
        buckets: Mapping[int, int],
        zero: int = 0,
        overflow: int = 0,
        negative: int = 0,
        counts: Sequence[int] = (),
    ) -> None:
        self.range = range
        self.buckets = dict(buckets)
        self.zero = zero
        self.overflow = overflow
        self.negative = negative
        self.counts = tuple(counts) if range.bounds else ()

    def __repr__(self) -> str:
        rest = f"{self.zero}, {self.overflow}, {self.negative}, {self.counts}"
        return f"Spread({self.range}, {self.buckets}, {rest})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spread) and self._told() == other._told()

    __hash__ = None  # type: ignore[assignment] # it holds a dict

    def _told(self) -> tuple[object, ...]:
        return self.range, self.buckets, self.zero, self.overflow, self.negative, self.counts

    def tells(self, n: int) -> bool:
        """Whether it has n values, by each way to count them."""
        total = self.zero + self.overflow + self.negative + sum(self.buckets.values())
        return total == n and (not self.range.bounds or sum(self.counts) == n)

    def in_range(self, wanted: Range) -> Spread:
        """The same with a smaller scale, or without bounds."""
        if self.range == wanted:
            return self
        shift, buckets = self.range.scale - wanted.scale, self.buckets
        if shift:
            buckets = {}
            for index, count in self.buckets.items():
                buckets[index >> shift] = buckets.get(index >> shift, 0) + count
        counts = self.counts if self.range.bounds == wanted.bounds else ()
        return Spread(wanted, buckets, self.zero, self.overflow, self.negative, counts)

    def merged(self, other: Spread) -> Spread:
        """Both together."""
        wanted = self.range if self.range is other.range else self.range.with_(other.range)
        one, two = self.in_range(wanted), other.in_range(wanted)
        buckets = dict(one.buckets)
        for index, count in two.buckets.items():
            buckets[index] = buckets.get(index, 0) + count
        return Spread(
            wanted,
            buckets,
            one.zero + two.zero,
            one.overflow + two.overflow,
            one.negative + two.negative,
            [mine + its for mine, its in zip(one.counts, two.counts)],
        )

    # --- as cells -------------------------------------------------------------------------------

    def words(self) -> list[int]:
        """The cells of the distribution in the value's first cells."""
        words = [0] * self.range.cells
        words[layout.DISTRIBUTION_ZERO] = self.zero
        words[layout.DISTRIBUTION_OVERFLOW] = self.overflow
        words[layout.DISTRIBUTION_NEGATIVE] = self.negative
        words[layout.DISTRIBUTION_BOUNDS :] = self.counts
        return words

    def octaves(self) -> dict[int, list[int]]:
        """The cells of each octave that has any: its place from `low` on → its buckets."""
        scale = self.range.scale
        found: dict[int, list[int]] = {}
        for index, count in self.buckets.items():
            k = (index >> scale) - self.range.low
            found.setdefault(k, [0] * (1 << scale))[index & (1 << scale) - 1] = count
        return found


def spread_of(
    wanted: Range, words: Sequence[int], octaves: Mapping[int, Sequence[int]], begun: Sequence[int], n: int
) -> Spread:
    """What cells say that were read under the witness n.

    `words`: those of the distribution; `octaves`: place → its buckets. `begun`: that cell and the two behind
    it, as they were after all others had been read.
    """
    first, scale = wanted.low << wanted.scale, wanted.scale
    rows = [enumerate(row, first + (k << scale)) for k, row in octaves.items()]
    buckets = {index: count for row in rows for index, count in row if count}
    fixed = list(words[layout.DISTRIBUTION_ZERO : layout.DISTRIBUTION_BOUNDS])
    counts = list(words[layout.DISTRIBUTION_BOUNDS : wanted.cells])
    what, was, was_bound = begun
    if what >> 32 == n + 1 & LOW_HALF:
        number, bound = what & NUMBERS, what >> BOUND_SHIFT & BOUNDS
        if number < layout.BUCKET_FIRST:
            fixed[number] = was
        elif was:
            buckets[first + number - layout.BUCKET_FIRST] = was
        else:
            buckets.pop(first + number - layout.BUCKET_FIRST, None)
        if 0 < bound <= len(counts):
            counts[bound - 1] = was_bound
    zero, overflow, negative = fixed
    return Spread(wanted, buckets, zero, overflow, negative, counts)
