"""0.8's reader: `for label, value in MmStatsReader.from_file(name)`, of files of both versions.

A value is a number, a bool or a text: of a timer its moving average, of a histogram its count, of an average
its mean; a member of a family has the label `name{key="value"}`. `mmstats.snapshot` tells more.
"""

from __future__ import annotations

from collections import namedtuple

from mmstats.distribution import Distributed, TimerValue
from mmstats.errors import FormatError, MmStatsError
from mmstats.format.cells import Cells, OutgrownError
from mmstats.format.compound import Copies
from mmstats.format.decode import decode
from mmstats.format.layout import MAGIC
from mmstats.format.legacy import UNBUFFERED as UNBUFFERED_FIELD
from mmstats.format.legacy import decode_legacy
from mmstats.host.clock import clock_of
from mmstats.host.identity import Machine
from mmstats.plan import NoPlan, plan
from mmstats.read.dropped import add_dropped
from mmstats.stat import Rows
from mmstats.tools.text import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from typing import IO, Union

    from typing_extensions import Self

    from mmstats.format.runs import Decoded

    Path = Union[str, "os.PathLike[str]"]

__all__ = ["UNBUFFERED_FIELD", "VERSION_1", "InvalidMmStatsVersion", "MmStatsReader", "Stat"]

VERSION_1 = b"\x01"
PATIENCE = 100  # times that a value which is being written is read again
GROWING = 20  # times that a file is decoded again because a value got cells meanwhile

Stat = namedtuple("Stat", ("label", "value"))  # noqa: PYI024 - typing is slow to load


class InvalidMmStatsVersion(MmStatsError):  # noqa: N818 - 0.8's name
    """The file's first byte is no version that this reader knows; it is said as 0.8 did."""


class MmStatsReader:
    """Iterates `Stat(label, value)`, in the order of the file, and closes it at the end.

    `data`: a file opened for reading bytes. What is whole is given first, and then FormatError raised
    where a file is damaged or cut.
    """

    def __init__(self, data: IO[bytes]) -> None:
        self.data = data
        self._copy = data.read()
        if self._copy[:1] == VERSION_1:
            self.version = 1
        elif self._copy[:8] == MAGIC:
            self.version = 2
        else:
            raise InvalidMmStatsVersion(repr(self._copy[:1].decode("latin-1")))

    @classmethod
    def from_file(cls, fn: Path) -> Self:
        """A reader of the file of that name. OSError where it cannot be opened."""
        file = open(fn, "rb")  # noqa: SIM115 - closed at the end of the iteration, as 0.8 did
        try:
            reader = cls(file)
        except BaseException:
            file.close()
            raise
        reader._opened = file
        return reader

    _opened: IO[bytes] | None = None

    def __del__(self) -> None:
        if self._opened is not None:
            self._opened.close()  # if nobody iterated to the end

    @classmethod
    def from_mmap(cls, fn: Path) -> Self:
        """The same: nothing is mapped any more, a file that is cut must not end who reads it."""
        return cls.from_file(fn)

    def __iter__(self) -> Iterator[Stat]:
        try:
            yield from self._first() if self.version == 1 else self._second()
        finally:
            self.data.close()

    def _first(self) -> Iterator[Stat]:
        said = decode_legacy(self._copy)
        for field in said.fields:
            yield Stat(field.label, field.value)
        if said.damage is not None:
            raise said.damage

    def _second(self) -> Iterator[Stat]:
        for _ in range(GROWING):
            try:
                decoded, rows = self._decoded()
                break
            except OutgrownError:
                self._copy = self._read_again(0, -1)
        else:
            raise FormatError(
                0, f"a file that grew {GROWING} times while it was read", "one that can be read"
            )
        for about, value in zip(rows.abouts, rows.values):
            yield Stat(name_of(about), _one(value))
        if decoded.problems:
            raise FormatError(0, "; ".join(decoded.problems), "a whole file")

    def _decoded(self) -> tuple[Decoded, Rows]:
        decoded = decode(self._copy)
        cells, rows = Cells(self._copies(), decoded, lambda: clock_of(decoded.header, Machine())), Rows("")
        for run, block in decoded.runs:
            for metric in run.metrics:
                how = plan(metric)
                if not isinstance(how, NoPlan):
                    try:
                        how.add(rows, cells, block, 0.0)
                    except FormatError as error:
                        decoded.complain(error)
        add_dropped(rows, decoded.header)
        return decoded, rows

    def _copies(self) -> Copies:
        """Three, where the file can be read again."""
        seekable = getattr(self.data, "seekable", None)  # which a map does not have before Python 3.13
        if seekable is not None and not seekable():
            return Copies.of_one(self._copy)
        middle, last = self._read_again(0, -1), self._read_again(0, -1)
        if min(len(middle), len(last)) < len(self._copy):
            return Copies.of_one(self._copy)
        tries = iter(range(PATIENCE))
        return Copies(self._copy, middle, last, self._read_again, lambda: next(tries, None) is None)

    def _read_again(self, offset: int, length: int) -> bytes:
        self.data.seek(offset)
        return self.data.read(length)


def _one(value: object) -> object:
    """A value that is one number, bool or text."""
    if isinstance(value, Distributed):
        return value.moving if isinstance(value, TimerValue) else value.count
    return value
