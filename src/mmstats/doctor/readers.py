"""Where readers started here, now, would look, in which order, and why they pass a place over."""

from __future__ import annotations

import os

from mmstats.doctor.finding import NOTE, OK, WRONG, Finding
from mmstats.errors import PlaceRefused
from mmstats.globs import escaped, matches
from mmstats.host import places
from mmstats.host.trust import check_place, name_of
from mmstats.read.files import Finder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from mmstats.host.places import Place

COMMAND = "python -m mmstats doctor"


def readers(paths: Sequence[str]) -> Iterator[Finding]:
    """Each place, with the number of files in it; then what lies where nobody looks."""
    find = Finder(paths or None)
    found = [candidate.path for candidate in (*find.files(), *find.retired())]
    for problem in find.problems:
        reason = problem.reason.removesuffix("; skipped")
        yield _not_looked(WRONG, problem.file, f"passed over: {reason}")
    if paths:
        text = f"{', '.join(paths)}: {_files(len(found))}; no other place is looked at"
        yield Finding(OK, "as named", text, directory=None, files=len(found), looked=True)
        return
    looked = places.reading_places(quiet)
    named = os.environ.get("MMSTATS_GLOB") or os.environ.get("MMSTATS_PATH")
    if not named:
        yield from _in_order(looked, found)
    for place in looked:
        yield _looked_at(place, found)
    yield from _of_others()
    if named:
        yield from _unseen(found)


def quiet(_: str) -> None:
    """What would be logged is told by findings."""


def _in_order(looked: list[Place], found: list[str]) -> Iterator[Finding]:
    """The list that writers walk too; takes what it tells of out of `looked`."""
    for directory, against in places.candidates():
        there = [place for place in looked if place.directory == directory]
        for place in there:
            looked.remove(place)
            yield _looked_at(place, found)
        if not there:
            yield _passed_over(directory, against)


def sees(directory: str, name: str) -> bool:
    """Whether readers would find a file of that name there: MMSTATS_GLOB alone has them look elsewhere."""
    pattern = os.environ.get("MMSTATS_GLOB")
    return not pattern or _matches(os.path.join(directory, name), pattern)


def _matches(path: str, pattern: str) -> bool:
    parts, wanted = os.path.abspath(path).split("/"), os.path.abspath(pattern).split("/")
    return len(parts) == len(wanted) and all(map(matches, parts, wanted))


def _below(directory: str, names: str) -> str:
    return os.path.join(escaped(directory), names) if directory else names


def _passed_over(directory: str, against: str) -> Finding:
    """Why readers do not look there."""
    if against:
        return _not_looked(NOTE, directory, f"passed over: {against}")
    try:
        check_place(directory)
    except PlaceRefused as refused:
        hint = "no file in it is read; remove it or give it back, if it is yours to say"
        return _not_looked(WRONG, directory, f"passed over: it {refused.reason}", hint)
    except FileNotFoundError:
        return _not_looked(NOTE, directory, "not there: nobody has published there yet")
    except OSError as error:
        return _not_looked(WRONG, directory, f"passed over: {error.strerror}")
    return _not_looked(WRONG, directory, "cannot be listed")


def _not_looked(mark: str, directory: str, text: str, hint: str = "") -> Finding:
    return Finding(mark, directory, text, hint, directory=directory, files=0, looked=False)


def _looked_at(place: Place, found: list[str]) -> Finding:
    usual = place.names == "*" + places.SUFFIX
    title = place.directory if place.directory and usual else os.path.join(place.directory, place.names)
    patterns = [_below(place.directory, names) for names in (place.names, place.retired)]
    count = sum(any(_matches(path, pattern) for pattern in patterns) for path in found)
    whose = ""
    if place.owners and place.owners != frozenset((os.geteuid(),)):
        whose = f", those of {' and '.join(name_of(uid) for uid in sorted(place.owners))}"
    if place.directory == places.temp_directory():
        whose += "; mmstats 0.8 wrote there"
    facts: dict[str, Any] = {
        "directory": place.directory or None,
        "names": place.names,
        "files": count,
        "looked": True,
    }
    try:
        os.listdir(place.directory or "/")
    except FileNotFoundError:
        return Finding(NOTE, title, "not there: nobody has published there yet", **facts)
    except OSError as error:
        return Finding(WRONG, title, f"passed over: {error.strerror}", **{**facts, "looked": False})
    return Finding(OK, title, _files(count) + whose, **facts)


def _of_others() -> Iterator[Finding]:
    """Other users' places in memory, where root's readers look and ours do not."""
    looked = {place.directory for place in places.reading_places(quiet)}
    try:
        names = sorted(name for name in os.listdir(places.MEMORY) if name.startswith("mmstats-"))
    except OSError:
        return
    for name in names:
        directory = os.path.join(places.MEMORY, name)
        if name[8:].isdecimal() and name != places.private_name() and directory not in looked:
            yield _not_looked(NOTE, directory, *_of_another(directory, int(name[8:])))


def _of_another(directory: str, uid: int) -> tuple[str, str]:
    try:
        check_place(directory, uid)
    except PlaceRefused as refused:
        return f"passed over: it {refused.reason}", ""
    except OSError as error:
        return f"passed over: {error.strerror}", ""
    hint = f"{COMMAND} {directory}"
    if os.geteuid():
        hint = f"as root, or as that user: sudo -u '#{uid}' {COMMAND}"
    return f"{name_of(uid)} publishes there, and you do not look there", hint


def _unseen(found: list[str]) -> Iterator[Finding]:
    """Files of ours in the usual places, while a variable has readers look elsewhere."""
    for directory, against in places.candidates():
        if against or not os.path.isdir(directory) or os.path.islink(directory):
            continue
        names = [name for name in os.listdir(directory) if name.endswith(places.SUFFIX)]
        unseen = [name for name in names if os.path.join(directory, name) not in found]
        if unseen:
            variable = "MMSTATS_GLOB" if os.environ.get("MMSTATS_GLOB") else "MMSTATS_PATH"
            text = f"{_files(len(unseen))}, which nobody reads while {variable} names another place"
            yield _not_looked(NOTE, directory, text, f"look there: {COMMAND} {directory}")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
