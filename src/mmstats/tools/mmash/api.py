"""/api/v1: what there is, whose it is, what was, and what comes. `openapi.json` describes it for programs."""

from __future__ import annotations

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
from mmstats.tools.mmash.query import check_query, conditions_of, keys_of, selection_of, since_of
from mmstats.tools.mmash.splits import PROCESS
from mmstats.tools.mmash.told import Chosen, history_told, lines, state_of
from mmstats.tools.parser import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from mmstats.tools.mmash.watch import Watch
    from mmstats.tools.select import Selection
    from mmstats.tools.where import Condition


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
        check_query(request, ("select", "where", "by", "aggr"))
        wanted, conditions = selection_of(request), conditions_of(request)
        by, word = request.query_params.get("by"), request.query_params.get("aggr")
        if word is not None and word not in WORDS:
            raise BadRequest(f"aggr={word}: expected one of {', '.join(WORDS)}")
        names = () if by is None else keys_of(by)
        taken = await self._watch.now()
        asked = Asked(wanted, conditions, by, names, word)
        return await worked_out(lambda: _listed("stats", asked.of(taken), taken), stats_of(taken))

    async def processes(self, request: Request) -> Response:
        """Who writes each file, and whether that lives."""
        check_query(request, ("where",))
        conditions = conditions_of(request)
        taken = await self._watch.now()
        readable = [one for one in taken if one.origin.uuid]
        found = processes(readable, conditions, alive=False)
        return await worked_out(lambda: _listed("processes", file_objects(found), taken), stats_of(taken))

    async def history(self, request: Request) -> Response:
        """The samples there are, after the one that is named; of all processes together, or told apart."""
        chosen = self._chosen(request)
        return json_answer(history_told(chosen, since_of(request) + 1, state_of(self._watch)))

    async def export(self, request: Request) -> Response:
        """The same as a table: a line for each sample, a column for each series."""
        sent = lines(self._chosen(request), since_of(request) + 1)
        told = {"content-disposition": 'attachment; filename="mmash.csv"'}
        return StreamingResponse(sent, media_type="text/csv; charset=utf-8", headers=told)

    def _chosen(self, request: Request) -> Chosen:
        check_query(request, ("select", "since", "by"))
        self._watch.begin()
        wanted, by = selection_of(request), request.query_params.get("by", "all")
        keys = keys_of(by)
        if by == "all":
            return Chosen(self._watch.history, wanted)
        if by != PROCESS:
            unknown = no_such_key(self._watch.latest, keys)
            if unknown:
                raise NothingLikeIt(f"by={by}: {unknown}")
        words = tuple(request.query_params.getlist("select"))
        return Chosen(self._watch.splits.of(words, wanted, by, keys), wanted)

    async def openapi(self, request: Request) -> Response:
        """What there is to ask for, for programs."""
        check_query(request, ())
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


def _listed(name: str, found: Iterable[str], taken: Iterable[Snapshot]) -> Response:
    problems = ",".join(
        f'{{"file":{number(problem.file)},"reason":{number(problem.reason)}}}'
        for one in taken
        for problem in one.problems
    )
    text = f'{{"schema":1,"{name}":[{",".join(found)}],"problems":[{problems}]}}\n'
    return Response(text, media_type=JSON)
