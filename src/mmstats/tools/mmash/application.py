"""All that is answered, put together."""

from __future__ import annotations

import contextlib

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from mmstats.tools.mmash.access import Access
from mmstats.tools.mmash.answers import BadRequest, refusal
from mmstats.tools.mmash.api import Api
from mmstats.tools.mmash.classic import Classic
from mmstats.tools.mmash.events import Events
from mmstats.tools.mmash.metrics import Metrics
from mmstats.tools.mmash.page import Page
from mmstats.tools.mmash.uploads import Uploads
from mmstats.tools.mmash.watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from mmstats.tools.mmash.settings import Settings


def application(settings: Settings) -> Starlette:
    """The ASGI application, whose `state.watch` is its sampler.

    That begins with the server, or, where it is mounted in another application, with the first who asks.
    """
    watch = Watch(settings)

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        watch.begin()
        try:
            yield
        finally:
            watch.end()
            watch.join()

    routes: list[BaseRoute] = [
        route for room in (Page, Classic, Api, Events, Metrics, Uploads) for route in room(watch).routes()
    ]
    if settings.base_path:
        routes = [Mount(settings.base_path, routes=routes)]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Access, settings=settings)],
        exception_handlers={BadRequest: _bad, HTTPException: _wrong},
        lifespan=life,
    )
    app.state.watch = watch
    return app


async def _bad(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, BadRequest) else 400
    return refusal(request.headers, status, str(error))


async def _wrong(request: Request, error: Exception) -> Response:
    """Of the path nothing is repeated: whoever made somebody else open it shall not speak here."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refusal(request.headers, status, "there is nothing here" if status == 404 else str(error))
