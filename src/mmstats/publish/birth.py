"""How a region comes into the world and leaves it: places, names that are taken, faults.

A fault of the machine never reaches the application, unless it asked for that with `strict=True`:
the region is then private memory, which counts and which nobody sees.
"""

from __future__ import annotations

import os
from errno import EACCES

from mmstats.errors import RegionError, UsageError
from mmstats.format import layout
from mmstats.host import places
from mmstats.publish import report
from mmstats.publish.backing import File, Private
from mmstats.publish.dropped import dropped
from mmstats.publish.names_taken import make_way
from mmstats.publish.region import Region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmstats.publish.schema import Metric
    from mmstats.publish.settings import Settings

TRIES = 100  # names that are taken are found free much sooner


def open_region(settings: Settings, metrics: Sequence[Metric], *, strict: bool) -> Region:
    """A region with these metrics: a file that readers see, or private memory.

    With `strict` RegionError instead of private memory, UsageError instead of another name.
    """
    if settings.disabled:
        return Region(Private(), settings.group, metrics)
    try:
        region = _make_file(settings, metrics, strict=strict)
    except OSError as error:
        if strict:
            raise RegionError(error.errno or EACCES, f"cannot publish: {error}") from error
        dropped.add(layout.DROP_REASON_PRIVATE)
        report.note(f"cannot publish, the stats stay in private memory: {error}")
        return Region(Private(), settings.group, metrics)
    region.show_dropped(dropped.counts)
    return region


def end(region: Region) -> None:
    """Take the file away and let go of it."""
    unlink = getattr(region.backing, "unlink", None)
    if unlink is not None:
        unlink()
    region.close()


def _make_file(settings: Settings, metrics: Sequence[Metric], *, strict: bool) -> Region:
    directory = places.writing_place(
        settings.path, settings.mode, expand=lambda text: settings.expand(text, "0" * 8), warn=report.note
    )
    file = File(directory, settings.mode)
    try:
        region = Region(file, settings.group, metrics)
        _link(file, region, settings, strict=strict)
    except BaseException:
        file.unlink()
        file.close()
        raise
    return region


def _link(file: File, region: Region, settings: Settings, *, strict: bool) -> None:
    """Give the finished file its name; where that is taken, another one (docs/python.md, filename)."""
    name = settings.file_name(region.file_id)
    for _ in range(TRIES):
        try:
            file.link(name)
        except FileExistsError:
            name = _another_name(file.directory, region, settings, strict=strict)
        else:
            return
    raise FileExistsError(f"{os.path.join(file.directory, name)}: taken, {TRIES} times in a row")


def _another_name(directory: str, region: Region, settings: Settings, *, strict: bool) -> str:
    region.renew_uuid()
    name = settings.file_name(region.file_id)
    if "{ID}" in settings.filename:
        return name
    path = os.path.join(directory, name)
    owner = make_way(path)
    if owner is None:
        return name
    beside = _beside(name, f"-{os.getpid()}-{region.file_id}")
    if strict:
        raise UsageError(f"{path} is in use by {owner}: give this process another filename")
    report.note(f"{path} is in use by {owner}: publishing beside it as {beside}")
    return beside


def _beside(name: str, what: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}{what}{dot}{suffix}" if stem else name + what
