"""Assembles the gateway: middlewares, operations, sockets and the few routes beside the HTTP map, over one `Host`."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from cerver_core.api import Host
from cerver_core.clock import SystemClock
from cerver_core.errors import CerverError, NotFound
from cerver_core.gateway import health, login_pages, pages, sockets
from cerver_core.gateway.answers import problem
from cerver_core.gateway.call import Serving
from cerver_core.gateway.crossorigin import CrossOrigin
from cerver_core.gateway.dispatch import Operations, identify
from cerver_core.gateway.edge import Edge
from cerver_core.gateway.limits import Limits
from cerver_core.gateway.live import Live
from cerver_core.gateway.mounts import Mounting, Surroundings
from cerver_core.gateway.ratelimits import RateLimits
from cerver_core.gateway.routes import HANDLERS
from cerver_core.gateway.telemetry import Telemetry, Watched
from cerver_core.wire.operations import OPERATIONS

__all__ = ["create_app"]

_SENT_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-Id")
_SHOWN_HEADERS = (
    "X-Request-Id",
    "X-Cerver-Session-Id",
    "X-Cerver-Provider",
    "X-Cerver-Stream-Latency-Ms",
    "Retry-After",
    "Idempotency-Replayed",
)


def create_app(
    host: Host,
    *,
    limits: Limits | None = None,
    rates: RateLimits | None = None,
    telemetry: Telemetry | None = None,
    beside: Mapping[str, Mounting] | None = None,
    url: str = "http://127.0.0.1:8787",
    is_alone: bool = True,
) -> Starlette:
    """Make the ASGI application of a gateway for everybody the host knows.

    `beside` makes what is served beside the operations, by path. `url` is where the gateway is reached; `is_alone`
    says that no other process answers for it.

    Its lifespan must run (every ASGI server does that). `app.state.serving.live.stop()` ends the streams before a stop.
    """
    serving = Serving(host, limits or Limits(), Live(), rates or RateLimits(SystemClock()))
    telemetry = telemetry or Telemetry()
    around = Surroundings(host, url, is_alone, partial(identify, serving))
    mounted = {path: make(around) for path, make in (beside or {}).items()}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        del app
        async with AsyncExitStack() as lives:
            await lives.enter_async_context(serving.live.running())
            for application in mounted.values():
                await lives.enter_async_context(application.run())
            yield

    app = Starlette(
        routes=[*_routes(), *(Route(path, application) for path, application in mounted.items())],
        middleware=_middlewares(telemetry),
        exception_handlers={HTTPException: _refused},
        lifespan=lifespan,
    )
    app.state.serving = serving
    app.state.telemetry = telemetry
    return app


def _routes() -> Sequence[BaseRoute]:
    """List what is served beside the operations."""
    return (
        WebSocketRoute(sockets.STREAM_PATH, sockets.stream),
        *health.ROUTES,
        *pages.ROUTES,
        *login_pages.ROUTES,
    )


def _middlewares(telemetry: Telemetry) -> Sequence[Middleware]:
    """List what every request passes, the outermost first."""
    return (
        Middleware(Watched, telemetry),
        Middleware(
            CrossOrigin,
            allow_origins=("*",),
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=_SENT_HEADERS,
            expose_headers=_SHOWN_HEADERS,
        ),
        Middleware(Edge),
        Middleware(Operations, OPERATIONS, HANDLERS),
    )


async def _refused(request: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses in the contract's shape."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        found = NotFound(f"nothing is served at {request.url.path}: GET /v2/docs lists what is", path=request.url.path)
        return problem(found)
    told = error.detail if isinstance(error, HTTPException) else "the gateway failed"
    headers = error.headers if isinstance(error, HTTPException) else None
    return problem(CerverError(told), status=status, headers=headers)
