"""Which twin is at work: the native one where it was built, unless the pure one is asked for.

It is a module of its own, as who reads loads nothing of what writes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def twin(ours: T, name: str, *, pure: bool) -> T:
    """`ours`, or what stands under that name in its place."""
    if pure:
        return ours
    try:
        from mmstats.read import _native
    except ImportError:
        return ours
    found: T = getattr(_native, name)
    return found
