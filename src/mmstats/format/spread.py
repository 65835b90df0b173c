"""How many values lie where: what the cells of a distribution say (spec/FORMAT.md 5.2)."""

from __future__ import annotations

from math import isfinite
from struct import Struct, pack, unpack_from

from mmstats.errors import FormatError
from mmstats.format import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_range = Struct(layout.RANGE_STRUCT)
LOW_HALF = 0xFFFFFFFF
MASK = 0xFFFFFFFFFFFFFFFF
NUMBERS, BOUND_SHIFT, BOUNDS = (1 << 20) - 1, 20, (1 << 12) - 1


class Range:
    """Octaves `low` to `high` - 1, of 2**`scale` buckets each, and bounds whose counts are exact."""

    __slots__ = ("bounds", "high", "low", "scale")

    def __init__(self, scale: int, low: int, high: int, bounds: Sequence[float] = ()) -> None:
        self.scale = scale
        self.low = low
        self.high = high
        self.bounds = tuple(bounds)

    def __repr__(self) -> str:
        return f"Range({self.scale}, {self.low}, {self.high}, {self.bounds})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Range) and self.pack() == other.pack()

    def __hash__(self) -> int:
        return hash((self.scale, self.low, self.high, self.bounds))

    @property
    def cells(self) -> int:
        """How many of a value's first cells its distribution has."""
        return layout.DISTRIBUTION_SIZE + (len(self.bounds) + 1 if self.bounds else 0)

    @property
    def octaves(self) -> int:
        return self.high - self.low

    def pack(self) -> bytes:
        """As `extra` has it."""
        count = len(self.bounds)
        return _range.pack(self.scale, self.low, self.high, count) + pack(f"<{count}d", *self.bounds)

    @classmethod
    def unpack(cls, raw: bytes) -> Range:
        """FormatError where it is none."""
        if len(raw) < layout.RANGE_SIZE:
            raise FormatError(0, f"a range of {len(raw)} bytes", f"at least {layout.RANGE_SIZE}")
        scale, low, high, count = _range.unpack_from(raw)
        most = layout.OCTAVE_MOST
        if scale > layout.SCALE_MOST or not -most <= low < high <= most:
            raise FormatError(0, f"scale={scale} low={low} high={high}", "a range that can be")
        if count > layout.BOUNDS_MOST or len(raw) != layout.RANGE_SIZE + 8 * count:
            raise FormatError(
                0, f"{count} bounds in {len(raw)} bytes", f"at most {layout.BOUNDS_MOST}, 8 each"
            )
        bounds = unpack_from(f"<{count}d", raw, layout.RANGE_SIZE)
        if not all(map(isfinite, bounds)) or any(one >= next_ for one, next_ in zip(bounds, bounds[1:])):
            raise FormatError(0, f"bounds {bounds}"[:200], "finite ones that ascend")
        return cls(scale, low, high, bounds)

    def with_(self, other: Range) -> Range:
        """The range that both fit into: the smaller scale, and bounds only where they are the same."""
        return Range(
            min(self.scale, other.scale),
            min(self.low, other.low),
            max(self.high, other.high),
            self.bounds if self.bounds == other.bounds else (),
        )


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
        return f"Spread({self.range}, {dict(sorted(self.buckets.items()))}, {rest})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spread) and self._told() == other._told()

    __hash__ = None  # type: ignore[assignment] # it holds a dict

    def _told(self) -> tuple[object, ...]:
        return self.range, self.buckets, self.zero, self.overflow, self.negative, self.counts

    def tells(self, n: int) -> bool:
        """Whether it has n values, by each way to count them; modulo 2**64, as the cells are."""
        return all((total - n) & MASK == 0 for total in self._totals())

    def _totals(self) -> tuple[int, ...]:
        """How many values it has, by each way to count them."""
        total = self.zero + self.overflow + self.negative + sum(self.buckets.values())
        return (total, sum(self.counts)) if self.range.bounds else (total,)

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

    @staticmethod
    def total(spreads: Sequence[Spread]) -> Spread:
        """All of one range together."""
        buckets: dict[int, int] = {}
        for one in spreads:
            for index, count in one.buckets.items():
                buckets[index] = buckets.get(index, 0) + count
        fixed = zip(*[(one.zero, one.overflow, one.negative) for one in spreads])
        zero, overflow, negative = map(sum, fixed)
        counts = list(map(sum, zip(*[one.counts for one in spreads])))
        return Spread(spreads[0].range, buckets, zero, overflow, negative, counts)

    def less(self, other: Spread) -> Spread:
        """What is here and was not there; never less than nothing."""
        wanted = self.range if self.range is other.range else self.range.with_(other.range)
        one, two = self.in_range(wanted), other.in_range(wanted)
        left = {index: count - two.buckets.get(index, 0) for index, count in one.buckets.items()}
        return Spread(
            wanted,
            {index: count for index, count in left.items() if count > 0},
            max(0, one.zero - two.zero),
            max(0, one.overflow - two.overflow),
            max(0, one.negative - two.negative),
            [max(0, mine - its) for mine, its in zip(one.counts, two.counts)],
        )

    # --- as cells -------------------------------------------------------------------------------

    def most(self, n: int) -> int:
        """How many values there are if a witness says n: where the two differ, the greater number."""
        return max(n, *self._totals())

    def words(self, n: int) -> list[int]:
        """The cells of the distribution in the value's first cells, under a witness of `most(n)`.

        What was damaged, or torn by a writer without fences, and left so by its death, is told whole: nobody
        could add to it otherwise. Values whose bucket is not known are among the greatest.
        """
        n = self.most(n)
        total, *of_bounds = self._totals()
        words = [0] * self.range.cells
        words[layout.DISTRIBUTION_BEGUN] = (n & LOW_HALF) << 32  # the last one, and no other
        words[layout.DISTRIBUTION_ZERO] = self.zero
        words[layout.DISTRIBUTION_OVERFLOW] = self.overflow + n - total
        words[layout.DISTRIBUTION_NEGATIVE] = self.negative
        words[layout.DISTRIBUTION_BOUNDS :] = self.counts
        if of_bounds:
            words[-1] += n - of_bounds[0]
        return [word & MASK for word in words]

    def octaves(self) -> dict[int, list[int]]:
        """The cells of each octave that has any: its place from `low` on → its buckets."""
        scale = self.range.scale
        found: dict[int, list[int]] = {}
        for index, count in self.buckets.items():
            k = (index >> scale) - self.range.low
            found.setdefault(k, [0] * (1 << scale))[index & (1 << scale) - 1] = count & MASK
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
