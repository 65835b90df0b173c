"""mmash: what all processes publish, in a browser, as JSON, and for Prometheus.

`app` is an ASGI application, as `uvicorn mmstats.tools.mmash:app` takes it, or to be mounted in another one.
Its settings are those of the environment: see `settings`. `create_app(settings)` makes another.
"""

from __future__ import annotations

from mmstats.tools.mmash.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.applications import Starlette

    app: Starlette

__all__ = ["Settings", "app", "create_app"]


def create_app(settings: Settings | None = None) -> Starlette:
    """An application. `settings`: what is served, and to whom; None: as the environment says."""
    from mmstats.tools.mmash.application import application

    return application(Settings.from_environment() if settings is None else settings)


def __getattr__(name: str) -> object:
    """`app`, made when somebody asks for it: who wants `create_app` alone gets no second one."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = create_app()
    return made
