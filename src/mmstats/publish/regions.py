"""The files of one publication in this very process: one, or one for each thread.

A template with `{TID}` gives every thread a file of its own, as in 0.8. Such a file is closed when its
thread ends, and stays for readers; what its counters came to is remembered for `.total`.
"""

from __future__ import annotations

import os
import sys
from _thread import _local, get_native_id

from mmstats.cells import token
from mmstats.publish import birth, process
from mmstats.publish.names_taken import renamed
from mmstats.publish.retire import retire
from mmstats.publish.turnover import wrapped_sum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from mmstats.publish.backing import File, Private
    from mmstats.publish.families import Member
    from mmstats.publish.predecessors import Predecessors
    from mmstats.publish.region import Region
    from mmstats.publish.schema import Metric, Schema
    from mmstats.publish.settings import Settings

    Key = tuple[int, int]

UNSEEN = 100  # so many files of ended threads are kept in memory until they can be published

if "gevent.monkey" in sys.modules:
    thread_local = sys.modules["gevent.monkey"].get_original("_thread", "_local")
else:
    thread_local = _local


class Regions:
    """Opened at the first need; dropped, unopened and unremoved, in a forked child."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[Key, Region] = {}
        self._ended: list[tuple[File | Private, str]] = []
        self._unseen: list[tuple[Key, Region]] = []  # of threads that ended before readers could see them
        self._counted: dict[tuple[int, int], int | float] = {}  # by schema and cell, of threads that ended
        self._counted_members: dict[tuple[Metric, tuple[str, ...]], int | float] = {}
        self._measured: dict[tuple[Metric, tuple[str, ...] | None], Any] = {}
        self._guards = thread_local()

    def __iter__(self) -> Iterator[Region]:
        return iter(list(self._open.values()))

    @property
    def any_yet(self) -> bool:
        """Whether this process has opened one, be it of a thread that has ended."""
        return bool(self._open or self._ended)

    def here(self) -> Region | None:
        """The region that the calling thread publishes into, if it is open."""
        return self._open.get(self._key())

    def open(
        self, metrics: Sequence[Metric], predecessors: Predecessors | None = None, *, strict: bool
    ) -> Region:
        """A region with these metrics for the calling thread."""
        if self._settings.per_thread:
            self._end_unseen_dead()
        key = self._key()
        opened = birth.open_region(self._settings, metrics, predecessors, strict=strict)
        region = self._open.setdefault(key, opened)
        if region is not opened:
            birth.end(opened)  # a signal handler was here first
        elif self._settings.per_thread:
            self._guards.end = ThreadEnd(lambda: self._end_thread(key, opened))
        return region

    def each(self) -> Iterator[tuple[Settings, Region]]:
        """Every region that readers are to see, with the settings of its thread."""
        for (_, thread), region in [*self._open.items(), *self._unseen]:
            yield self._settings.of_thread(thread) if thread else self._settings, region

    def close_ended(self) -> None:
        """Close those of threads that ended, as far as readers see them now."""
        for ended in list(self._unseen):
            if ended[1].is_seen:
                self._unseen.remove(ended)
                self._close(ended[1])

    def total(self, schema: Schema, index: int, cell_type: int) -> int | float:
        """The sum of one cell over all threads that ever were; u64 modulo 2**64."""
        parts = [self._counted.get((schema.number, index), 0)]
        parts += [region.total(schema, index, cell_type) for region in self]
        return wrapped_sum(cell_type, parts)

    def total_of_member(self, member: Member) -> int | float:
        """The sum of a family's member, like `total`."""
        metric, values = member.metric, member.values
        parts = [self._counted_members.get((metric, values), 0)]
        parts += [region.members.total(metric, values) for region in self]
        return wrapped_sum(metric.cell_type, parts)

    def measured(self, metric: Metric, values: tuple[str, ...] | None) -> Any:
        """Parts of what all threads that ever were measured of a metric, or of a member."""
        from mmstats.publish import measured  # whoever has such a metric has loaded it

        parts = [self._measured.get((metric, values))]
        return measured.merged(parts + [measured.parts_in(region, metric, values) for region in self])

    def forget_member(self, metric: Metric, values: tuple[str, ...]) -> None:
        """Free its slots in all files; those of threads that ended are what they are."""
        self._counted_members.pop((metric, values), None)
        self._measured.pop((metric, values), None)
        for region in self:
            region.members.forget(metric, values)

    def end(self, *, keep: bool, discard: bool = False) -> None:
        """Let go of all of them, and fold them, unless `keep`; `discard`: those of ended threads go."""
        if not keep and self._settings.persistent:
            for region in self:
                birth.end(region)
        paths = self._close_all()
        if discard:
            for backing, file_id in self._ended:
                _unlink(backing, file_id)
        elif not keep:
            paths += [path for backing, file_id in self._ended for path in _paths_of(backing, file_id)]
        if not keep:
            retire(paths)
        self._ended.clear()
        self._forget_counts()

    def finish(self) -> None:
        """The process ends in order: fold what was counted, and remember it for `.total`."""
        for region in self:
            self._remember(region)
        retire(self._close_all())

    def _close_all(self) -> list[str]:
        """Close all files; where they are."""
        paths = []
        for region in self._forget_all():
            region.lanes.catch_up()
            region.finish()
            region.close()
            paths.append(region.path)
        return [path for path in paths if path is not None]

    def abandon(self) -> bool:
        """Let go of what was inherited from the parent process; whether there was anything."""
        regions = self._forget_all()
        for region in regions:
            region.close()
        self._ended.clear()
        self._forget_counts()
        return bool(regions)

    def _forget_counts(self) -> None:
        self._counted.clear()
        self._counted_members.clear()
        self._measured.clear()

    def _forget_all(self) -> list[Region]:
        regions = [region for _, region in self.each()]
        self._open.clear()
        self._unseen.clear()
        self._guards = thread_local()
        return regions

    def _key(self) -> Key:
        return process.generation, get_native_id() if self._settings.per_thread else 0

    def _end_thread(self, key: Key, region: Region) -> None:
        """The thread of this region has ended: its file stays, closed."""
        if self._open.get(key) is not region or self._open.pop(key, None) is not region:
            return
        self._remember(region)
        if region.is_seen or self._settings.disabled:
            self._close(region)
        else:
            self._unseen.append((key, region))
            del self._unseen[:-UNSEEN]

    def _close(self, region: Region) -> None:
        region.lanes.catch_up()
        region.finish()
        region.close()
        self._ended.append((region.backing, region.file_id))
        if region.path is not None and not self._settings.persistent:
            retire([region.path])

    def _remember(self, region: Region) -> None:
        """What its counters came to."""
        for schema, index, cell_type in region.counters():
            total = self._counted.get((schema.number, index), 0), region.total(schema, index, cell_type)
            self._counted[schema.number, index] = wrapped_sum(cell_type, total)
        for metric, values in region.members:
            total = self._counted_members.get((metric, values), 0), region.members.total(metric, values)
            self._counted_members[metric, values] = wrapped_sum(metric.cell_type, total)
        for metric, of_member in region.distributed():
            from mmstats.publish import measured  # see above

            parts = self._measured.get((metric, of_member)), measured.parts_in(region, metric, of_member)
            self._measured[metric, of_member] = measured.merged(list(parts))

    def _end_unseen_dead(self) -> None:
        """Threads whose end nobody told us of are those that the kernel does not list."""
        try:
            living = {int(name) for name in os.listdir("/proc/self/task")}
        except OSError:
            return
        for key, region in list(self._open.items()):
            if key[1] not in living:
                self._end_thread(key, region)


class ThreadEnd:
    """Stands in a thread-local, and speaks when its thread ends."""

    __slots__ = ("_pid", "_tell", "_thread")

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._pid = os.getpid()
        self._thread = get_native_id()

    def __del__(self) -> None:
        if not token.is_ours or self._pid != os.getpid():
            return  # a forked child, whose parent's thread lives on
        if process.inside():
            process.put_off(self._tell)
        else:
            process.alone(self._tell)


def _paths_of(backing: File | Private, file_id: str) -> list[str]:
    """Where the file of an ended thread may be, if nobody folded it yet."""
    path = getattr(backing, "path", None)
    return [] if path is None else [path, renamed(path, file_id)]


def _unlink(backing: File | Private, file_id: str) -> None:
    """Take a file's name away, also the one that it was given when another took its first."""
    path = getattr(backing, "path", None)
    if path is None:
        return
    backing.unlink()  # type: ignore[union-attr]
    backing.path = renamed(path, file_id)  # type: ignore[union-attr]
    backing.unlink()  # type: ignore[union-attr]
