"""The endpoints for those who run the server: probes of its health, which need no token, and its metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from autoflow.distribution import VERSION
from autoflow.server.http.admission import Pool
from autoflow.server.http.metrics import Metrics
from autoflow.server.http.responses import json_response
from autoflow.server.server import Server

THREADS = 4  # of their own: an overloaded server is alive and may be ready


class Probes:
    """The endpoints, over one server.

    Args:
        server: the server.
        metrics: of that server.
        authenticate: raises `NotAllowed` for a request that needs a token and has none that is valid.
    """

    def __init__(self, server: Server, metrics: Metrics, authenticate: Callable[[Request], Awaitable[object]]) -> None:
        self._server = server
        self._metrics = metrics
        self._authenticate = authenticate
        self._threads = Pool(THREADS)

    async def get_liveness(self, _request: Request) -> Response:
        """``GET /healthz``: 200 while the process answers, whatever the state of its store."""
        return json_response({"alive": True, "version": VERSION})

    async def get_readiness(self, request: Request) -> Response:
        """``GET /readyz``: 200 when the store can be used, else 503; the body has the state of each part."""
        report = await self._threads.run("readiness", self._server.ready)
        response = json_response(report)
        if not report["ready"]:
            response.status_code = 503
            response.headers["Retry-After"] = "5"
        return response

    async def get_metrics(self, request: Request) -> Response:
        """``GET /metrics``, for Prometheus."""
        await self._authenticate(request)
        text, media_type = await self._threads.run("metrics", self._metrics.render)
        return Response(text, media_type=media_type)

    def routes(self) -> list[Route]:
        """Return their routes."""
        return [
            Route("/healthz", self.get_liveness),
            Route("/readyz", self.get_readiness),
            Route("/metrics", self.get_metrics),
        ]
