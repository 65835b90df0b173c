"""How a region comes into the world and leaves it: places, names that are taken, faults.

A fault of the machine never reaches the application, unless it asked for that with `strict=True`:
the region is then private memory, which counts and which nobody sees, until it can move into a file.
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
    from collections.abc import Callable, Mapping, Sequence

    from mmstats.publish.predecessors import Predecessors
    from mmstats.publish.schema import Metric
    from mmstats.publish.settings import Settings

PRIVATE = layout.DROP_REASON_PRIVATE
TRIES = 100  # names that are taken are found free much sooner


def open_region(
    settings: Settings, metrics: Sequence[Metric], predecessors: Predecessors | None = None, *, strict: bool
) -> Region:
    """A region with these metrics: a file that readers see, or private memory.

    With `predecessors` it carries their totals and takes their place. With `strict` RegionError
    instead of private memory, UsageError instead of another name.
    """
    if settings.disabled:
        return Region(Private(), settings.group, metrics)
    try:
        region = _make_file(settings, metrics, predecessors, strict=strict)
    except OSError as error:
        if strict:
            raise RegionError(error.errno or EACCES, f"cannot publish: {error}") from error
        region = Region(Private(), settings.group, metrics)
        region.miss(f"cannot publish, the stats are in private memory until it can: {error}", PRIVATE)
        return region
    region.show_dropped(dropped.counts)
    return region


def move(
    region: Region,
    settings: Settings,
    metrics: Mapping[str, Metric],
    prepare: Callable[[], Predecessors | None],
) -> None:
    """Let a region that nobody sees go on in a new file. OSError: it stays where it is.

    `prepare` closes the segments, when the machine seems to allow a file, and gives the predecessors.
    """
    file = File(directory_of(settings), settings.mode)
    try:
        predecessors = prepare()
        region.copy_to(file, persistent=settings.persistent)
        try:
            _publish(file, region, settings, metrics, predecessors, strict=False)
        except BaseException:
            region.stay()
            raise
    except BaseException:
        file.unlink()
        file.close()
        raise
    region.move()


def end(region: Region) -> None:
    """Take the file away and let go of it."""
    unlink = getattr(region.backing, "unlink", None)
    if unlink is not None:
        unlink()
    region.close()


def directory_of(settings: Settings) -> str:
    """Where the file will be, made if it is not there. OSError: no place will do."""
    return places.writing_place(
        settings.path, settings.mode, expand=lambda text: settings.expand(text, "0" * 8), warn=report.note
    )


def _make_file(
    settings: Settings, metrics: Sequence[Metric], predecessors: Predecessors | None, *, strict: bool
) -> Region:
    file = File(directory_of(settings), settings.mode)
    try:
        region = Region(file, settings.group, metrics, persistent=settings.persistent)
        named = {metric.label: metric for metric in metrics}
        _publish(file, region, settings, named, predecessors, strict=strict)
    except BaseException:
        file.unlink()
        file.close()
        raise
    return region


def _publish(
    file: File,
    region: Region,
    settings: Settings,
    metrics: Mapping[str, Metric],
    predecessors: Predecessors | None,
    *,
    strict: bool,
) -> None:
    """Let readers see the finished file; with `predecessors` it carries their totals first."""
    if predecessors:
        predecessors.hand_over(region, metrics)
    if predecessors and predecessors.replaces_main:
        predecessors.may_go = file.replace(settings.file_name(region.file_id))
    else:
        _link(file, region, settings, strict=strict)
        if predecessors:
            file.sync(wait=True)  # before the files go whose totals it carries


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
