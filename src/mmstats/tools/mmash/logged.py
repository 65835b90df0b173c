"""-v: a line on stderr for each answer: what was asked for, without what stands behind a question mark."""

from __future__ import annotations

import sys
import time

from mmstats.tools.text import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Logged:
    """An application whose answers are told. `with_clients`: to whom, too."""

    def __init__(self, app: ASGIApp, *, with_clients: bool) -> None:
        self._app = app
        self._with_clients = with_clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 0

        async def sent(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            spent = (time.perf_counter() - begin) * 1e3
            host, port = scope.get("client") or ("?", 0)
            who = f" {host}:{port}" if self._with_clients else ""
            sys.stderr.write(f"{scope['method']} {shown(scope['path'])} {status} {spent:.1f}ms{who}\n")
