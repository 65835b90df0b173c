"""Distributions as values: what merging keeps, whatever the order, and how near a percentile is."""

from __future__ import annotations

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from mmstats.buckets import index_of
from mmstats.distribution import DistributionValue
from mmstats.format import layout
from mmstats.format.spread import Range, Spread, spread_of

LOW, HIGH = -20, 12
values = st.one_of(
    st.floats(2.0**LOW, 2.0**HIGH, exclude_min=True),
    st.integers(1, 2**HIGH).map(float),
    st.floats(-6, 6).map(lambda x: 2.0**x),
)
bounds = st.sampled_from([(), (0.5,), (0.5, 2.0)])
ranges = st.builds(
    Range, st.integers(0, layout.SCALE_MOST), st.integers(LOW - 5, LOW), st.integers(HIGH, HIGH + 5), bounds
)


def of(wanted, found):
    """How a writer of that range counts these values."""
    buckets, counts = {}, [0] * (len(wanted.bounds) + 1)
    for value in found:
        index = index_of(value, wanted.scale)
        buckets[index] = buckets.get(index, 0) + 1
        counts[sum(value > bound for bound in wanted.bounds)] += 1
    return Spread(wanted, buckets, counts=counts)


def together(spreads):
    first, *others = spreads
    for one in others:
        first = first.merged(one)
    return first


parts = st.lists(st.tuples(ranges, st.lists(values, max_size=8)), min_size=1, max_size=4)


@given(parts, st.randoms())
def test_the_order_of_merging_changes_nothing(parts, chosen):
    spreads = [of(*part) for part in parts]
    others = list(spreads)
    chosen.shuffle(others)
    assert together(spreads) == together(others)
    middle = chosen.randint(1, len(spreads))
    rest = [together(spreads[middle:])] if spreads[middle:] else []
    assert together([together(spreads[:middle]), *rest]) == together(spreads)


@given(parts)
def test_merging_is_as_if_one_writer_of_the_widest_buckets_had_counted_all(parts):
    merged = together([of(*part) for part in parts])
    assert merged == of(merged.range, [value for _, found in parts for value in found])
    assert merged.range.scale == min(wanted.scale for wanted, _ in parts)
    assert bool(merged.range.bounds) <= (len({wanted.bounds for wanted, _ in parts}) == 1)


@given(st.lists(st.tuples(ranges, st.lists(values, min_size=1)), min_size=1, max_size=4), st.floats(0, 1))
def test_a_percentile_is_as_near_as_the_scale_says(parts, q):
    """Of lanes, processes and scales together: within (base - 1) / (base + 1) of the value of that rank."""
    merged = together([of(*part) for part in parts])
    everything = sorted(value for _, found in parts for value in found)
    whole = DistributionValue(len(everything), sum(everything), everything[0], everything[-1], merged)
    base = 2 ** (1 / 2**merged.range.scale)
    wanted = everything[max(1, ceil(q * len(everything))) - 1]
    assert abs(whole.percentile(q) - wanted) <= wanted * ((base - 1) / (base + 1) + 1e-12)


@given(ranges, st.lists(values), st.integers(0, 2**64))
def test_cells_say_it_again(wanted, found, more):
    """Also under a witness that says more than the buckets do: those are among the greatest."""
    spread = of(wanted, found)
    n = spread.most(more)
    assert n == max(more, len(found))
    words, octaves = spread.words(n), {k: tuple(row) for k, row in spread.octaves().items()}
    begun = words[layout.DISTRIBUTION_BEGUN : layout.DISTRIBUTION_ZERO]
    again = spread_of(wanted, words, octaves, begun, n)
    assert again.tells(n)
    assert (again.buckets, again.zero, again.negative) == (spread.buckets, 0, 0)
    assert again.overflow == (n - len(found)) % 2**64


def test_what_was_begun_last_is_no_update_under_way_at_any_witness():
    """The number of an update has 32 bits: one of 0 would come after the witness 2**32 - 1."""
    wanted, n = Range(0, 0, 4), 2**32 - 1
    words = Spread(wanted, {1: n - 5}, zero=5).words(n)
    begun = words[layout.DISTRIBUTION_BEGUN : layout.DISTRIBUTION_ZERO]
    assert spread_of(wanted, words, {1: (n - 5,)}, begun, n).zero == 5
