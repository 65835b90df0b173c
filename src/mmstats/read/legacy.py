"""A file of mmstats 0.x → a Snapshot like any other.

What such a file does not say is found out: who wrote it stands in the stats that every model had, its
command in the name that 0.8 gave it. One read is enough, and no more than 0.8 promised: a value that is
not aligned may be torn, a text may be half the old one.
"""

from __future__ import annotations

from math import isfinite

from mmstats import kinds
from mmstats.format.legacy import decode_legacy
from mmstats.stat import About, Origin, Problem, Rows, Snapshot, processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mmstats.format.legacy import Field, Legacy
    from mmstats.host.liveness import Judge
    from mmstats.read.source import Source

SUFFIX = ".mmstats"
FLOATS = frozenset("fd")
MOST_ABOUTS = 4_096
_abouts: dict[tuple[str, str, bool], About] = {}


def read_legacy(data: bytes, source: Source, path: str, judge: Judge) -> Snapshot:
    """The Snapshot of one file that begins with the byte 01."""
    said = decode_legacy(data)
    pid, uid, created = writer_of(said, source.uid)
    cmd = command_of(path, pid)
    origin = Origin(
        cmd=cmd,
        created=created,
        file=path,
        group=cmd,
        host=judge.machine.hostname,
        pid=pid,
        state=judge.verdict_by_pid(pid, created),
        uid=uid,
        uuid=f"{source.dev:x}-{source.ino:x}",  # what tells it from others as long as it is there
    )
    rows = Rows(cmd)
    for field in said.fields:
        about = _about(field)
        rows.add(about, kinds.stated(about.aggregate, field.value, created), field.value)
    problems = [Problem(path, f"damaged: {said.damage}")] if said.damage else []
    return Snapshot(kinds.merged, origin, problems, processes((origin,)), rows)


def writer_of(said: Legacy, owner: int) -> tuple[int, int, float]:
    """Pid, user and beginning of who wrote it, as far as it says; else 0, and whose the file is."""
    known = {field.label.rpartition("sys.")[2]: field.value for field in said.fields if _is_of_system(field)}
    uid = _whole(known.get("uid", owner))
    return _whole(known.get("pid")), uid, _finite(float(known.get("created", 0.0)))


def _is_of_system(field: Field) -> bool:
    """Whether it is one of the statics that MmStats brought, whatever their prefix."""
    prefix, dot, name = field.label.rpartition("sys.")
    numbers = field.type != "s" and not field.buffered
    return (
        numbers and bool(dot) and prefix[-1:] in ("", ".") and name in ("pid", "tid", "uid", "gid", "created")
    )


def _about(field: Field) -> About:
    """What is said of it, the same for all that are called so."""
    key = (field.label, field.type, field.buffered)
    about = _abouts.get(key)
    if about is None:
        if len(_abouts) >= MOST_ABOUTS:
            _abouts.clear()
        about = _abouts[key] = _new_about(field)
    return about


def _new_about(field: Field) -> About:
    """What 0.8's type letters meant: a bool and a byte had one buffer, and so had every static."""
    if field.type == "s":
        kind, aggregate = "text", "set"  # a file does not tell when a text was written: all are shown
    elif field.type == "?":
        kind, aggregate = "bool", "any"
    elif not field.buffered and field.type != "b":
        kind, aggregate = "static", "set"
    else:
        kind, aggregate = "number", "sum"
    return About(aggregate, "", keep=False, kind=kind, label=field.label, tags=(), unit="")


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int) else 0


def _finite(seconds: float) -> float:
    return seconds if isfinite(seconds) else 0.0


def command_of(path: str, pid: int) -> str:
    """What stands before the pid in the file's name; else nobody knows."""
    name = path.rpartition("/")[2]
    before, found, _ = name.partition(f"-{pid}-") if pid else (name, "", "")
    return before if found else ""
