"""/metrics: everything, as Prometheus asks for it; and /healthz."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from mmstats.export import FORMATS
from mmstats.tools.mmash.answers import json_answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from starlette.requests import Request

    from mmstats.tools.mmash.watch import Watch

OPENMETRICS, TEXT = "application/openmetrics-text", "text/plain"


class Metrics:
    """What machines ask for now and then."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.metrics), Route("/healthz", self.healthz)]

    async def metrics(self, request: Request) -> Response:
        """All processes as one, in the format that the client likes best."""
        form = FORMATS[
            "openmetrics" if likes_openmetrics(request.headers.get("accept", "")) else "prometheus"
        ]
        text = await run_in_threadpool(lambda: form.render(self._watch.combined()))
        return Response(text, media_type=form.MEDIA_TYPE, headers={"vary": "Accept"})

    async def healthz(self, _: Request) -> Response:
        """Whether samples are taken."""
        failed = self._watch.failed
        return (
            json_answer({"status": "failed", "reason": failed}, 503)
            if failed
            else json_answer({"status": "ok"})
        )


def likes_openmetrics(accept: str) -> bool:
    """Whether that is named, and no less liked than plain text."""
    likes: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = [word.strip().lower() for word in part.split(";")]
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        likes[kind] = max(quality, likes.get(kind, 0.0))
    return likes.get(OPENMETRICS, 0.0) > 0 and likes[OPENMETRICS] >= likes.get(TEXT, 0.0)
