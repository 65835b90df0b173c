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
    """The file cannot be made, and the program said `strict=True`."""
