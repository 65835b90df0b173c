"""The token, and views of memory: what the pure twin needs of the machine.

`word[0]` is 1 while attached memory counts, else 0; `word[OURS]` is 1 in the process that renewed the
token, be it lowered meanwhile or not. They lie in a page that the kernel wipes in every forked child,
however the fork was made: by os.fork, by a server in C, by a raw system call. Where the kernel cannot,
`word` asks for the pid each time instead.

A view of whole cells stores eight bytes at once: `memoryview.cast` does so in CPython, cffi in PyPy
(where a memoryview is a hundred times slower). `struct.pack_into` writes zeros first, which a reader
sees: it is used on shared memory nowhere.
"""

from __future__ import annotations

import mmap
import sys
from _operator import index
from os import getpid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WIPE_ON_FORK = 18  # MADV_WIPEONFORK, which the mmap module does not name before 3.13
OURS = 1  # where `word` says whose the token is

if sys.implementation.name == "pypy":
    from _cffi_backend import FFI

    _from_buffer = FFI().from_buffer

    class Ints:
        """Signed numbers of 64 bits, and nothing else: cffi alone would cut a Decimal down to one."""

        __slots__ = ("_cells",)

        def __init__(self, memory: Any) -> None:
            self._cells = _from_buffer("int64_t[]", memory, True)

        def __len__(self) -> int:
            return len(self._cells)

        def __getitem__(self, position: int) -> Any:
            return self._cells[position]

        def __setitem__(self, position: int, value: int) -> None:
            self._cells[position] = index(value)


def ints(memory: Any) -> Any:
    """The memory as signed numbers of 64 bits."""
    if sys.implementation.name == "pypy":
        return Ints(memory)
    return memoryview(memory).cast("B").cast("q")


def doubles(memory: Any) -> Any:
    """The memory as doubles."""
    if sys.implementation.name == "pypy":
        return _from_buffer("double[]", memory, True)
    return memoryview(memory).cast("B").cast("d")


class AskedEachTime:
    """The words where no page is wiped: right after any fork, for the price of a system call."""

    def __init__(self) -> None:
        self._pids = [0, 0]

    def __getitem__(self, position: int) -> int:
        return int(getpid() == self._pids[position])

    def __setitem__(self, position: int, value: int) -> None:
        self._pids[position] = getpid() if value else 0


def wiped_word() -> Any:
    """Words that are zero in every forked child."""
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(WIPE_ON_FORK)
    except (OSError, AttributeError, TypeError, ValueError):
        return AskedEachTime()
    return ints(page)


word = wiped_word()


class Token:
    """One for the process."""

    __slots__ = ()

    @property
    def stands(self) -> bool:
        """Whether attached memory counts."""
        return bool(word[0])

    @property
    def is_ours(self) -> bool:
        """Whether this is still the process that called `renew`."""
        return bool(word[OURS])

    def renew(self) -> None:
        """Let attached memory count: this process has its own."""
        word[OURS] = 1
        word[0] = 1

    def lower(self) -> None:
        """Let every update ask its opener, until the token is renewed."""
        word[0] = 0
