"""Errors, by whose move it is. Each keeps what it names as attributes.

`UsageError` and its kin: the programmer's. `RegionError`: the machine's, raised only where it was
asked for. Nothing here is ever raised out of an update because of the state of the machine.
"""

from __future__ import annotations


class MmStatsError(Exception):
    """The base of every error of mmstats."""


class UsageError(MmStatsError, ValueError):
    """A mistake of the program: a bad label, a name that is taken, a setting that says nothing."""


class DuplicateFieldName(UsageError):
    """One label and one set of tags, declared with another kind or unit than before."""


class Removed(MmStatsError, AttributeError):
    """A field of a model was read after `remove()`."""


class RegionError(MmStatsError, OSError):
    """The machine's: the file cannot be made and the program said `strict=True`, or `flush()` failed."""


class PlaceRefused(RegionError):
    """A directory that is there cannot be trusted with our files. Keeps `directory` and `reason`."""

    def __init__(self, directory: str, reason: str) -> None:
        super().__init__(f"{directory}: {reason}")
        self.directory = directory
        self.reason = reason


class FormatError(MmStatsError):
    """A file says what no lawful file says. Keeps `offset`, `found` and `expected`.

    Raised by the rooms that decode, never out of `snapshot` or `combined`: there it becomes a
    problem of that file.
    """

    def __init__(self, offset: int, found: str, expected: str) -> None:
        super().__init__(f"offset={offset}: found {found}, expected {expected}")
        self.offset = offset
        self.found = found
        self.expected = expected


class NotRead(FormatError):
    """A file that is not damaged, but not for this reader: no mmstats file, or of a newer format."""

    def __str__(self) -> str:
        return self.found
