"""Samples in a file, and back: what --record writes and --replay reads. docs/recordings.md has the format.

JSON lines, packed by gzip where the name ends with `.gz`. Each line but the first is a sample; what is said
of a stat is said once, and meant by its number from then on. Whoever is killed leaves a file that can be
replayed up to its last whole line.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from math import isfinite, isnan

from mmstats import __version__, kinds
from mmstats.format.spread import Range, Spread
from mmstats.stat import About, Origin, Problem, Snapshot, Stat
from mmstats.stat import processes as count_processes
from mmstats.tools.moment import Sample
from mmstats.tools.select import WordsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO, Any, Literal

FORMAT, SCHEMA = "mmstats recording", 1
LONGEST = 64 << 20  # bytes of a line that somebody sends
OF_ABOUT = ("aggregate", "help", "keep", "kind", "label", "tags", "unit", "declared", "ttl")
OF_ORIGIN = ("cmd", "created", "file", "group", "host", "pid", "started", "state", "uid", "uuid")
SPECIAL = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}


class RecordingError(WordsError):
    """Why a recording cannot be read or written, in a sentence."""


class Recording:
    """Writes samples into a file, one line each, that is on its way to the disk before the next one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[tuple[Any, ...], int] = {}
        try:
            self._file = _opened(path, "w")
        except OSError as error:
            raise RecordingError(f"--record {path}: {error.strerror}") from None
        self._line({"format": FORMAT, "schema": SCHEMA, "version": __version__})

    def of(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """The same samples, each written down."""
        for sample in samples:
            self.write(sample)
            yield sample

    def write(self, sample: Sample) -> None:
        """One more."""
        said: list[list[Any]] = []
        files = [self._snapshot(one, said) for one in sample.snapshots]
        line = {"t": sample.at, "dt": sample.elapsed, "interval": sample.interval, "files": files}
        self._line({"abouts": said, **line} if said else line)

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()

    def _snapshot(self, one: Snapshot, said: list[list[Any]]) -> dict[str, Any]:
        stats = []
        for stat in one.stats:
            about = tuple([getattr(stat.about, name) for name in OF_ABOUT])
            number = self._known.get(about)
            if number is None:
                number = self._known[about] = len(self._known)
                said.append(list(about))
            rest = [_plain(stat.parts)] if stat.parts is not None else [None, _plain(stat.value)]
            stats.append([number, *rest])
        origin = {name: getattr(one.origin, name) for name in OF_ORIGIN}
        problems = [[problem.file, problem.reason] for problem in one.problems]
        return {**origin, "stats": stats, **({"problems": problems} if problems else {})}

    def _line(self, content: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise RecordingError(f"--record {self._path}: {error.strerror}") from None


def replayed(path: str, speed: float | None = None) -> Iterator[Sample]:
    """What was recorded, sample by sample; `speed`: so many times as fast as it was, None for at once."""
    for sample in samples_of(_lines(path), f"--replay {path}"):
        if speed and sample.elapsed > 0:
            time.sleep(sample.elapsed / speed)
        yield sample


def samples_of(lines: Iterable[str], name: str) -> Iterator[Sample]:
    """Likewise, of the lines of a recording. `name`: of what is complained."""
    abouts: list[About] = []
    for number, line in enumerate(lines, 1):
        try:
            content = json.loads(line)
            if number == 1:
                _check(name, content)
                continue
            abouts += [About(*said) for said in content.get("abouts", ())]
            files = [_snapshot(said, abouts) for said in content["files"]]
            sample = Sample(files, *[_finite(content[name]) for name in ("t", "dt", "interval")])
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise RecordingError(f"{name}: line {number} is none of a recording: {error}") from None
        yield sample


def lines_of(file: IO[bytes], name: str, most: int) -> Iterator[str]:
    """All whole lines of what somebody sent, packed or not, which are `most` bytes at most, unpacked."""
    file.seek(0)
    is_packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    opened = gzip.GzipFile(fileobj=file) if is_packed else file
    left = most
    try:
        while True:
            line = opened.readline(min(left, LONGEST) + 1)
            if len(line) > LONGEST:
                raise RecordingError(f"{name}: a line of more than {LONGEST >> 20} MiB")
            left -= len(line)
            if left < 0:
                raise RecordingError(f"{name}: more than {most >> 20} MiB when unpacked")
            if not line.endswith(b"\n"):
                return
            yield line.decode("utf-8")
    except EOFError:
        return
    except (OSError, zlib.error, UnicodeDecodeError) as error:
        raise RecordingError(f"{name}: {error}") from None


def _opened(path: str, mode: Literal["r", "w"]) -> IO[str]:
    """Packed, where the name says so."""
    if path.endswith(".gz"):
        return gzip.open(path, "wt" if mode == "w" else "rt", encoding="utf-8")
    return open(path, mode, encoding="utf-8")


def _lines(path: str) -> Iterator[str]:
    """All whole ones: whoever wrote it may have been killed."""
    try:
        with _opened(path, "r") as file:
            for line in file:
                if line.endswith("\n"):
                    yield line
    except EOFError:
        return
    except (OSError, zlib.error, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise RecordingError(f"--replay {path}: {why}") from None


def _check(name: str, content: Any) -> None:
    found = (content.get("format"), content.get("schema"))
    if found != (FORMAT, SCHEMA):
        raise RecordingError(f"{name}: begins with {found}, expected {(FORMAT, SCHEMA)}")


def _finite(number: Any) -> float:
    if not isfinite(number):
        raise ValueError(f"{number} is no time")
    return float(number)


def _snapshot(said: dict[str, Any], abouts: list[About]) -> Snapshot:
    origin = Origin(*[said[name] for name in OF_ORIGIN])
    stats = []
    for number, plain, *value in said["stats"]:
        about = abouts[number]
        word = kinds.rule(about.kind, about.aggregate)
        parts = _parts(word, plain)
        stood = kinds.finish(word, parts) if parts is not None else _value(about.kind, *value)
        stats.append(Stat(about, origin.group, parts, stood))
    problems = [Problem(file, reason) for file, reason in said.get("problems", ())]
    return Snapshot(kinds.merged, origin, problems, count_processes((origin,)), stats)


def _plain(value: Any) -> Any:
    """Parts or a value as JSON has them."""
    if isinstance(value, Spread):
        extent = value.range
        return {
            "range": [extent.scale, extent.low, extent.high, list(extent.bounds)],
            "buckets": [[index, count] for index, count in sorted(value.buckets.items())],
            "zero": value.zero,
            "overflow": value.overflow,
            "negative": value.negative,
            "counts": list(value.counts),
        }
    if isinstance(value, frozenset):
        return [_plain(one) for one in sorted(value, key=repr)]
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and (isnan(value) or value in SPECIAL.values()):
        return {"float": repr(value)}
    return value if isinstance(value, (bool, int, float, str)) or value is None else None


def _value(kind: str, plain: Any = None) -> Any:
    """What stands for a stat that nobody wrote."""
    return kinds.BLANK.get(kind) if plain is None else _made(plain)


def _parts(word: str, plain: Any) -> Any:
    if isinstance(plain, list):
        made = [_made(one) for one in plain]
        return frozenset(made) if word == "set" else tuple(made)
    return _made(plain)


def _made(plain: Any) -> Any:
    """What `_plain` was made of."""
    if isinstance(plain, dict):
        if "float" in plain:
            return SPECIAL[plain["float"]]
        scale, low, high, bounds = plain["range"]
        buckets = dict(map(tuple, plain["buckets"]))
        rest = (plain["zero"], plain["overflow"], plain["negative"], plain["counts"])
        return Spread(Range(scale, low, high, bounds), buckets, *rest)
    return tuple(map(_made, plain)) if isinstance(plain, list) else plain
