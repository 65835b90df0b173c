"""What a fold would make of a dead file, and of a group's totals: nothing is held or changed."""

from __future__ import annotations

import os

from mmstats.errors import FormatError
from mmstats.fold.folder import KEPT, Result
from mmstats.fold.ledger import Ledger
from mmstats.fold.rehearsal import rehearse
from mmstats.host.directory import Directory
from mmstats.names import retired_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NOWHERE = "nothing is folded in its directory"


def outlooks(paths: Iterable[str]) -> dict[str, Result]:
    """Path → what a folder would answer, if it began now."""
    by_directory: dict[str, list[str]] = {}
    for path in paths:
        directory, name = os.path.split(path)
        by_directory.setdefault(directory, []).append(name)
    return {
        os.path.join(directory, result.name): result
        for directory, names in by_directory.items()
        for result in _in(directory, names)
    }


def _in(directory: str, names: list[str]) -> list[Result]:
    try:
        return rehearse(directory, names)
    except OSError:  # the directory has a line of its own, which says why
        return [Result(name, KEPT, NOWHERE) for name in names]


def why_not_into(path: str, group: str) -> str:
    """Why the dead of a group cannot be folded into this file with its totals; empty: they can."""
    directory, name = os.path.split(path)
    if name != retired_name(group):
        return f"the dead of group {group} are folded into {retired_name(group)}"
    try:
        with Directory(directory or ".") as opened:
            Ledger(opened, group)
    except OSError as error:
        return error.strerror or str(error)
    except FormatError as error:
        return str(error)
    return ""
