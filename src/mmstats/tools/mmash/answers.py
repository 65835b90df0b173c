"""Answers: JSON of numbers as they are, and what went wrong, for programs or for people."""

from __future__ import annotations

import html
from http import HTTPStatus
from json.encoder import py_encode_basestring_ascii as quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from mmstats.tools.machine import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from starlette.datastructures import Headers

    Made = TypeVar("Made")

JSON = "application/json"
MUCH = 2_000  # stats, or numbers; what takes longer than some milliseconds


class BadRequest(Exception):  # noqa: N818 - HTTP's word
    """What makes no sense in a request, in a sentence."""

    status = 400


class NothingLikeIt(BadRequest):
    """What makes sense, and is not there."""

    status = 404


class TooMuch(BadRequest):
    """What is larger than anything that makes sense."""

    status = 413


def json_text(value: Any) -> str:
    """JSON: integers of any size as they are, NaN and infinities null, sets lists, distributions objects."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ",".join(f"{quote(str(key))}:{json_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return number(value)


async def worked_out(work: Callable[[], Made], size: int) -> Made:
    """What it gives; of much it is made in another thread, so that streams go on meanwhile."""
    return work() if size < MUCH else await run_in_threadpool(work)


def json_answer(value: Any, status: int = 200) -> Response:
    """One."""
    return Response(json_text(value) + "\n", status, media_type=JSON)


def refusal(headers: Mapping[str, str] | Headers, status: int, reason: str) -> Response:
    """Why not: JSON for who accepts that, else a short page. What it says of the request is escaped."""
    if JSON in headers.get("accept", "") or "text/html" not in headers.get("accept", ""):
        return json_answer({"error": reason}, status)
    phrase = HTTPStatus(status).phrase
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>mmash: {phrase}</title>'
        f"<h1>{phrase}</h1><p>{html.escape(reason)}</p></html>\n"
    )
    return HTMLResponse(page, status)
