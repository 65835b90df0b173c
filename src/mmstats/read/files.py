"""Paths, directories and globs → the files they stand for, each once, in natural order.

Natural: by the text and the numbers of a name, so that `web-9-…` comes before `web-10-…`; as names
begin with the command and the pid, files are in the order of those.
"""

from __future__ import annotations

import os

from mmstats.globs import has_magic, matches
from mmstats.host.places import Place, places_at, reading_places
from mmstats.stat import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Union

    Path = Union[str, "os.PathLike[str]"]
    Paths = Union[Path, Iterable[Path], None]

DIGITS = "0123456789"


class Candidate:
    """A file to open. `owners`: whose it may be, None for anybody's; `named`: somebody asked for it."""

    __slots__ = ("named", "owners", "path")

    def __init__(self, path: str, owners: frozenset[int] | None = None, *, named: bool = False) -> None:
        self.path = path
        self.owners = owners
        self.named = named


def find(paths: Paths = None) -> tuple[list[Candidate], list[Problem]]:
    """What to open, and what could not be looked at. None: the default places."""
    found: dict[str, Candidate] = {}
    problems: list[Problem] = []
    if paths is None:
        _gather(reading_places(), found, [])
    else:
        for path in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
            _gather_named(os.fspath(path), found, problems)
    return list(found.values()), problems


def _gather_named(path: str, found: dict[str, Candidate], problems: list[Problem]) -> None:
    if os.path.isdir(path):
        _gather(places_at(path), found, problems)
    elif has_magic(path) and not os.path.lexists(path):
        _gather([Place("", path)], found, problems)
    else:
        found.setdefault(path, Candidate(path, named=True))


def _gather(places: Iterable[Place], found: dict[str, Candidate], problems: list[Problem]) -> None:
    for place in places:
        names = _expand(place.directory, place.names, problems)
        for path in sorted(names, key=natural):
            found.setdefault(path, Candidate(path, place.owners))


def _expand(directory: str, pattern: str, problems: list[Problem]) -> list[str]:
    """The paths below `directory` that match, segment by segment."""
    *above, names = pattern.split("/")
    directories = [directory]
    for segment in above:
        directories = [deeper for path in directories for deeper in _directories(path, segment, problems)]
    return [os.path.join(path, name) for path in directories for name in _listed(path, names, problems)]


def _directories(directory: str, segment: str, problems: list[Problem]) -> list[str]:
    if not segment:  # the pattern began with a slash, or has two in a row
        return [directory or "/"]
    if segment in (".", "..") or not has_magic(segment):
        deeper = os.path.join(directory, segment)
        return [deeper] if os.path.isdir(deeper) else []
    found = [
        os.path.join(directory, name) for name in sorted(_listed(directory, segment, problems), key=natural)
    ]
    return [path for path in found if os.path.isdir(path)]


def _listed(directory: str, pattern: str, problems: list[Problem]) -> list[str]:
    """The names in `directory` that match; hidden ones only if the pattern says the dot."""
    try:
        names = os.listdir(directory or ".")
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            problems.append(Problem(directory or ".", f"{error.strerror}; skipped"))
        return []
    if pattern.startswith("*.") and not has_magic(pattern[1:]):
        return [name for name in names if name.endswith(pattern[1:]) and name[0] != "."]
    hidden = pattern.startswith(".")
    return [name for name in names if (hidden or name[0] != ".") and matches(name, pattern)]


def natural(path: str) -> tuple[list[tuple[str, int]], str]:
    """What to sort a path by: its name cut at `-` and `.`, each piece as text and number."""
    name = path[path.rfind("/") + 1 :]
    return [_piece(piece) for piece in name.replace(".", "-").split("-")], path


def _piece(piece: str) -> tuple[str, int]:
    stem = piece.rstrip(DIGITS)
    digits = piece[len(stem) :]
    return stem, int(digits) if digits else -1
