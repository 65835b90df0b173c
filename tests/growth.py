"""How much memory some work leaves behind each time: for tests of leaks."""

from __future__ import annotations

import contextlib
import gc
import sys

IS_PYPY = sys.implementation.name == "pypy"


def resident():
    """Kilobytes of memory that this process really has; on PyPy, whose heap grows as it likes, of objects."""
    if IS_PYPY:
        return gc.get_stats()._s.total_gc_memory // 1024
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4


@contextlib.contextmanager
def interpreted():
    """Without PyPy's compiler, whose own objects are counted, too, and never cease to come."""
    if not IS_PYPY:
        yield
        return
    import pypyjit

    pypyjit.set_param("off")
    try:
        yield
    finally:
        pypyjit.set_param("default")


def grown(work, times):
    """Kilobytes that the work takes each time: the least of some rounds, after one to warm up."""
    sizes = []
    with interpreted():
        for _ in range(4):
            for _ in range(times):
                work()
            for _ in range(3 if IS_PYPY else 1):  # there what has a finalizer outlives the first
                gc.collect()
            sizes.append(resident())
    return min(after - before for before, after in zip(sizes, sizes[1:]))
