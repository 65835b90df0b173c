"""/api/v1/events: samples as they come, as server-sent events.

`index` says which series there are, by their places: at first, and whenever there are others. `s` is a
sample: its time, and place and number of each series whose number is another one. One that is `whole` has
them all, and what is not in there has none: the first one, and where something in between is lost.
Who comes again with the id of the last one that it saw gets what it missed, while that is kept; after a
restart there is another epoch, and what was before is not to be had any more.
"""

from __future__ import annotations

import asyncio

from starlette.responses import StreamingResponse
from starlette.routing import Route

from mmstats.tools.mmash.answers import BadRequest, json_text, refusal
from mmstats.tools.mmash.told import series_told, state_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from mmstats.tools.mmash.history import History
    from mmstats.tools.mmash.watch import Watch

MOST_STREAMS = 500
QUIET = 15.0  # seconds after which something is said, so that whoever stands in between keeps the stream
RETRY = "retry: 1000\n\n"
COMMENT = ": still here\n\n"


class Events:
    """The streams. A slow client is not sent what has left the history meanwhile; nothing waits for it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._streams = 0
        self._told = (0, "")  # the newest sample's number, and its text, which is the same for all

    def routes(self) -> list[Route]:
        return [Route("/api/v1/events", self.events)]

    async def events(self, request: Request) -> Response:
        """The stream."""
        if self._streams >= MOST_STREAMS:
            answer = refusal(request.headers, 503, f"{MOST_STREAMS} streams are open already")
            answer.headers["retry-after"] = "5"
            return answer
        seen = request.headers.get("last-event-id") or request.query_params.get("since", "")
        number, is_known = _number(seen, self._watch.history)
        return StreamingResponse(
            self._stream(number, whole=not is_known),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    async def _stream(self, seen: int, *, whole: bool) -> AsyncIterator[str]:
        watch, generation = self._watch, -1
        history = watch.history
        self._streams += 1
        try:
            yield RETRY
            while True:
                if generation != history.generation:
                    generation = history.generation
                    yield _index(watch)
                for number in range(max(seen + 1, history.first), history.last + 1):
                    # What it should have seen before may have left the history meanwhile.
                    is_whole = whole or number > seen + 1 or number <= history.first
                    yield _sample(history, number, whole=True) if is_whole else self._text(number)
                    seen, whole = number, False
                if watch.has_ended or watch.failed:
                    yield _end(watch)
                    return
                try:
                    await asyncio.wait_for(watch.after(seen), QUIET)
                except asyncio.TimeoutError:
                    yield COMMENT
        finally:
            self._streams -= 1

    def _text(self, number: int) -> str:
        """A sample, which most streams want at the same time."""
        if self._told[0] != number:
            self._told = (number, _sample(self._watch.history, number, whole=False))
        return self._told[1]


def _number(seen: str, history: History) -> tuple[int, bool]:
    """The sample that was seen last, and whether it is one of ours. Who saw none begins with the last."""
    if not seen:
        return max(0, history.last - 1), False
    epoch, _, number = seen.rpartition("-")
    if len(seen) > 64 or not (number.isascii() and number.isdigit()):
        raise BadRequest(f"the event {seen[:80]!r}: expected one as 0a1b2c3d-42")
    if epoch != history.epoch or int(number) > history.last:
        return 0, False
    return int(number), True


def _index(watch: Watch) -> str:
    told = {**state_of(watch), "series": [series_told(one) for one in watch.history.series]}
    return f"event: index\ndata: {json_text(told)}\n\n"


def _sample(history: History, number: int, *, whole: bool) -> str:
    numbers = history.numbers(number) if whole else history.changes(number)
    said = ",".join(f"[{place},{json_text(value)}]" for place, value in numbers)
    mark = ',"whole":true' if whole else ""
    data = f'{{"n":{number},"t":{json_text(history.time(number))}{mark},"v":[{said}]}}'
    return f"id: {history.epoch}-{number}\nevent: s\ndata: {data}\n\n"


def _end(watch: Watch) -> str:
    return f"event: end\ndata: {json_text({'reason': watch.failed or 'mmash ends'})}\n\n"
