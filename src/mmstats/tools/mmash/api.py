"""/api/v1: what there is, whose it is, what was, and what comes. `openapi.json` describes it for programs."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timezone

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from mmstats.aggregate.chosen import WORDS, choose
from mmstats.aggregate.combine import combine
from mmstats.stat import Snapshot
from mmstats.tools.by import no_such_key, told_apart
from mmstats.tools.machine import combined_objects, file_objects, number, objects
from mmstats.tools.mmash.answers import JSON, BadRequest, NothingLikeIt, json_answer, worked_out
from mmstats.tools.mmash.classic import stats_of
from mmstats.tools.mmash.openapi import document
from mmstats.tools.parser import keys, processes
from mmstats.tools.select import Pattern, Selection, WordsError
from mmstats.tools.where import Condition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from mmstats.tools.mmash.history import History
    from mmstats.tools.mmash.series import Series
    from mmstats.tools.mmash.watch import Watch

MOST_WORDS = 32  # patterns and conditions of one request
MOST_STARS = 8
MOST_SAMPLES = 100_000  # numbers in one answer of history


class Api:
    """The endpoints."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def routes(self) -> list[Route]:
        return [
            Route("/api/v1/stats", self.stats),
            Route("/api/v1/processes", self.processes),
            Route("/api/v1/history", self.history),
            Route("/api/v1/export.csv", self.export),
            Route("/api/v1/openapi.json", self.openapi),
        ]

    async def stats(self, request: Request) -> Response:
        """Each stat of each file, or of all processes as one, told apart by keys if some are named."""
        _check_query(request, ("select", "where", "by", "aggr"))
        wanted, conditions = _selection(request), _conditions(request)
        by, word = request.query_params.get("by"), request.query_params.get("aggr")
        if word is not None and word not in WORDS:
            raise BadRequest(f"aggr={word}: expected one of {', '.join(WORDS)}")
        try:
            names = () if by is None else keys(by)
        except WordsError:
            raise BadRequest(f"by={by}: expected all, or keys with commas between them") from None
        taken = await self._watch.now()
        asked = Asked(wanted, conditions, by, names, word)
        return await worked_out(lambda: _listed("stats", asked.of(taken), taken), stats_of(taken))

    async def processes(self, request: Request) -> Response:
        """Who writes each file, and whether that lives."""
        _check_query(request, ("where",))
        conditions = _conditions(request)
        taken = await self._watch.now()
        readable = [one for one in taken if one.origin.uuid]
        found = processes(readable, conditions, alive=False)
        return await worked_out(lambda: _listed("processes", file_objects(found), taken), stats_of(taken))

    async def history(self, request: Request) -> Response:
        """The samples that are kept, of all processes together, after the one that is named."""
        _check_query(request, ("select", "since"))
        self._watch.begin()
        history, wanted = self._watch.history, _selection(request)
        last = history.last
        first = max(history.first, _since(request) + 1)
        chosen = [(place, one) for place, one in enumerate(history.series) if _is_wanted(wanted, one)]
        if len(chosen) * max(0, last - first + 1) > MOST_SAMPLES:
            first = max(first, last + 1 - MOST_SAMPLES // len(chosen))
        return json_answer(
            {
                "schema": 1,
                **state_of(self._watch),
                "first": first,
                "last": last,
                "t": list(history.times(first, last)),
                "series": [
                    {**series_told(one), "values": history.values(place, first, last)}
                    for place, one in chosen
                ],
            }
        )

    async def export(self, request: Request) -> Response:
        """The same as a table: a line for each sample, a column for each series."""
        _check_query(request, ("select", "since"))
        self._watch.begin()
        history, wanted = self._watch.history, _selection(request)
        chosen = [(place, one) for place, one in enumerate(history.series) if _is_wanted(wanted, one)]
        lines = _lines(history, chosen, max(history.first, _since(request) + 1), history.last)
        told = {"content-disposition": 'attachment; filename="mmash.csv"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=told)

    async def openapi(self, request: Request) -> Response:
        """What there is to ask for, for programs."""
        _check_query(request, ())
        return json_answer(document())


class Asked:
    """What somebody wants of all stats."""

    __slots__ = ("_by", "_conditions", "_keys", "_selection", "_word")

    def __init__(
        self,
        selection: Selection,
        conditions: list[Condition],
        by: str | None,
        keys: tuple[str, ...],
        word: str | None,
    ) -> None:
        self._selection = selection
        self._conditions = conditions
        self._by = by
        self._keys = keys
        self._word = word

    def of(self, taken: Iterable[Snapshot]) -> Iterable[str]:
        """Those, as JSON. NothingLikeIt where nothing has one of the keys."""
        chosen = processes([one for one in taken if one.origin.uuid], self._conditions, alive=False)
        shown = [
            Snapshot(one.merge, one.origin, [], one.processes, self._selection.of(one.stats))
            for one in chosen
        ]
        if self._keys and shown:
            unknown = no_such_key(shown, self._keys)
            if unknown:
                raise NothingLikeIt(f"by={self._by}: {unknown}")
            shown = told_apart(shown, self._keys)
        if self._word is not None:
            return combined_objects(choose(self._word, shown))
        return objects(shown) if self._by is None else combined_objects(combine(shown))


def _told(watch: Watch, chosen: list[tuple[int, Series]], first: int, last: int) -> Response:
    history = watch.history
    series = [{**series_told(one), "values": history.values(place, first, last)} for place, one in chosen]
    times = list(history.times(first, last))
    head = {"schema": 1, **state_of(watch), "first": first, "last": last}
    return json_answer({**head, "t": times, "series": series})


def state_of(watch: Watch) -> dict[str, object]:
    """What is said of the sampler with each answer that has samples."""
    history = watch.history
    return {
        "epoch": history.epoch,
        "interval": watch.settings.interval,
        "left_out": history.left_out,
        "failed": watch.failed or None,
    }


def series_told(one: Series) -> dict[str, object]:
    """What one line is of."""
    about = one.about
    return {
        "name": one.name,
        "label": about.label,
        "tags": dict(about.tags),
        "group": one.group,
        "kind": about.kind,
        "what": one.what,
        "unit": one.unit,
        "help": about.help,
    }


def _is_wanted(wanted: Selection, one: Series) -> bool:
    return wanted.chooses(one.about)


def _listed(name: str, found: Iterable[str], taken: Iterable[Snapshot]) -> Response:
    problems = ",".join(
        f'{{"file":{number(problem.file)},"reason":{number(problem.reason)}}}'
        for one in taken
        for problem in one.problems
    )
    text = f'{{"schema":1,"{name}":[{",".join(found)}],"problems":[{problems}]}}\n'
    return Response(text, media_type=JSON)


def _lines(history: History, chosen: list[tuple[int, Series]], first: int, last: int) -> Iterable[str]:
    """CSV, some lines at a time."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["time", *(_safe(f"{one.name} {one.what}") for _, one in chosen)])
    for at in range(first, last + 1, 100):
        to = min(at + 99, last)
        columns = [history.values(place, at, to) for place, _ in chosen]
        for row, when in enumerate(history.times(at, to)):
            moment = datetime.fromtimestamp(when, timezone.utc).isoformat(timespec="milliseconds")
            writer.writerow(
                [moment, *("" if column[row] is None else repr(column[row]) for column in columns)]
            )
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _safe(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _check_query(request: Request, known: tuple[str, ...]) -> None:
    """BadRequest where there is what nobody knows, or more than anybody needs."""
    for name in request.query_params:
        if name not in known and name != "token":
            raise BadRequest(f"{name}: expected one of {', '.join(known) or 'nothing'}")
    if len(request.query_params.multi_items()) > MOST_WORDS:
        raise BadRequest(f"more than {MOST_WORDS} words")


def _selection(request: Request) -> Selection:
    """Globs alone: an expression of another's could keep us busy for hours."""
    patterns = []
    for text in request.query_params.getlist("select"):
        if (len(text) > 1 and text[0] == text[-1] == "/") or "=~" in text or "!~" in text:
            raise BadRequest(
                f"select={text[:80]}: regular expressions are for the command line; expected a glob"
            )
        if text.count("*") > MOST_STARS:
            raise BadRequest(f"select={text[:80]}: more than {MOST_STARS} stars")
        try:
            patterns.append((True, Pattern(text)))
        except WordsError as error:
            raise BadRequest(f"select={text[:80]}: {error}") from None
    return Selection(patterns, "")


def _conditions(request: Request) -> list[Condition]:
    found = []
    for text in request.query_params.getlist("where"):
        if "~" in text:
            raise BadRequest(f"where={text[:80]}: regular expressions are for the command line")
        if not (text[:1].isascii() and (text[:1].isalnum() or text[:1] == "_")):
            raise BadRequest(f"where={text[:80]}: expected KEY, or KEY=V and the like")
        try:
            found.append(Condition(text))
        except WordsError as error:
            raise BadRequest(f"where={text[:80]}: {error}") from None
    return found


def _since(request: Request) -> int:
    text = request.query_params.get("since", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise BadRequest(f"since={text[:80]}: expected the number of a sample")
    return int(text)
