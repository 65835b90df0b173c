"""Where files go, and where readers look for them: one list, walked by both.

1. the place that is named (`path=` or `MMSTATS_PATH`), and then no other;
2. `/dev/shm/mmstats-UID`, where /dev/shm is in memory;
3. `$XDG_RUNTIME_DIR/mmstats`;
4. `mmstats-UID` in the temporary directory, with a warning unless that is in memory.

UID is the effective one, asked for each time: servers drop privileges. A place is a directory, no
link, owned by us and not writable by others. A *named* place may be shared (owned by root, or
writable by others, as an emptyDir of Kubernetes is): then files go into `mmstats-UID` in it, and
readers look into every `mmstats-UID` there that belongs to that UID. Readers look in the temporary
directory itself too: 0.8 wrote there.

The environment is read at each call. Nothing is logged unless something is wrong.
"""

from __future__ import annotations

import os

from mmstats.errors import PlaceRefused
from mmstats.host import mounts
from mmstats.host.trust import check_place, has_safe_owner, is_shared, make, name_of
from mmstats.names import RETIRED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY = "/dev/shm"  # noqa: S108 - a place of the list; what is in it is checked
SUFFIX = ".mmstats"
TOTALS = "*" + RETIRED
PRIVATE = 0o600
WORDS = ("{CMD}", "{PID}", "{TID}", "{ID}", "{UID}", "{CLASS}")

_said: set[str] = set()


class Place:
    """Where readers look: files called like the glob `names` below `directory`.

    `owners`: whose files count, None for anybody's. `retired`: the glob of files with retired totals there.
    """

    __slots__ = ("directory", "names", "owners", "retired")

    def __init__(
        self, directory: str, names: str, owners: frozenset[int] | None = None, retired: str | None = None
    ) -> None:
        self.directory = directory
        self.names = names
        self.owners = owners
        self.retired = names if retired is None else retired

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Place):
            return NotImplemented
        return (self.directory, self.names, self.owners) == (other.directory, other.names, other.owners)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Place({self.directory!r}, {self.names!r}, owners={self.owners!r})"


# --- writers ---------------------------------------------------------------------------------------


