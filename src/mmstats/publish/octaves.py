"""The octaves of values with a distribution: schemas of their own, of which a lane gets cells on demand."""

from __future__ import annotations

from mmstats.format.ranges import octave_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmstats.publish.schema import Metric, Schema


class OctaveSchema:
    """The cells of one octave: of each value whose first cells are in one schema, 2**scale of them."""

    metrics: tuple[Metric, ...] = ()
    of_process = False

    def __init__(self, base: Schema, k: int, room: int, values: int) -> None:
        self.number = octave_segment(base.number, k)
        self.room = room  # cells of one value
        self.cells = room * values

    @property
    def first_words(self) -> list[int]:
        return [0] * self.cells

    def hand_over(self, _words: memoryview) -> None:
        """Counts stay; nobody's own value begins at them."""

    def bring(self, source: memoryview, target: memoryview) -> None:
        """Make `target` what `source` is."""
        for index in range(self.cells):
            if target[index] != source[index]:
                target[index] = source[index]

    def of_value(self, place: int) -> slice:
        """The cells of the value whose first cells are the `place`-th of the base."""
        return slice(place * self.room, (place + 1) * self.room)
