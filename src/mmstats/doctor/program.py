"""What publishes here: which Python, which twin of the cells and why, what the environment says."""

from __future__ import annotations

import os
import platform
import sys

from mmstats import __version__
from mmstats.doctor.finding import NOTE, OK, WRONG, Finding
from mmstats.errors import UsageError
from mmstats.host.trust import name_of
from mmstats.names import check_group
from mmstats.near import close
from mmstats.publish.settings import expanded, mode_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def software() -> Iterator[Finding]:
    """Versions, and who we are."""
    python, kernel = platform.python_version(), f"{platform.system()} {platform.release()}"
    yield Finding(
        *(OK, "mmstats", f"{__version__}, {platform.python_implementation()} {python} ({sys.executable})"),
        version=__version__,
        python=python,
        implementation=platform.python_implementation(),
    )
    uid, host = os.geteuid(), platform.node()
    yield Finding(OK, "run by", f"{name_of(uid)} on {host}, {kernel}", uid=uid, host=host, kernel=kernel)
    yield cells()


def cells() -> Finding:
    """The twin that a program started here would count with."""
    try:
        from mmstats.cells import CELLS, load_native
    except UsageError as error:
        hint = "unset MMSTATS_CELLS, or install a build of mmstats that has the native twin"
        return Finding(WRONG, "cells", f"{error}; a program that imports mmstats stops here", hint, twin=None)
    try:
        load_native()
    except ImportError as error:
        native = str(error)
    else:
        native = ""
    facts: dict[str, Any] = {"twin": str(CELLS), "reason": CELLS.reason, "native": not native}
    if CELLS == "native" or os.environ.get("MMSTATS_CELLS") == "pure":
        beside = "" if CELLS == "native" else f"; the native one {'cannot' if native else 'could'} be loaded"
        return Finding(OK, "cells", f"{CELLS}: {CELLS.reason}{beside}", **facts)
    hint = "all works, and an update costs several times as much; a C compiler and pip install build it"
    return Finding(NOTE, "cells", f"{CELLS}: {CELLS.reason}", hint, **facts)


# --- the environment -------------------------------------------------------------------------------


def environment() -> Iterator[Finding]:
    """Each variable of ours that is set, and what it does."""
    for name in sorted(name for name in os.environ if name.startswith("MMSTATS_")):
        value = os.environ[name]
        yield _variable(name, value)


def _variable(name: str, value: str) -> Finding:
    title = f"{name}={value}"
    if name not in VARIABLES:
        meant = _meant(name)
        hint = f"did you mean {meant}?" if meant else ""
        return Finding(WRONG if meant else NOTE, title, "nothing reads it", hint, variable=name, value=value)
    if not value:
        return Finding(NOTE, title, "empty, which is as if it were not set", variable=name, value=value)
    try:
        mark, text = VARIABLES[name](value)
    except UsageError as error:
        reason = str(error).removeprefix(f"{name}={value!r}: ")
        hint = "until then every model raises UsageError"
        return Finding(WRONG, title, reason, hint, variable=name, value=value)
    return Finding(mark, title, text, variable=name, value=value)


def _meant(name: str) -> str:
    """The variable of which `name` may be a misspelling."""
    words = {known.partition("_")[2]: known for known in VARIABLES}
    word = name.partition("_")[2]
    near = close(word, words, 1) if len(word) > 2 else []
    return words[near[0]] if near else ""


def _path(value: str) -> tuple[str, str]:
    where = expanded(value, "0" * 8, "MmStats")
    text = "writers publish there and nowhere else, and readers look there"
    if not os.path.isabs(where):
        return WRONG, f"{text}; it is relative: another place in each working directory"
    return OK, text


def _files(value: str) -> tuple[str, str]:
    expanded(value, "0" * 8, "MmStats")
    lost = "; the directory in it is left out: MMSTATS_PATH names that" if "/" in value else ""
    return OK, f"the name of files; readers take those that are called so{lost}"


def _glob(value: str) -> tuple[str, str]:
    text = "readers look at what it matches and nowhere else; writers do not ask it"
    if not os.path.isabs(value):
        return WRONG, f"{text}; it is relative: another place in each working directory"
    return OK, text


def _group(value: str) -> tuple[str, str]:
    check_group(value)
    return OK, "the group of all that is published here"


def _mode(value: str) -> tuple[str, str]:
    mode = mode_of(value)
    others = {0o040: "their group", 0o004: "everybody", 0o044: "everybody"}.get(mode & 0o044)
    return OK, f"files of mode {mode:04o}: their owner writes, {others or 'nobody else'} reads them"


def _cells(value: str) -> tuple[str, str]:
    if value not in ("native", "pure"):
        return WRONG, "expected native or pure; a program that imports mmstats stops there"
    return OK, f"counts with the {value} twin or not at all"


def _disable(value: str) -> tuple[str, str]:
    if value == "0":
        return NOTE, "as if it were not set"
    return WRONG, "what is counted stays in private memory, and no reader sees it"


VARIABLES: dict[str, Callable[[str], tuple[str, str]]] = {
    "MMSTATS_PATH": _path,
    "MMSTATS_FILES": _files,
    "MMSTATS_GLOB": _glob,
    "MMSTATS_GROUP": _group,
    "MMSTATS_MODE": _mode,
    "MMSTATS_CELLS": _cells,
    "MMSTATS_DISABLE": _disable,
}
