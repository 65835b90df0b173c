"""What a model and its environment say about where and how to publish.

The environment is read when a region is opened, not at import. Templates are expanded then too: a
forked child has another pid.
"""

from __future__ import annotations

import os
import sys
from _thread import get_native_id

from mmstats.errors import UsageError
from mmstats.names import GROUP_LIMIT, check_group, is_control

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Path = Union[str, "os.PathLike[str]"]

DEFAULT_FILENAME = "{CMD}-{PID}-{ID}.mmstats"
PRIVATE_MODE = 0o600
NAME_LIMIT = 255  # bytes of a file's name, on every file system of Linux
READABLE = 0o644  # what MMSTATS_MODE may give to whom; nobody else ever writes


class Settings:
    """Everything that decides which file a model publishes into, before its words are expanded."""

    __slots__ = (
        "class_name",
        "disabled",
        "filename",
        "group",
        "mode",
        "path",
        "persistent",
        "strict",
        "thread",
    )

    def __init__(
        self,
        path: Path | None,
        filename: Path | None,
        group: str | None,
        class_name: str,
        *,
        persistent: bool = False,
        strict: bool = False,
    ) -> None:
        path, filename = _text_of("path", path), _text_of("filename", filename)
        self.path = _directory(path, filename)
        self.filename = os.path.basename(filename or os.environ.get("MMSTATS_FILES") or DEFAULT_FILENAME)
        self.group = check_group(group or os.environ.get("MMSTATS_GROUP") or default_group())
        self.mode = mode_of(os.environ.get("MMSTATS_MODE"))
        self.disabled = os.environ.get("MMSTATS_DISABLE", "") not in ("", "0")
        self.class_name = class_name
        self.strict = strict
        self.persistent = persistent
        self.thread: int | None = None  # whose file it is; None: the calling one's
        self.expand(self.filename, "0" * 8)  # a word that does not exist is said now
        if persistent and (filename is None or self._asks("PID", "TID", "ID")):
            raise UsageError(
                "persistent=True: the next run must find the file again: give filename= without "
                f"{{PID}}, {{TID}} and {{ID}}: {filename!r}"
            )

    @property
    def per_thread(self) -> bool:
        """Whether each thread has a file of its own."""
        return self._asks("TID")

    def _asks(self, *words: str) -> bool:
        """Whether one of the words stands in the name or its directory."""
        return any(f"{{{word}" in (part or "") for word in words for part in (self.path, self.filename))

    def of_thread(self, thread: int) -> Settings:
        """The same for the file of that thread."""
        other = object.__new__(Settings)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        other.thread = thread
        return other

    @property
    def key(self) -> tuple[str | None, ...]:
        """Equal for two models that share a file."""
        words = (self.path, self.filename, self.group, str(self.disabled), str(self.persistent))
        return (*words, self.class_name if self._asks("CLASS") else None)

    def expand(self, template: str, file_id: str) -> str:
        """The template with its words put in. UsageError for a word that does not exist."""
        return expanded(template, file_id, self.class_name, self.thread)

    def file_name(self, file_id: str) -> str:
        """The file's name, cut in its middle where it is too long for a file system."""
        name = "".join("_" if is_control(c) else c for c in self.expand(self.filename, file_id))
        raw = os.fsencode(name)
        if len(raw) <= NAME_LIMIT:
            return name
        return os.fsdecode(raw[: NAME_LIMIT - 80]) + "~" + os.fsdecode(raw[-79:])


def expanded(template: str, file_id: str, class_name: str, thread: int | None = None) -> str:
    """The template with its words put in, of the calling thread by default.

    UsageError for a word that does not exist.
    """
    words = {
        "CMD": command(),
        "PID": str(os.getpid()),
        "TID": str(thread or get_native_id()),
        "ID": file_id,
        "UID": str(os.geteuid()),
        "CLASS": class_name,
    }
    try:
        return template.format_map(words)
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        known = " ".join(f"{{{word}}}" for word in words)
        raise UsageError(f"template {template!r}: {error} is no word; there are {known}") from None


def _text_of(name: str, path: Path | None) -> str | None:
    """A path as text. UsageError: it is none."""
    if path is None:
        return None
    try:
        return os.fsdecode(path)
    except TypeError:
        raise UsageError(f"{name}={path!r}: expected a path") from None


def _directory(path: str | None, filename: str | None) -> str | None:
    """What was named as the directory; None: the default places."""
    within = os.path.dirname(filename or "")
    if within:
        return os.path.join(path, within) if path else within
    return path or os.environ.get("MMSTATS_PATH") or None


def mode_of(text: str | None) -> int:
    """The mode of files that MMSTATS_MODE says. UsageError for one that cannot be."""
    if not text:
        return PRIVATE_MODE
    try:
        mode = int(text, 8)
    except ValueError:
        raise UsageError(f"MMSTATS_MODE={text!r}: expected an octal mode, as 0640") from None
    if mode & ~READABLE or not mode & 0o200:
        raise UsageError(f"MMSTATS_MODE={text!r}: expected 0600, 0640, 0604 or 0644; nobody else writes")
    return mode | PRIVATE_MODE


def command() -> str:
    """The base name of argv[0]; `python` where there is none."""
    first = (getattr(sys, "argv", None) or [""])[0]
    return os.path.basename(first) or "python"


def default_group() -> str:
    """The command's name, shortened to what fits in a way that keeps two names two."""
    name = "".join("_" if is_control(c) else c for c in command()).encode("utf-8", "replace").decode()
    raw = name.encode()
    if len(raw) <= GROUP_LIMIT:
        return name
    from zlib import crc32  # a library of its own, and hardly ever needed

    return raw[: GROUP_LIMIT - 9].decode("utf-8", "ignore") + f"~{crc32(raw):08x}"
