"""The last samples in memory: eight bytes a number, of as many samples as are kept."""

from __future__ import annotations

import secrets
from array import array
from math import isnan, nan

from mmstats.tools.mmash.series import Series

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmstats.stat import Stat
    from mmstats.tools.mmash.series import Key

MOST_SERIES = 20_000  # 16 bytes of which are 144 MB, kept for 15 minutes


class History:
    """A ring of samples, each of which has a number from 1 on. `epoch`: another one after each start.

    `generation` is another one whenever there are other series. Written by one thread; who reads in another
    one reads what is whole: the number of the last sample is stored last.
    """

    __slots__ = (
        *("_most", "_places", "_room", "_times", "_values"),
        *("epoch", "generation", "last", "left_out", "series"),
    )

    def __init__(self, room: int, most: int = MOST_SERIES) -> None:
        self.epoch = secrets.token_hex(4)
        self.generation = 0
        self.last = 0
        self.left_out = 0  # numbers of a sample for which there was no room
        self.series: list[Series] = []
        self._places: dict[Key, int] = {}
        self._room = room
        self._most = most
        self._times = array("d", [nan]) * room
        self._values: list[array[float]] = []

    @property
    def first(self) -> int:
        """The number of the oldest sample that is kept; above `last` where there is none."""
        return max(1, self.last - self._room + 2) if self.last >= self._room else 1

    def add(self, when: float, found: Iterable[tuple[Key, Stat, float]]) -> None:
        """One more sample: its numbers, each once. `when`: in seconds since 1970."""
        at, places, left_out = self._at(self.last + 1), self._places, 0
        for values in self._values:
            values[at] = nan
        for key, stat, number in found:
            place = places.get(key)
            if place is None:
                if len(self.series) >= self._most:
                    left_out += 1
                    continue
                place = len(self.series)
                self._values.append(array("d", [nan]) * self._room)
                self.series.append(Series(stat.about, stat.group, key[-1], key[0]))
                places[key] = place
                self.generation += 1
            self._values[place][at] = number
        self.left_out = left_out
        self._times[at] = when
        self.last += 1

    def without_the_past(self) -> History:
        """The same, less the series that have no number any more."""
        kept = History(self._room, self._most)
        kept.epoch, kept.generation, kept.last = self.epoch, self.generation + 1, self.last
        kept.left_out, kept._times = self.left_out, self._times
        for key, place in self._places.items():
            if not all(map(isnan, self._values[place])):
                kept._places[key] = len(kept.series)
                kept.series.append(self.series[place])
                kept._values.append(self._values[place])
        return kept

    def time(self, number: int) -> float:
        """When a sample was taken, in seconds since 1970."""
        return self._times[self._at(number)]

    def numbers(self, number: int) -> list[tuple[int, float | None]]:
        """Place of a series and its number, of all that have one in that sample."""
        at = self._at(number)
        found = [(place, values[at]) for place, values in enumerate(self._values)]
        return [(place, value) for place, value in found if not isnan(value)]

    def changes(self, number: int) -> list[tuple[int, float | None]]:
        """Likewise, of those that have another one than in the sample before, None where they have none."""
        at, before = self._at(number), self._at(number - 1)
        found: list[tuple[int, float | None]] = []
        for place, values in enumerate(self._values):
            value, was = values[at], values[before]
            if value != was and not (isnan(value) and isnan(was)):
                found.append((place, None if isnan(value) else value))
        return found

    def values(self, place: int, first: int, last: int) -> list[float | None]:
        """The numbers of a series in those samples, None where it had none."""
        values = self._values[place]
        found = [values[self._at(number)] for number in range(first, last + 1)]
        return [None if isnan(value) else value for value in found]

    def times(self, first: int, last: int) -> Sequence[float]:
        """When those samples were taken."""
        return [self.time(number) for number in range(first, last + 1)]

    def _at(self, number: int) -> int:
        return number % self._room
