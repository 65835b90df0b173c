"""/api/v1/replay: a recording is sent, and its history answered, as /api/v1/history has it. None is kept."""

from __future__ import annotations

import asyncio
import tempfile
from math import ceil

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from mmstats.tools.mmash.answers import BadRequest, TooMuch, json_answer, refusal
from mmstats.tools.mmash.history import History
from mmstats.tools.mmash.query import check_query, keys_of, selection_of
from mmstats.tools.mmash.series import Between, by_keys, each_process, whole
from mmstats.tools.mmash.splits import PROCESS
from mmstats.tools.mmash.told import Chosen, history_told
from mmstats.tools.moment import Sample
from mmstats.tools.recordings import RecordingError, lines_of, samples_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from starlette.requests import Request
    from starlette.responses import Response

    from mmstats.tools.mmash.series import Apart
    from mmstats.tools.mmash.watch import Watch
    from mmstats.tools.select import Selection

MOST_BYTES = 64 << 20  # as they are sent
MOST_UNPACKED = 1 << 30
MOST_SAMPLES = 1_000  # of a longer recording one of so many is taken, and rates are those in between
MOST_NUMBERS = 1_000_000  # in one answer; likewise
FEW = 10  # samples that are told, whatever there is of them
LONG = 60.0  # seconds that sending may take
NAME = "the recording"
WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # of numbers that are none


class Uploads:
    """One at a time: who sends meanwhile is told to come again."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._is_busy = False

    def routes(self) -> list[Route]:
        return [Route("/api/v1/replay", self.replay, methods=["POST"])]

    async def replay(self, request: Request) -> Response:
        """The history of what is sent."""
        check_query(request, ("select", "by"))
        wanted, by = selection_of(request), request.query_params.get("by", "all")
        keys = keys_of(by)
        apart = each_process if by == PROCESS else by_keys(keys) if keys else whole
        if self._is_busy:
            answer = refusal(request.headers, 503, "another recording is looked at")
            answer.headers["retry-after"] = "5"
            return answer
        self._is_busy = True
        try:
            with tempfile.TemporaryFile() as file:
                try:
                    await asyncio.wait_for(_received(request, file), LONG)
                except asyncio.TimeoutError:
                    raise BadRequest(f"the recording did not come within {LONG:.0f} seconds") from None
                except ClientDisconnect:
                    raise BadRequest("the recording did not come to its end") from None
                history, interval = await run_in_threadpool(_history, file, apart, wanted)
        except RecordingError as error:
            raise BadRequest(str(error)) from None
        finally:
            self._is_busy = False
        state = {"interval": interval, "failed": "the recording is over"}
        return json_answer(history_told(Chosen(history, wanted), 1, state, FEW * MOST_NUMBERS))


async def _received(request: Request, file: IO[bytes]) -> None:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise TooMuch(f"a recording of more than {MOST_BYTES >> 20} MiB")
        file.write(chunk)


def _history(file: IO[bytes], apart: Apart, wanted: Selection) -> tuple[History, float]:
    """And the seconds between its samples: of a long one so many that the answer has all of it."""
    count = sum(1 for _ in lines_of(file, NAME, MOST_UNPACKED)) - 1
    if count < 0:
        raise RecordingError(f"{NAME}: there is nothing in it")
    step = max(1, ceil(count / MOST_SAMPLES))
    while True:
        history, interval = _every(step, count, file, apart, wanted)
        fewer = max(1, ceil(len(history.series) * count / MOST_NUMBERS))
        if fewer <= step or history.last <= FEW:
            return history, interval
        step = fewer


def _every(step: int, count: int, file: IO[bytes], apart: Apart, wanted: Selection) -> tuple[History, float]:
    """Of so many samples one, with what happened since the one before."""
    history, before, elapsed, interval = History(count // step + 3), None, 0.0, 1.0
    for number, sample in enumerate(samples_of(lines_of(file, NAME, MOST_UNPACKED), NAME)):
        elapsed += sample.elapsed
        if number % step:
            continue
        now = Sample(sample.snapshots, sample.at, elapsed, sample.interval * step)
        try:
            history.add(now.at, Between(before, now).numbers(apart, wanted.chooses))
        except WRONG as error:
            raise RecordingError(f"{NAME}: line {number + 2} makes no sense: {error}") from None
        before, elapsed, interval = now, 0.0, now.interval
    return history, interval
