"""Paths, directories and globs → the files they stand for, each once, in natural order.

Natural: by the text and the numbers of a name, so that `web-9-…` comes before `web-10-…`; as names
begin with the command and the pid, files are in the order of those.
"""

from __future__ import annotations

import os

from mmstats.globs import has_magic, matches
from mmstats.host.places import Place, places_at, reading_places
from mmstats.names import RETIRED
from mmstats.stat import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Union

    Path = Union[str, "os.PathLike[str]"]
    Paths = Union[Path, Iterable[Path], None]

DIGITS = "0123456789"


class Candidate:
    """A file to open. `owners`: whose it may be, None for anybody's; `named`: somebody asked for it.

    `ino`: the inode that the name had when it was listed; 0: it was not.
    """

    __slots__ = ("ino", "named", "owners", "path")

    def __init__(
        self, path: str, owners: frozenset[int] | None = None, *, ino: int = 0, named: bool = False
    ) -> None:
        self.path = path
        self.owners = owners
        self.ino = ino
        self.named = named


class Finder:
    """What to open. None: the default places. `problems`: what could not be looked at.

    `in_order`: natural order, and not that of the directory.

    Files with retired totals are told apart by their names, and looked for once more at the end: the first
    of a group may have come into being since. Where the environment says what files are called, those
    of the same directories belong to it.
    """

    def __init__(self, paths: Paths = None, *, in_order: bool = True) -> None:
        self._in_order = in_order
        self.problems: list[Problem] = []
        self._named: dict[str, Candidate] = {}
        self._places: list[Place] = []
        if paths is None:
            self._places += reading_places()
        else:
            for path in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
                self._name(os.fspath(path))
        self._heard = [] if paths is None else self.problems

    def files(self) -> list[Candidate]:
        """All but retired totals, each once."""
        found = {path: one for path, one in self._named.items() if not path.endswith(RETIRED)}
        expanded = self._expanded if self._in_order else _expand
        for place in self._places:
            for path, ino in expanded(place.directory, place.names, self._heard):
                if not path.endswith(RETIRED):
                    found.setdefault(path, Candidate(path, place.owners, ino=ino))
        return list(found.values())

    def retired(self) -> list[Candidate]:
        """The files with retired totals that are there by now."""
        found = {path: one for path, one in self._named.items() if path.endswith(RETIRED)}
        for place in self._places:
            for path, _ in self._expanded(place.directory, place.retired, []):
                if path.endswith(RETIRED):
                    found.setdefault(path, Candidate(path, place.owners))
        return list(found.values())

    def directories(self) -> list[str]:
        """Those in which it looks for whatever matches; not those of files that were named."""
        found = [path for place in self._places for path in _split(place.directory, place.names, [])[0]]
        return list(dict.fromkeys(found))

    def _name(self, path: str) -> None:
        if os.path.isdir(path):
            self._places += places_at(path)
        elif has_magic(path) and not os.path.lexists(path):
            self._places.append(Place("", path))
        else:
            self._named.setdefault(path, Candidate(path, named=True))

    @staticmethod
    def _expanded(directory: str, pattern: str, heard: list[Problem]) -> list[tuple[str, int]]:
        return sorted(_expand(directory, pattern, heard), key=lambda found: natural(found[0]))


def _expand(directory: str, pattern: str, problems: list[Problem]) -> list[tuple[str, int]]:
    """The paths below `directory` that match, segment by segment, each with its inode."""
    directories, names = _split(directory, pattern, problems)
    return [
        (before + name, ino)
        for path in directories
        for before in (os.path.join(path, ""),)
        for name, ino in _listed(path, names, problems).items()
    ]


def _split(directory: str, pattern: str, problems: list[Problem]) -> tuple[list[str], str]:
    """The directories that all but the last segment of a pattern lead to, and that segment."""
    *above, names = pattern.split("/")
    directories = [directory]
    for segment in above:
        directories = [deeper for path in directories for deeper in _directories(path, segment, problems)]
    return directories, names


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


def _listed(directory: str, pattern: str, problems: list[Problem]) -> dict[str, int]:
    """The names in `directory` that match, and their inodes; hidden ones only if the pattern says the dot."""
    try:
        with os.scandir(directory or ".") as entries:
            names = {entry.name: entry.inode() for entry in entries}
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            problems.append(Problem(directory or ".", f"{error.strerror}; skipped"))
        return {}
    if pattern.startswith("*") and not has_magic(pattern[1:]):  # as nearly all are, and many times faster
        return {name: ino for name, ino in names.items() if name.endswith(pattern[1:]) and name[0] != "."}
    hidden = pattern.startswith(".")
    return {name: ino for name, ino in names.items() if (hidden or name[0] != ".") and matches(name, pattern)}


def natural(path: str) -> tuple[list[tuple[str, int]], str]:
    """What to sort a path by: its name cut at `-` and `.`, each piece as text and number."""
    name = path[path.rfind("/") + 1 :]
    return [_piece(piece) for piece in name.replace(".", "-").split("-")], path


def _piece(piece: str) -> tuple[str, int]:
    stem = piece.rstrip(DIGITS)
    digits = piece[len(stem) :]
    return stem, int(digits) if digits else -1
