"""0.8's answers: /stats/, /stats/NAME, /files/. A value is one number or text, as 0.8's reader gives it."""

from __future__ import annotations

import os

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Route

from mmstats.aggregate.chosen import WORDS
from mmstats.distribution import Distributed, TimerValue
from mmstats.globs import matches
from mmstats.read.files import Finder, natural
from mmstats.tools.mmash.answers import BadRequest, json_answer, worked_out
from mmstats.tools.text import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from starlette.requests import Request
    from starlette.responses import Response

    from mmstats.stat import Snapshot
    from mmstats.tools.mmash.watch import Watch

MOST_GLOB = 256  # characters


class Anything(Convertor[str]):
    """The rest of a path, whatever stands there: a label may have a line break in it."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("anything", Anything())


class Classic:
    """0.8's endpoints."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def routes(self) -> list[Route]:
        return [
            Route("/stats/", self.labels),
            Route("/stats/{name:anything}", self.values),
            Route("/files/", self.files),
            Route("/files/{glob:anything}", self.files),
        ]

    async def labels(self, request: Request) -> Response:
        """All labels."""
        taken = await self._read(request)
        labels = await worked_out(lambda: {label for one in taken for label, _ in told(one)}, stats_of(taken))
        return json_answer({"stats": sorted(labels)})

    async def values(self, request: Request) -> Response:
        """Of each label that begins so, or is just that, the values of all files, in the order of those."""
        name, query = request.path_params["name"], request.query_params
        is_exact, word = "exact" in query, query.get("aggr")
        if word is not None and word not in WORDS:
            raise BadRequest(f"aggr={word}: expected one of {', '.join(WORDS)}")
        taken = await self._read(request)
        found = await worked_out(lambda: _chosen(taken, name, is_exact=is_exact), stats_of(taken))
        if word is None:
            return json_answer(found)
        return json_answer(
            {label: WORDS[word](numbers) for label, values in found.items() if (numbers := _numbers(values))}
        )

    async def files(self, request: Request) -> Response:
        """The names of the files, or of those that match."""
        glob = request.path_params.get("glob")
        paths = await run_in_threadpool(self._paths, glob)
        return json_answer({"files": sorted(paths, key=natural)})

    async def _read(self, request: Request) -> list[Snapshot]:
        """Of all files, or of those that ?glob= names."""
        glob = request.query_params.get("glob")
        if glob is None:
            return await self._watch.now()
        return await run_in_threadpool(lambda: self._watch.read(self._paths(glob)))

    def _paths(self, glob: str | None) -> list[str]:
        """The files that are served, or those of them whose names match. BadRequest: none can."""
        if glob:
            check_glob(glob)
        if self._watch.settings.replay:
            return [one.origin.file for one in self._watch.read() if _is_named(one.origin.file, glob)]
        finder = Finder(self._watch.settings.files)
        paths = [one.path for one in (*finder.files(), *finder.retired())]
        return [path for path in paths if _is_named(path, glob)]


def _chosen(taken: Iterable[Snapshot], name: str, *, is_exact: bool) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in taken:
        for label, value in told(one):
            if label == name or (not is_exact and label.startswith(name)):
                found.setdefault(label, []).append(value)
    return found


def stats_of(taken: Iterable[Snapshot]) -> int:
    """How many there are."""
    return sum(len(one.columns().abouts) for one in taken)


def check_glob(glob: str) -> None:
    """BadRequest where a glob could lead out of what is served, or takes too long."""
    if len(glob) > MOST_GLOB or glob.count("*") > 8:
        raise BadRequest(f"a glob of more than {MOST_GLOB} characters, or of more than 8 stars")
    if glob.startswith("/") or "\0" in glob or ".." in glob.split("/"):
        raise BadRequest(f"the glob {glob!r} leads out of what is served")


def _is_named(path: str, glob: str | None) -> bool:
    """Whether the name of a file that is served matches; a directory in a glob is none of its name."""
    return not glob or matches(os.path.basename(path), glob)


def told(one: Snapshot) -> Iterable[tuple[str, Any]]:
    """Label and value of each stat, as 0.8's reader has them."""
    columns = one.columns()
    for about, value in zip(columns.abouts, columns.values):
        yield name_of(about), _one(value)


def _one(value: Any) -> Any:
    if isinstance(value, Distributed):
        return value.moving if isinstance(value, TimerValue) else value.count
    if isinstance(value, (frozenset, tuple)) and len(value) == 1:
        return next(iter(value))
    return value


def _numbers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, (int, float))]