def writing_place(
    explicit: str | None = None,
    mode: int = PRIVATE,
    *,
    expand: Callable[[str], str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> str:
    """The directory for a new file, made if need be; raises OSError, or PlaceRefused naming the owner.

    `explicit`: what the program named; None asks `MMSTATS_PATH`, whose words like `{PID}` are left to
    `expand`. `mode`: that of the files; who may read those may enter a directory made here.
    `warn`: takes the one line about a place that was passed over; the logger `mmstats` by default.
    """
    explicit = explicit or os.environ.get("MMSTATS_PATH")
    if explicit:
        return _named(expand(explicit) if expand else explicit, mode)
    return _first_of_defaults(mode, warn or say_once)


def _named(path: str, mode: int) -> str:
    directory = os.path.abspath(path)  # a slash at the end would hide a link
    make(directory, mode, parents=True)
    try:
        check_place(directory)
    except PlaceRefused:
        if not is_shared(directory):
            raise
        directory = os.path.join(directory, private_name())
        make(directory, mode)
        check_place(directory)
    return directory


def _first_of_defaults(mode: int, warn: Callable[[str], None]) -> str:
    failed: OSError | None = None
    for directory in _defaults():
        try:
            make(directory, mode)
            check_place(directory)
        except PlaceRefused as refused:
            warn(f"{refused}; passed over")
            failed = refused
        except OSError as error:
            failed = failed or error
        else:
            _warn_of_disk(directory, warn)
            return directory
    raise failed or PlaceRefused(temp_directory(), "is owned by somebody else, and there is no other place")


def _warn_of_disk(directory: str, warn: Callable[[str], None]) -> None:
    if directory.startswith(temp_directory() + os.sep) and not mounts.is_in_memory(directory):
        warn(f"{directory} is on a disk: a store may wait for it now and then; set MMSTATS_PATH to a tmpfs")


# --- readers ---------------------------------------------------------------------------------------


def reading_places(warn: Callable[[str], None] | None = None) -> list[Place]:
    """Where readers look when no path is given: `MMSTATS_GLOB`, else the list of the writers."""
    pattern = os.environ.get("MMSTATS_GLOB")
    if pattern:
        return [Place("", pattern, retired=os.path.join(os.path.dirname(pattern), TOTALS))]
    named = os.environ.get("MMSTATS_PATH")
    if named:
        return places_at(named) if named == _starred(named) else [_templated(named)]
    return _default_places(warn or say_once)


def places_at(directory: str) -> list[Place]:
    """Where to look when a directory is named: in it, and one level down where it is shared."""
    names = file_names()
    shared = is_shared(directory)
    down = [_whose(path) for path in _private_below(directory)] if shared else []
    below = [Place(path, names, frozenset((uid,)), TOTALS) for path, uid in down]
    return [Place(directory, names, None, TOTALS), *below]


def file_names() -> str:
    """The glob that our files' names match: `MMSTATS_FILES` with a star for each of its words."""
    from mmstats.globs import escaped  # which who publishes does not need

    template = os.environ.get("MMSTATS_FILES")
    return _starred(escaped(template)) if template else "*" + SUFFIX


def _default_places(warn: Callable[[str], None]) -> list[Place]:
    names, ours = file_names(), frozenset((os.geteuid(),))
    places = [Place(path, names, frozenset((uid,)), TOTALS) for path, uid in _places_to_look(warn)]
    # 0.8 wrote into the temporary directory itself, where anybody may put anything.
    anybody = None if os.geteuid() == 0 else ours | {0}
    places.append(Place(temp_directory(), names, anybody))
    return places


def _places_to_look(warn: Callable[[str], None]) -> Iterator[tuple[str, int]]:
    """The places of the list that are there and pass, each with its owner."""
    for directory in _defaults():
        try:
            check_place(directory)
        except PlaceRefused as refused:
            warn(f"{refused}; passed over")
        except OSError:
            continue
        else:
            yield directory, os.geteuid()
    if os.geteuid() == 0:
        own = os.path.join(MEMORY, private_name())
        yield from (_whose(path) for path in _private_below(MEMORY) if path != own)


def _private_below(directory: str) -> list[str]:
    """Every `mmstats-UID` in `directory` that belongs to UID and that nobody else may write to."""
    try:
        names = [name for name in os.listdir(directory) if name[:8] == "mmstats-"]  # of very many, perhaps
    except OSError:
        return []
    found = [os.path.join(directory, name) for name in sorted(names) if name[8:].isdecimal()]
    return [path for path in found if _passes(path, int(path.rpartition("-")[2]))]


def _passes(directory: str, uid: int) -> bool:
    try:
        check_place(directory, uid)
    except OSError:
        return False
    return True


def _whose(directory: str) -> tuple[str, int]:
    return directory, int(directory.rpartition("-")[2])


def _templated(path: str) -> Place:
    """`MMSTATS_PATH` with words in it: all the directories it may stand for."""
    from mmstats.globs import escaped

    directories = _starred(escaped(path)) + os.sep
    return Place("", directories + file_names(), retired=directories + TOTALS)


def _starred(template: str) -> str:
    for word in WORDS:
        template = template.replace(word, "*")
    return template


# --- the list ---------------------------------------------------------------------------------------


def candidates() -> Iterator[tuple[str, str]]:
    """Every place of the list, in order, and what speaks against it, looked at or not; empty: nothing."""
    yield os.path.join(MEMORY, private_name()), _against_memory()
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    yield os.path.join(runtime or "$XDG_RUNTIME_DIR", "mmstats"), _against_runtime(runtime)
    temp = temp_directory()
    yield os.path.join(temp, private_name()), _against_owner(temp)


def _against_memory() -> str:
    return "" if mounts.is_in_memory(MEMORY) else f"{MEMORY} is not in memory"


def _against_runtime(runtime: str) -> str:
    if not os.path.isabs(runtime):
        return "XDG_RUNTIME_DIR is no absolute path" if runtime else "XDG_RUNTIME_DIR is not set"
    return _against_owner(runtime)


def _against_owner(parent: str) -> str:
    """Nobody else may take a place away from us, or put another one there."""
    if has_safe_owner(parent):
        return ""
    try:
        owner = name_of(os.stat(parent).st_uid)
    except OSError as error:
        return f"{parent}: {error.strerror}"
    return f"{parent} is owned by {owner}, who may take away what is in it"


def _defaults() -> Iterator[str]:
    """The places of the list, in order, that nothing speaks against."""
    return (directory for directory, against in candidates() if not against)


def default_place() -> str:
    """The first place of the list, whether it is there or not."""
    return next(_defaults(), temp_directory())


def private_name() -> str:
    """`mmstats-UID`, by the effective user."""
    return f"mmstats-{os.geteuid()}"


def temp_directory() -> str:
    """$TMPDIR, $TEMP, $TMP, or /tmp: the first that is a directory."""
    for variable in ("TMPDIR", "TEMP", "TMP"):
        path = os.environ.get(variable)
        if path and os.path.isdir(path):
            return os.path.abspath(path)
    return "/tmp"  # noqa: S108 - what is made in it is checked


def say_once(message: str) -> None:
    """Log a warning under `mmstats`, the first time it is said in this process."""
    if message not in _said:
        _said.add(message)
        import logging  # dear, and hardly ever needed

        logging.getLogger("mmstats").warning("%s", message)
