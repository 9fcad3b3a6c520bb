"""Health of a gateway: `/healthz` says that the process answers, `/readyz` that calls can be served now."""

from collections.abc import Sequence

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from cerver_core.errors import CerverError, Unavailable
from cerver_core.gateway.answers import problem
from cerver_core.gateway.call import Serving
from cerver_core.wire.operations import JSON

__all__ = ["ROUTES"]

_PATIENCE_S = 5


async def _healthz(request: Request) -> Response:
    del request
    return Response(b'{"status":"ok"}', media_type=JSON)


async def _readyz(request: Request) -> Response:
    serving: Serving = request.app.state.serving
    if serving.live.stopping.is_set():
        return problem(Unavailable("the gateway is stopping"))
    with anyio.move_on_after(_PATIENCE_S):
        try:
            is_ready = await serving.host.is_ready()
        except CerverError:
            is_ready = False
        if is_ready:
            return Response(b'{"status":"ready"}', media_type=JSON)
    return problem(Unavailable("the store does not answer"))


ROUTES: Sequence[BaseRoute] = (Route("/healthz", _healthz), Route("/readyz", _readyz))
