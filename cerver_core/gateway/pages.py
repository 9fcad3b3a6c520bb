"""What is read rather than called: the API's documentation, and the figures that a monitor scrapes."""

import json
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from cerver_core.gateway.answers import packed
from cerver_core.gateway.docs import page
from cerver_core.gateway.openapi import document
from cerver_core.gateway.telemetry import OPERATION, Telemetry
from cerver_core.wire.operations import JSON

__all__ = ["ROUTES"]

_VARIES = {"Vary": "Accept"}
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    **_VARIES,
}


async def _docs(request: Request) -> Response:
    request.scope[OPERATION] = "docs"
    url = str(request.base_url).rstrip("/")
    wants_page = "text/html" in request.headers.get("accept", "") and request.query_params.get("format") != "json"
    content = _page(url) if wants_page else _document(url)
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": f"W/{tag}", **(_PAGE_HEADERS if wants_page else _VARIES)}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    answer = Response(content, media_type="text/html" if wants_page else JSON, headers=headers)
    return await packed(answer, request.headers.get("accept-encoding"))


# Whoever asks chooses the address, so only the last few are kept.
@lru_cache(maxsize=8)
def _page(url: str) -> bytes:
    return page(url).encode()


@lru_cache(maxsize=8)
def _document(url: str) -> bytes:
    return json.dumps(document(url)).encode()


async def _metrics(request: Request) -> Response:
    request.scope[OPERATION] = "metrics"
    telemetry: Telemetry = request.app.state.telemetry
    text, media = telemetry.exposition(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": media})


async def _root(request: Request) -> Response:
    request.scope[OPERATION] = "docs"
    return RedirectResponse("/v2/docs")


ROUTES: Sequence[BaseRoute] = (
    Route("/", _root),
    Route("/v2/docs", _docs),
    Route("/openapi.json", _docs),
    Route("/metrics", _metrics),
)
"""`GET /v2/docs` answers OpenAPI as JSON, and a page to whoever accepts HTML."""
