"""Where a writer started here, now, would publish: found as writers find it, and tried."""

from __future__ import annotations

import errno
import os

from mmstats.doctor.finding import NOTE, OK, WRONG, Finding
from mmstats.doctor.kernel import room_of
from mmstats.doctor.probe import first_there, publish_once, standing
from mmstats.errors import PlaceRefused, UsageError
from mmstats.host import mounts
from mmstats.host.places import candidates, private_name
from mmstats.host.trust import check_place, is_shared, mode_of_directory, name_of
from mmstats.publish.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LITTLE = 1 << 20  # bytes, which a few processes fill
ROOM = "docker run --shm-size=…, or a volume of medium: Memory in Kubernetes, gives more"
STAYS = "no other place is tried, as MMSTATS_PATH names it, and counts stay in private memory"
# Whose move it is, by what the machine says.
MOVES = {
    errno.EACCES: "set MMSTATS_PATH to a directory of yours, or let its owner admit you",
    errno.EPERM: "set MMSTATS_PATH to a directory of yours, or let its owner admit you",
    errno.ENOSPC: f"make room: remove what is not needed there; {ROOM}",
    errno.EDQUOT: "the quota of this user is used up: make room, or ask who set it",
    errno.EROFS: "it is mounted read-only: set MMSTATS_PATH to a place that may be written to",
    errno.ENOTDIR: "set MMSTATS_PATH to a directory, or remove the file that is in its place",
    errno.EEXIST: "set MMSTATS_PATH to a directory, or remove the file that is in its place",
    errno.EMFILE: "raise ulimit -n",
    errno.ENFILE: "this machine has too many open files",
}


def writer() -> tuple[str, list[Finding]]:
    """The directory that it would take, empty if none; and what was found out about it."""
    try:
        settings = Settings(None, None, None, "MmStats")
        named = os.path.abspath(settings.expand(settings.path, "0" * 8)) if settings.path else ""
    except UsageError as error:
        return "", [Finding(WRONG, "settings", f"a model raises UsageError: {error}", directory=None)]
    if settings.disabled:
        text = "MMSTATS_DISABLE: it would count in private memory, which nobody sees"
        return "", [Finding(WRONG, "disabled", text, "unset MMSTATS_DISABLE", directory=None)]
    return _named(named, settings.mode) if named else _first_of_defaults(settings.mode)


def file_name() -> str:
    """How a file of such a writer would be called; empty where the settings are wrong."""
    try:
        return Settings(None, None, None, "MmStats").file_name("0" * 8)
    except UsageError:
        return ""


def _named(directory: str, mode: int) -> tuple[str, list[Finding]]:
    """As MMSTATS_PATH says, or in a directory of ours in it where others use it too."""
    directory = _or_ours_in_it(directory)
    try:
        return directory, list(_tried(directory, mode, named=True))
    except OSError as error:
        return "", [_refused(directory, error, STAYS)]


def _or_ours_in_it(directory: str) -> str:
    """A named place, or our own in it where others use it too."""
    try:
        check_place(directory)
    except PlaceRefused:
        return os.path.join(directory, private_name()) if is_shared(directory) else directory
    except OSError:
        pass  # whatever it is, it is met again when it is tried
    return directory


def _first_of_defaults(mode: int) -> tuple[str, list[Finding]]:
    passed: list[Finding] = []
    for directory, against in candidates():
        if against:
            passed.append(Finding(NOTE, directory, f"passed over: {against}", directory=directory))
            continue
        try:
            with standing(directory, mode, parents=False):
                pass
        except OSError as error:
            passed.append(_refused(directory, error, "passed over", NOTE))
            continue
        return directory, [*passed, *_of_default(directory, mode)]
    text = "there is no place to publish in: what is counted stays in private memory"
    return "", [*passed, Finding(WRONG, "no place", text, "set MMSTATS_PATH", directory=None)]


def _of_default(directory: str, mode: int) -> list[Finding]:
    """From here on a writer tries no other place."""
    try:
        return list(_tried(directory, mode, named=False))
    except OSError as error:
        return [_refused(directory, error, "counts stay in private memory")]


def _refused(directory: str, error: OSError, end: str, mark: str = WRONG) -> Finding:
    """Why it cannot be, and whose move it is."""
    if isinstance(error, PlaceRefused):
        hint = "remove it or give it back, if it is yours to say; else set MMSTATS_PATH to another place"
        return Finding(WRONG, directory, f"{error.reason}; {end}", hint, directory=directory)
    reason, hint = _reason(directory, error), MOVES.get(error.errno or 0, "")
    return Finding(mark, directory, f"{reason}; {end}", hint, directory=directory, errno=error.errno)


def _reason(directory: str, error: OSError) -> str:
    """What the machine says, and whose the directory is where that matters."""
    if error.errno not in (errno.EACCES, errno.EPERM):
        return error.strerror or str(error)
    at = directory if os.path.isdir(directory) else first_there(os.path.dirname(directory))
    return f"{error.strerror}: {at} is owned by {name_of(os.stat(at).st_uid)}"


# --- the place that it is --------------------------------------------------------------------------


def _tried(directory: str, mode: int, *, named: bool) -> Iterator[Finding]:
    """That it works there, or what does not; then whether it is safe and fast."""
    there = os.path.isdir(directory)
    with standing(directory, mode, parents=named) as place:
        room, wrong = _room(place), publish_once(place, mode)
        made = "" if there else "not there yet, and will be made; "
        text = wrong or f"{made}a file was made, locked, read back and removed"
        yield Finding(WRONG if wrong else OK, directory, text, directory=directory, there=there)
        yield _speed(place, named=named)
        yield room
        yield _safety(place, mode)


def _speed(place: str, *, named: bool) -> Finding:
    system = mounts.file_system(place) or "an unknown file system"
    facts: dict[str, Any] = {
        "file_system": system,
        "in_memory": mounts.is_in_memory(place),
        "local": mounts.is_local(place),
    }
    if facts["in_memory"]:
        return Finding(OK, "fast", f"in memory ({system}): no store waits for a disk", **facts)
    text = f"on a disk ({system}): a store may wait for it now and then"
    if not facts["local"]:
        text = (
            f"{system} may be shared with other machines: whose files are alive there cannot always be known"
        )
    hint = "set MMSTATS_PATH to a tmpfs, unless the counts are to outlive the machine's"
    return Finding(NOTE if named and facts["local"] else WRONG, "fast", text, hint, **facts)


def _room(place: str) -> Finding:
    found = os.statvfs(place)
    free, size = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    facts: dict[str, Any] = {"free": free, "size": size, "free_files": found.f_favail}
    text = room_of(place)
    if free < LITTLE or (found.f_files and not found.f_favail):
        what = "" if free < LITTLE else ", and no more files"
        return Finding(
            WRONG, "room", f"{text}{what}; a process takes 4Ki and more", MOVES[errno.ENOSPC], **facts
        )
    return Finding(OK, "room", text, **facts)


def _safety(place: str, mode: int) -> Finding:
    found = os.stat(place)
    at = found.st_mode & 0o7777
    text = f"mode {at:04o}, owner {name_of(found.st_uid)}; files get mode {mode:04o}"
    facts: dict[str, Any] = {"mode": f"{at:04o}", "uid": found.st_uid, "file_mode": f"{mode:04o}"}
    if mode_of_directory(mode) & ~at:
        hint = f"chmod {mode_of_directory(mode):04o} the directory, or leave MMSTATS_MODE out"
        return Finding(WRONG, "safe", f"{text}, but who may read those may not enter", hint, **facts)
    return Finding(OK, "safe", text, **facts)
