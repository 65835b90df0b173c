"""Totals and what was folded → the bytes of a file of retired totals (spec/FORMAT.md section 9.1)."""

from __future__ import annotations

from struct import pack

from mmstats.fold.totals import BY_WIDTH
from mmstats.format import encode, layout
from mmstats.format.compound import DISTRIBUTED
from mmstats.format.encode import octave_segment
from mmstats.format.members import MANY
from mmstats.format.words import MASK, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mmstats.fold.totals import Total, Totals
    from mmstats.format.runs import Folded
    from mmstats.format.spread import Range, Spread
    from mmstats.stat import About

INTEGERS = (layout.CELL_TYPE_U64, layout.CELL_TYPE_I64)
CELLS_OF = {"average": layout.AVERAGE_SIZE}
RING = 2  # cells of a timer's, in which there is nothing
KIND_CODES = {name: code for code, name in layout.KINDS.items()}
AGGREGATE_CODES = {name: code for code, name in layout.AGGREGATES.items()}
GENERATION = 1  # of every member: a slot has but one here
TOGETHER = 32  # members with octaves whose cells stand side by side


class Room:
    """The cells of lane 0, by segment: one for all single values, others for those that have octaves."""

    def __init__(self) -> None:
        self.single: list[int] = []
        self.segments = {1: self.single}
        self._in_octaves: dict[int, int] = {}  # cells that each octave of a segment's values has
        self._last = 1

    def another(self) -> int:
        """The number of a segment that nobody has."""
        self._last += 1
        self.segments[self._last] = []
        return self._last

    def add(self, segment: int, words: Sequence[int]) -> int:
        """Put words at the end of a segment; where they begin."""
        self.segments[segment] += words
        return len(self.segments[segment]) - len(words)

    def add_octaves(self, segment: int, place: int, spread: Spread) -> None:
        """Put the buckets of the `place`-th value of a segment, counted from 0, where its octaves are."""
        room = 1 << spread.range.scale
        self._in_octaves[segment] = (place + 1) * room
        for k, row in spread.octaves().items():
            words = self.segments.setdefault(octave_segment(segment, k), [])
            words += [0] * (place * room - len(words)) + row

    def blocks(self, begin: int) -> bytes:
        """The CELLS blocks, if they begin at `begin` of the file."""
        found = b""
        for segment, own in self.segments.items():
            above, base = divmod(segment, layout.OCTAVE_STEP)
            words = own + [0] * (self._in_octaves[base] - len(own) if above else 0)
            gap = -(begin + len(found)) % layout.LANE_ALIGN
            pad = pack("<Q", encode.word(layout.BLOCK_TYPE_PAD, gap)).ljust(gap, b"\0") if gap else b""
            found += pad + encode.cells(0, segment, words)
        return found


def encode_retired(totals: Totals, folded: Sequence[Folded], **header: object) -> bytes:
    """A whole file. `header`: the fields of the header that the totals do not tell."""
    blocks: list[bytes] = []
    room = Room()
    for number, together in enumerate(_declarations(totals), 1):
        blocks += _blocks(together, number, room)
    start = encode.header(
        state=layout.STATE_RETIRED,
        writer_flags=layout.WRITER_FLAG_FENCES | layout.WRITER_FLAG_ATOMIC,
        created=totals.created,
        dropped=pack("<8Q", *(count & MASK for count in totals.dropped)),
        **header,
    )
    whole = start + encode.folded(folded) + b"".join(blocks)
    return whole + room.blocks(len(whole))


def _declarations(totals: Totals) -> list[list[tuple[Total, bool]]]:
    """What one METRIC tells of: a total, or those of a family's members; each with whether it stands."""
    together: dict[object, list[tuple[Total, bool]]] = {}
    for total, stands in totals:
        together.setdefault((total.name, total.meaning), []).append((total, stands))
    return list(together.values())


def _names(about: About) -> tuple[str, ...]:
    return tuple(name for name, _ in about.tags)


def _blocks(together: Sequence[tuple[Total, bool]], number: int, room: Room) -> Iterator[bytes]:
    total, stands = max(together, key=_declared)
    cell_type = max((each.cell_type for each, _ in together), key=BY_WIDTH.index)
    wanted = _range(together)
    cells = _cells(total.about.kind, wanted)
    names = _names(total.about)
    segment, members = 1, []
    for place, (each, _) in enumerate(together):
        if wanted is not None and place % TOGETHER == 0:
            segment = room.another()
        words = [GENERATION] if names else []
        index = room.add(segment, words + _words(each, cell_type, cells, wanted))
        if wanted is not None:
            room.add_octaves(segment, place % TOGETHER, each.parts[-1].in_range(wanted))
        if names:
            members.append(_member(each, number, segment, index))
    yield encode.metric(
        metric=number,
        kind=KIND_CODES[total.about.kind],
        cell_type=cell_type,
        aggregate=AGGREGATE_CODES[total.about.aggregate],
        flags=layout.METRIC_FLAG_KEEP if total.about.keep else 0,
        segment=0 if names else segment,
        index=0 if names else index,
        cells=cells,
        initial=0,
        label=total.about.label,
        unit=total.about.unit,
        help=total.about.help,
        tags=names,
        extra=wanted.pack() if wanted is not None else b"",
        state=layout.METRIC_STATE_LIVE if stands else layout.METRIC_STATE_SUPERSEDED,
    )
    yield from members


def _declared(one: tuple[Total, bool]) -> int:
    return one[0].declared


def _range(together: Sequence[tuple[Total, bool]]) -> Range | None:
    """The one into which the distributions of all fit; None: they have none."""
    wanted: Range | None = None
    for total, _ in together:
        if total.about.kind in DISTRIBUTED:
            own = total.parts[-1].range
            wanted = own if wanted is None else wanted.with_(own)
    return wanted


def _cells(kind: str, wanted: Range | None) -> int:
    if wanted is None:
        return CELLS_OF.get(kind, 1)
    return DISTRIBUTED[kind] + wanted.cells + (RING if kind == "timer" else 0)


def _member(total: Total, number: int, segment: int, index: int) -> bytes:
    about = total.about
    return encode.member(
        GENERATION,
        [] if about.tags == MANY else [text for _, text in about.tags],
        metric=number,
        segment=segment,
        index=index,
        ttl=int(about.ttl * 1e9),
        folded=total.folded,
    )


def _words(total: Total, cell_type: int, cells: int, wanted: Range | None) -> list[int]:
    parts = total.parts
    if wanted is not None:
        parts = (*parts[:-1], parts[-1].in_range(wanted))
    carry = parts >> 64 if cell_type in INTEGERS else 0
    value = words_of(total.about.kind, cell_type, cells, parts)
    return [*value, carry & MASK, total.declared & MASK]
