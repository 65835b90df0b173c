"""What is served, where, to whom: the command line says it, else the environment, else a file, else nobody.

MMASH_SETTINGS names a file of Python, as 0.8 had it, whose names in capitals count: MMSTATS_GLOB, HOST, PORT,
and now BASE_PATH, TOKEN, INTERVAL, KEEP. The same, with `MMASH_` in front, are variables of the environment.
DEBUG may stand there and does nothing: what goes wrong is never shown to whoever asks.
"""

from __future__ import annotations

import os
import runpy

from mmstats.tools.select import WordsError
from mmstats.tools.where import seconds_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

HOST, PORT, INTERVAL, KEEP = "127.0.0.1", 5002, 1.0, 900.0
MOST_KEPT = 1e6  # samples
NAMES = ("HOST", "PORT", "BASE_PATH", "TOKEN", "INTERVAL", "KEEP")
PREFIX = "MMASH_"


class Settings:
    """`files`: None for the default places. `token`: who has it is let in; `open_to_all`: so are all others.

    `keep`: seconds of history. `replay`: a recording that is served in the place of files; `speed`: so many
    times as fast as it was.
    """

    __slots__ = (
        *(
            "base_path",
            "files",
            "host",
            "interval",
            "keep",
            "open_to_all",
            "port",
            "replay",
            "speed",
            "token",
        ),
        "trusts_proxy",
    )

    def __init__(
        self,
        files: Sequence[str] | None = None,
        host: str = HOST,
        port: int = PORT,
        base_path: str = "",
        token: str = "",
        interval: float = INTERVAL,
        keep: float = KEEP,
        *,
        open_to_all: bool = False,
        replay: str = "",
        speed: float = 1.0,
        trusts_proxy: bool = False,
    ) -> None:
        """WordsError where that makes no sense."""
        if not 0 <= port <= 65_535:
            raise WordsError(f"port {port}: expected 0 to 65535; 0 is any that is free")
        if not 0.05 <= interval <= 86_400:
            raise WordsError(f"interval {interval:g}: expected 0.05 to 86400 seconds")
        if not 1 <= keep / interval <= MOST_KEPT:
            raise WordsError(
                f"keep {keep:g} at an interval of {interval:g}: expected 1 to {MOST_KEPT:.0f} samples"
            )
        if base_path.strip("/") and any(
            not part or part in (".", "..") for part in base_path.strip("/").split("/")
        ):
            raise WordsError(f"base path {base_path!r}: expected one like /stats")
        self.files = None if files is None else list(files)
        self.host, self.port = host, port
        self.base_path = f"/{base_path.strip('/')}" if base_path.strip("/") else ""
        self.token = token
        self.interval, self.keep = float(interval), float(keep)
        self.open_to_all = open_to_all
        self.replay, self.speed = replay, speed
        self.trusts_proxy = trusts_proxy

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """As the environment says, and the file that it names. WordsError: that makes no sense."""
        return cls(**told(environment))  # type: ignore[arg-type] # each is checked


def told(environment: Mapping[str, str]) -> dict[str, object]:
    """What the environment says, and the file that it names: argument of Settings → value."""
    path = environment.get(f"{PREFIX}SETTINGS")
    said = _of_file(path) if path else {}
    said.update({name: environment[PREFIX + name] for name in NAMES if environment.get(PREFIX + name)})
    found: dict[str, object] = {}
    for name, value in said.items():
        try:
            found[ARGUMENTS[name]] = READ[name](value)
        except (TypeError, ValueError):
            raise WordsError(f"{name} is {value!r}: expected {EXPECTED[name]}") from None
    return found


def seconds(value: object) -> float:
    """A time: a number, or a text like 15m. ValueError: it is none."""
    found = seconds_in(value) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    if found is None:
        raise ValueError(value)
    return found


def _of_file(path: str) -> dict[str, object]:
    try:
        said = runpy.run_path(path)
    except Exception as error:
        raise WordsError(f"{PREFIX}SETTINGS={path}: {type(error).__name__}: {error}") from error
    return {name: said[name] for name in ("MMSTATS_GLOB", *NAMES) if name in said}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


ARGUMENTS = {name: name.lower() for name in NAMES} | {"MMSTATS_GLOB": "files"}
READ: dict[str, Callable[[Any], object]] = {
    **dict.fromkeys(("HOST", "BASE_PATH", "TOKEN"), _text),
    **dict.fromkeys(("INTERVAL", "KEEP"), seconds),
    "PORT": int,
    "MMSTATS_GLOB": lambda value: [_text(value)],
}
EXPECTED = {
    **dict.fromkeys(("HOST", "BASE_PATH", "TOKEN", "MMSTATS_GLOB"), "a text"),
    **dict.fromkeys(("INTERVAL", "KEEP"), "a time, as 15, 1m or 0.5"),
    "PORT": "a number",
}
