"""A file of version 1 while it is written: of one thread, or of all, as its name says."""

from __future__ import annotations

import contextlib
import mmap
import os
import secrets
from _thread import RLock

from mmstats.errors import RegionError
from mmstats.format.layout import DROP_REASON_PRIVATE
from mmstats.format.legacy import decode_legacy
from mmstats.format.legacy_layout import laid_out
from mmstats.host.liveness import GONE, Judge
from mmstats.host.places import temp_directory
from mmstats.publish import report
from mmstats.publish.dropped import dropped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mmstats.format.legacy_layout import Slot
    from mmstats.publish.settings import Settings

    Fields = Iterable[tuple[bytes, str, bool]]

PAGE = mmap.PAGESIZE
LARGEST = 1 << 20  # bytes of a file that is looked at for whose it is
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # whoever put what there
TRIES = 20


class LegacyFile:
    """Its memory, and the slots of its fields. Who updates holds `lock`: 0.8's files have one writer."""

    __slots__ = ("lock", "memory", "path", "slots")

    def __init__(self, settings: Settings, fields: Fields, values: list[object]) -> None:
        """RegionError where there can be no file, and that was asked for; else it is private memory."""
        self.lock = RLock()
        head, self.slots = laid_out(fields)
        content = bytearray(head.ljust(-(-len(head) // PAGE) * PAGE, b"\0"))
        for slot, value in zip(self.slots, values):
            if value is not None:
                slot.set(content, value)
        self.path: str | None = None
        self.memory: mmap.mmap | bytearray = content
        if settings.disabled:
            return
        try:
            self.memory, self.path = published(settings, content)
        except OSError as error:
            if settings.strict:
                raise RegionError(error.errno, f"cannot publish: {error.strerror}", error.filename) from None
            report.note(f"cannot publish, the stats are in private memory: {error}")
            dropped.add(DROP_REASON_PRIVATE)

    def get(self, slot: Slot) -> object:
        return slot.get(self.memory)  # type: ignore[arg-type] # memory of either sort

    def set(self, slot: Slot, value: object) -> None:
        slot.set(self.memory, value)  # type: ignore[arg-type] # likewise

    def flush(self) -> None:
        """Bring it to its disk."""
        if isinstance(self.memory, mmap.mmap):
            self.memory.flush()

    def remove(self) -> None:
        """The name goes; the memory stays for whoever still reads a value."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.path)


def directory_of(settings: Settings) -> str:
    """Where 0.8 looked: what is named, else MMSTATS_PATH, else the temporary directory itself."""
    named = settings.path or os.environ.get("MMSTATS_PATH") or temp_directory()
    return settings.expand(named, "0" * 8)


def published(settings: Settings, content: bytes | bytearray) -> tuple[mmap.mmap, str]:
    """A whole file under its name, never over one that somebody else writes, and never cut short."""
    directory = directory_of(settings)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    temporary = os.path.join(directory, f".new-{secrets.token_hex(16)}")
    fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(fd, settings.mode)
        os.posix_fallocate(fd, 0, len(content))
        memory = mmap.mmap(fd, len(content))
        memory[:] = bytes(content)
        return memory, _named(settings, directory, temporary)
    finally:
        os.close(fd)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _named(settings: Settings, directory: str, temporary: str) -> str:
    for number in range(TRIES):
        file_id = secrets.token_hex(4)
        name = settings.file_name(file_id)
        if number:
            stem, dot, suffix = name.rpartition(".")
            name = f"{stem or suffix}-{os.getpid()}-{file_id}{dot}{suffix if stem else ''}"
        path = os.path.join(directory, name)
        try:
            os.link(temporary, path)
        except FileExistsError:
            if not _is_left(path):
                continue
            os.rename(temporary, path)
        return path
    raise FileExistsError(17, "the name is taken", os.path.join(directory, settings.file_name("0" * 8)))


def _is_left(path: str) -> bool:
    """Whether a file of version 1 says that its writer is gone. One that says nothing is somebody's."""
    try:
        fd = os.open(path, READ)
    except OSError:
        return False
    try:
        data = os.pread(fd, LARGEST, 0)
    except OSError:  # a directory, a pipe
        return False
    finally:
        os.close(fd)
    if data[:1] != b"\x01":
        return False
    told = {field.label.rpartition("sys.")[2]: field.value for field in decode_legacy(data).fields}
    pid, created = told.get("pid"), told.get("created")
    if not isinstance(pid, int) or not isinstance(created, float):
        return False
    return Judge().verdict_by_pid(pid, created) == GONE
