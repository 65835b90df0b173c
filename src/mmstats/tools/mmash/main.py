"""`mmash`, and `python -m mmstats mmash`: listens, says where, and serves until Ctrl-C."""

from __future__ import annotations

import secrets
import signal
import socket
import sys

from mmstats.tools import ends
from mmstats.tools.mmash.options import LOOPBACK, NAME, make_parser, settings_of
from mmstats.tools.parser import made_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from mmstats.tools.mmash.settings import Settings

MISSING = 69
BACKLOG = 256
AT_THE_END = 1  # seconds that connections may take to end


def main(arguments: list[str] | None = None) -> int:
    """The exit code; see `ends`, and 69 where starlette or uvicorn is missing."""
    words = sys.argv[1:] if arguments is None else arguments
    made = made_of(words, make_parser(), lambda given: (given, settings_of(given)))
    if isinstance(made, int):
        return made
    given, settings = made
    try:
        import starlette  # noqa: F401 - whether it is there
        import uvicorn  # noqa: F401 - likewise
    except ImportError:
        ends.say(NAME, "needs the web extra: pip install 'mmstats[web]'")
        return MISSING
    is_made = _with_token(settings)
    try:
        listening = _listening(settings)
    except OSError as error:
        ends.say(NAME, f"{settings.host}:{settings.port} {_why_not(error)}")
        return ends.NOTHING
    address = address_of(settings, listening)
    sys.stdout.write(f"mmash: {address}{f'?token={settings.token}' if is_made else ''}\n")
    sys.stdout.flush()
    if given.open:
        import webbrowser

        webbrowser.open(f"{address}?token={settings.token}" if settings.token else address)
    return _serve(settings, listening, given.verbose)


def _with_token(settings: Settings) -> bool:
    """Make a token where one is needed and none was given; whether one was made."""
    if settings.token or settings.open_to_all or settings.host in LOOPBACK:
        return False
    settings.token = secrets.token_urlsafe(24)
    return True


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sends at once where it sees that this is TCP; else an answer's two parts are 40 ms apart.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((settings.host, settings.port))
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def _why_not(error: OSError) -> str:
    import errno

    if error.errno == errno.EADDRINUSE:
        return "is in use; try --port 0 (any that is free)"
    return f"cannot be listened on: {error.strerror or error}"


def address_of(settings: Settings, listening: socket.socket) -> str:
    """What to open in a browser."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - what somebody asked for
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{settings.base_path}/"


def _serve(settings: Settings, listening: socket.socket, verbose: int) -> int:
    import uvicorn

    from mmstats.tools.mmash.application import application

    app = application(settings)

    class Server(uvicorn.Server):
        """Whose open streams end as soon as a signal comes; a second one ends nothing sooner than they do."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.watch.end()
            if not self.should_exit:
                super().handle_exit(sig, frame)

    # Paths and no more: what stands behind a question mark may be a token.
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="info" if verbose > 1 else "warning",
        proxy_headers=settings.trusts_proxy,
        server_header=False,
        timeout_graceful_shutdown=AT_THE_END,
        lifespan="on",
    )
    if verbose:
        from mmstats.tools.mmash.logged import Logged

        config.app = Logged(app, with_clients=verbose > 1)
    server = Server(config)

    def end(*_: object) -> None:
        """A signal before uvicorn has handlers of its own. What it heard it sends again when all is over."""
        if not server.should_exit:
            sys.exit(ends.OK)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        server.run(sockets=[listening])
    finally:
        listening.close()
    return ends.OK
