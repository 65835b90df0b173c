"""One stat → its samples: what they are called, and their numbers.

`Shape` is all of them but the numbers: of each sample the suffix of its name and the tags that it has beside
those of the stat. It is the same from one moment to the next as long as no sample comes or goes.
"""

from __future__ import annotations

from mmstats.distribution import Distributed
from mmstats.export.buckets import buckets
from mmstats.export.names import COUNTER, GAUGE, HISTOGRAM, INFO, STATES, SUMMARY
from mmstats.format.pairs import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from mmstats.stat import Stat

    Tags = tuple[tuple[str, str], ...]
    Shape = tuple[tuple[str, Tags], ...]
    Samples = tuple[Shape, Sequence[Any]]
    SamplesOf = Callable[[Stat, int], Samples]

ONE_NUMBER: Shape = (("", ()),)
ONE_TOTAL: Shape = (("_total", ()),)
COUNT_AND_SUM: Shape = (("_count", ()), ("_sum", ()))
NOTHING: Samples = ((), ())


def kind_of(stat: Stat) -> tuple[str, SamplesOf]:
    """The type of the family that a stat belongs to, and what tells its samples; `octaves`: see `buckets`."""
    if stat.kind == "static" and not _is_number(stat.value):
        return INFO, _texts
    return _KINDS.get(stat.kind, (GAUGE, _nothing))


def falls(stat: Stat) -> bool:
    """Whether its sum may become less."""
    value = stat.value
    if isinstance(value, Distributed):
        bounds = value.spread.range.bounds if value.spread else ()
        return value.min < 0 or any(bound < 0 for bound in bounds[:1])
    return stat.kind == "average" and bool(stat.parts) and not stat.parts[0] >= 0


def _is_number(value: object) -> bool:
    if isinstance(value, (frozenset, tuple)):
        return all(map(_is_number, value))
    return isinstance(value, (int, float))


def _total(stat: Stat, _: int) -> Samples:
    return ONE_TOTAL, (stat.value,)


def _gauge(stat: Stat, _: int) -> Samples:
    value = stat.value
    if isinstance(value, (frozenset, tuple)) and len(value) == 1:
        (value,) = value
    return (ONE_NUMBER, (value,)) if isinstance(value, (int, float)) else NOTHING


def _mean(stat: Stat, _: int) -> Samples:
    total, count = stat.parts or (0.0, 0)
    return COUNT_AND_SUM, (count, total)


def _histogram(stat: Stat, octaves: int) -> Samples:
    value = stat.value
    if not isinstance(value, Distributed):
        return NOTHING
    shape, counts = buckets(value, octaves)
    return shape, (*counts, value.count, value.sum)


def _texts(stat: Stat, _: int) -> Samples:
    return _ones([("_info", (("value", text),)) for text in _each(stat.value)])


def _info(stat: Stat, _: int) -> Samples:
    return _ones([("_info", pairs(text)) for text in _each(stat.value)])


def _states(stat: Stat, _: int) -> Samples:
    return _ones([("", (("", text),)) for text in _each(stat.value)])  # the tag has the name of the family


def _nothing(_: Stat, __: int) -> Samples:
    return NOTHING


def _ones(shape: list[tuple[str, Tags]]) -> Samples:
    return tuple(shape), (1,) * len(shape)


def _each(value: Any) -> list[str]:
    """The texts, one or several, without those that say nothing."""
    every = sorted(map(str, value)) if isinstance(value, (frozenset, tuple)) else [value]
    return [str(text) for text in every if text not in ("", None)]


_KINDS: dict[str, tuple[str, SamplesOf]] = {
    "counter": (COUNTER, _total),
    **dict.fromkeys(("updown", "number", "bool", "gauge", "moving", "static"), (GAUGE, _gauge)),
    "average": (SUMMARY, _mean),
    **dict.fromkeys(("timer", "histogram"), (HISTOGRAM, _histogram)),
    "info": (INFO, _info),
    "enum": (STATES, _states),
}
