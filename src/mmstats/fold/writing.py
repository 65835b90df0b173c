"""Totals and what was folded → the bytes of a file of retired totals (spec/FORMAT.md section 9.1)."""

from __future__ import annotations

from struct import pack

from mmstats.fold.totals import BY_WIDTH
from mmstats.format import encode, layout
from mmstats.format.members import MANY
from mmstats.format.words import MASK, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmstats.fold.totals import Total, Totals
    from mmstats.format.decode import Folded
    from mmstats.stat import About

INTEGERS = (layout.CELL_TYPE_U64, layout.CELL_TYPE_I64)
CELLS_OF = {"average": layout.AVERAGE_SIZE, "timer": layout.TIMER_SIZE + 2}  # a timer's ring is empty
KIND_CODES = {name: code for code, name in layout.KINDS.items()}
AGGREGATE_CODES = {name: code for code, name in layout.AGGREGATES.items()}
SEGMENT = 1
GENERATION = 1  # of every member: a slot has but one here


def encode_retired(totals: Totals, folded: Sequence[Folded], **header: object) -> bytes:
    """A whole file. `header`: the fields of the header that the totals do not tell."""
    blocks: list[bytes] = []
    words: list[int] = []
    for number, together in enumerate(_declarations(totals), 1):
        blocks += _blocks(together, number, words)
    start = encode.header(
        state=layout.STATE_RETIRED,
        writer_flags=layout.WRITER_FLAG_FENCES | layout.WRITER_FLAG_ATOMIC,
        created=totals.created,
        dropped=pack("<8Q", *(count & MASK for count in totals.dropped)),
        **header,
    )
    whole = start + encode.folded(folded) + b"".join(blocks)
    gap = encode.round_up(len(whole), layout.LANE_ALIGN) - len(whole)
    pad = pack("<Q", encode.word(layout.BLOCK_TYPE_PAD, gap)).ljust(gap, b"\0") if gap else b""
    return whole + pad + encode.cells(0, SEGMENT, words)


def _declarations(totals: Totals) -> list[list[tuple[Total, bool]]]:
    """What one METRIC tells of: a total, or those of a family's members; each with whether it stands."""
    together: dict[object, list[tuple[Total, bool]]] = {}
    for total, stands in totals:
        together.setdefault((total.name, total.meaning), []).append((total, stands))
    return list(together.values())


def _names(about: About) -> tuple[str, ...]:
    return tuple(name for name, _ in about.tags)


def _blocks(together: Sequence[tuple[Total, bool]], number: int, words: list[int]) -> Iterator[bytes]:
    total, stands = max(together, key=_declared)
    cell_type = max((each.cell_type for each, _ in together), key=BY_WIDTH.index)
    state = layout.METRIC_STATE_LIVE if stands else layout.METRIC_STATE_SUPERSEDED
    names = _names(total.about)
    yield _metric(total, cell_type, number, 0 if names else len(words), state, names)
    for each, _ in together:
        if names:
            yield _member(each, number, len(words))
            words.append(GENERATION)
        words += _words(each, cell_type)


def _declared(one: tuple[Total, bool]) -> int:
    return one[0].declared


def _metric(total: Total, cell_type: int, number: int, index: int, state: int, names: Sequence[str]) -> bytes:
    about = total.about
    return encode.metric(
        metric=number,
        kind=KIND_CODES[about.kind],
        cell_type=cell_type,
        aggregate=AGGREGATE_CODES[about.aggregate],
        flags=layout.METRIC_FLAG_KEEP if about.keep else 0,
        segment=0 if names else SEGMENT,
        index=index,
        cells=CELLS_OF.get(about.kind, 1),
        initial=0,
        label=about.label,
        unit=about.unit,
        help=about.help,
        tags=names,
        state=state,
    )


def _member(total: Total, number: int, index: int) -> bytes:
    about = total.about
    return encode.member(
        GENERATION,
        [] if about.tags == MANY else [text for _, text in about.tags],
        metric=number,
        segment=SEGMENT,
        index=index,
        ttl=int(about.ttl * 1e9),
        folded=total.folded,
    )


def _words(total: Total, cell_type: int) -> list[int]:
    kind, parts = total.about.kind, total.parts
    carry = parts >> 64 if cell_type in INTEGERS else 0
    value = words_of(kind, cell_type, CELLS_OF.get(kind, 1), parts)
    return [*value, carry & MASK, total.declared & MASK]
