"""Who is let in, and what every answer says to browsers.

On loopback a port is everybody's who is on this machine: without a token only our own user is let in, and
root, as the kernel tells who that is. The Host header has to be this machine's: a page
from elsewhere, whose name was made to lead here, is told apart by it.
"""

from __future__ import annotations

import os
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse

from mmstats.tools.mmash.answers import refusal
from mmstats.tools.mmash.peers import uid_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from mmstats.tools.mmash.settings import Settings

MOST_QUERY = 4_096  # bytes
HEADERS = {
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
OPEN = ("/healthz",)  # says nothing that a port that answers does not say
POSTED = ("/api/v1/replay",)  # which tells, too: of what it is sent, and it keeps nothing of that
LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]"}


class Access:
    """Asks everybody who they are, and passes on whom it lets in."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        answer = self._app if refused is None else refused
        await answer(scope, receive, send_with_headers)

    def _refused(self, scope: Scope) -> ASGIApp | None:
        """What is answered to whom is not let in."""
        settings, headers = self._settings, Headers(scope=scope)
        if len(scope["query_string"]) > MOST_QUERY:
            return refusal(headers, 414, f"a query of more than {MOST_QUERY} bytes")
        allowed = ("POST",) if path_of(scope) in POSTED else ("GET", "HEAD")
        if scope["method"] not in allowed:
            answer = refusal(headers, 405, f"{scope['method']}: expected {' or '.join(allowed)}")
            answer.headers["allow"] = ", ".join(allowed)
            return answer
        if scope["method"] == "POST" and not _is_of_our_page(headers):
            return refusal(headers, 403, "a page from elsewhere asks")
        if path_of(scope) in OPEN or settings.open_to_all:
            return None
        if settings.token:
            return self._without_token(scope, headers)
        return _from_elsewhere(scope, headers)

    def _without_token(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        token = self._settings.token
        port = (scope.get("server") or ("", 0))[1]
        cookie = f"mmash-{port}"
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        if given:
            if not _is_token(given[-1], token):
                return refusal(headers, 401, "that is not the token")
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            path = scope["root_path"] + path_of(scope)
            redirect = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            redirect.set_cookie(
                cookie, token, httponly=True, samesite="strict", path=scope["root_path"] or "/"
            )
            return redirect
        scheme, _, said = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _is_token(said.strip(), token):
            return None
        if _is_token(_cookie(headers, cookie), token):
            return None
        answer = refusal(
            headers, 401, "a token is asked for: open the address that mmash printed when it started"
        )
        answer.headers["www-authenticate"] = 'Bearer realm="mmash"'
        return answer


def path_of(scope: Scope) -> str:
    """The path below where the application is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path") or "")
    return path[len(root) :] if root and path.startswith(root) else path


def _from_elsewhere(scope: Scope, headers: Headers) -> ASGIApp | None:
    """Where there is no token: refused unless it is our own user, on this machine."""
    host = headers.get("host", "")
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name.lower() not in LOOPBACK_NAMES:
        return refusal(headers, 421, f"the host {host[:80]!r} is not this machine's: open it as localhost")
    client, server = scope.get("client"), scope.get("server")
    uid = None if client is None or server is None else uid_of(tuple(client), tuple(server))
    if uid in (os.geteuid(), 0):
        return None
    who = "somebody that the kernel does not name" if uid is None else f"user {uid}"
    return refusal(
        headers, 403, f"{who} asks, and this is user {os.geteuid()}'s; start mmash with --token-file"
    )


def _is_of_our_page(headers: Headers) -> bool:
    """Whether no page from elsewhere sends this. Browsers say where a page is from; programs say nothing."""
    said = headers.get("sec-fetch-site")
    if said is not None:
        return said in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _is_token(said: str, token: str) -> bool:
    return secrets.compare_digest(said.encode("utf-8", "surrogateescape"), token.encode())


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value
