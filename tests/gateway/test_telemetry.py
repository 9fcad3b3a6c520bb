"""Requests are counted and timed by operation; nothing of their paths shows."""

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cerver_core.gateway.telemetry import OPERATION, Telemetry, Watched


async def _named(request: Request) -> Response:
    request.scope[OPERATION] = "sessions.get"
    return Response(status_code=int(request.path_params["status"]))


def _client(telemetry: Telemetry) -> httpx2.AsyncClient:
    app = Watched(Starlette(routes=[Route("/{status}", _named)]), telemetry)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://gateway")


async def test_requests_are_counted_by_operation_and_status() -> None:
    telemetry = Telemetry()
    async with _client(telemetry) as client:
        for status in (200, 200, 404):
            await client.get(f"/{status}")
        await client.get("/no/such/path")
    text, media = telemetry.exposition("")
    lines = text.decode().splitlines()
    assert 'cerver_requests_total{operation="sessions.get",status="200"} 2.0' in lines
    assert 'cerver_requests_total{operation="sessions.get",status="404"} 1.0' in lines
    assert 'cerver_requests_total{operation="none",status="404"} 1.0' in lines
    assert 'cerver_request_seconds_count{operation="sessions.get"} 3.0' in lines
    assert "cerver_open_requests 0.0" in lines
    assert media.startswith("text/plain")
