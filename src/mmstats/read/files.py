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
    from collections.abc import Callable, Iterable, Iterator
    from typing import Union

    Path = Union[str, "os.PathLike[str]"]
    Scan = Callable[[str, str], "list[tuple[str, int]]"]
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


class Listing:
    """Files of one directory to open: its path up to the names, and those, each with its inode.

    `owners`, `named` and the inodes: as of a Candidate.
    """

    __slots__ = ("named", "names", "owners", "prefix")

    def __init__(
        self,
        prefix: str,
        owners: frozenset[int] | None,
        names: list[tuple[str, int]],
        *,
        named: bool = False,
    ) -> None:
        self.prefix = prefix
        self.owners = owners
        self.names = names
        self.named = named

    def candidate(self, name: str, ino: int) -> Candidate:
        """One of them."""
        return Candidate(self.prefix + name, self.owners, ino=ino, named=self.named)


class Finder:
    """What to open. None: the default places. `problems`: what could not be looked at.

    `scan`: what lists a directory, like `scanned`.

    Files with retired totals are told apart by their names, and looked for once more at the end: the first
    of a group may have come into being since. Where the environment says what files are called, those
    of the same directories belong to it.
    """

    def __init__(self, paths: Paths = None, scan: Scan | None = None) -> None:
        self._scan = scan or scanned
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
        for place in self._places:
            for path, ino in self._expanded(place.directory, place.names, self._heard):
                if not path.endswith(RETIRED):
                    found.setdefault(path, Candidate(path, place.owners, ino=ino))
        return list(found.values())

    def listings(self) -> Iterator[Listing]:
        """The same by directory, in its order; what has several paths there may be in several of them."""
        named: dict[str, list[tuple[str, int]]] = {}
        for path in self._named:
            if not path.endswith(RETIRED):
                name = path[path.rfind("/") + 1 :]
                named.setdefault(path[: len(path) - len(name)], []).append((name, 0))
        for prefix, names in named.items():
            yield Listing(prefix, None, names, named=True)
        for place in self._places:
            directories, pattern = _split(place.directory, place.names, self._heard)
            for directory in directories:
                listed = _listed(directory, pattern, self._heard, self._scan)
                names = [pair for pair in listed if not pair[0].endswith(RETIRED)]
                yield Listing(os.path.join(directory, ""), place.owners, names)

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

    def _expanded(self, directory: str, pattern: str, heard: list[Problem]) -> list[tuple[str, int]]:
        """The paths below `directory` that match, segment by segment, each with its inode."""
        directories, names = _split(directory, pattern, heard)
        found = [
            (before + name, ino)
            for path in directories
            for before in (os.path.join(path, ""),)
            for name, ino in _listed(path, names, heard, self._scan)
        ]
        return sorted(found, key=lambda one: natural(one[0]))


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
        os.path.join(directory, name)
        for name, _ in sorted(_listed(directory, segment, problems, scanned), key=lambda one: natural(one[0]))
    ]
    return [path for path in found if os.path.isdir(path)]


def _listed(directory: str, pattern: str, problems: list[Problem], scan: Scan) -> list[tuple[str, int]]:
    """The names in `directory` that match, and their inodes; hidden ones only if the pattern says the dot."""
    try:
        if pattern.startswith("*") and not has_magic(pattern[1:]):  # as nearly all are
            return scan(directory or ".", pattern[1:])
        with os.scandir(directory or ".") as entries:
            names = [(entry.name, entry.inode()) for entry in entries]
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            problems.append(Problem(directory or ".", f"{error.strerror}; skipped"))
        return []
    hidden = pattern.startswith(".")
    return [pair for pair in names if (hidden or pair[0][0] != ".") and matches(pair[0], pattern)]


def scanned(directory: str, end: str) -> list[tuple[str, int]]:
    """Names that end so, each with its inode; those that begin with a dot are not among them."""
    with os.scandir(directory) as entries:
        return [
            (name, entry.inode())
            for entry in entries
            if (name := entry.name).endswith(end) and name[0] != "."
        ]


def natural(path: str) -> tuple[list[tuple[str, int]], str]:
    """What to sort a path by: its name cut at `-` and `.`, each piece as text and number."""
    name = path[path.rfind("/") + 1 :]
    return [_piece(piece) for piece in name.replace(".", "-").split("-")], path


def _piece(piece: str) -> tuple[str, int]:
    stem = piece.rstrip(DIGITS)
    digits = piece[len(stem) :]
    return stem, int(digits) if digits else -1
