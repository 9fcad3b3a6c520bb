"""Answers as HTTP responses: models as JSON, errors as problem bodies."""

import gzip
from collections.abc import Mapping
from functools import partial

import anyio.to_thread
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import Response

from cerver_core.errors import CerverError, Unauthorized
from cerver_core.wire.operations import JSON
from cerver_core.wire.problems import status_of, to_problem

__all__ = ["json_answer", "packed", "problem", "problem_text"]

_PACK_ABOVE_BYTES = 16 * 1024
"""Below this, compressing costs more time than a fast network saves. Our choice."""

_TEXT = frozenset({JSON, "text/html"})

_LONG_BYTES = 256 * 1024
"""What takes milliseconds to compress, while others wait for the event loop."""


def json_answer(reply: BaseModel, status: int = 200) -> Response:
    """Write a reply as JSON; it is dumped once, by its wire names."""
    return Response(reply.__pydantic_serializer__.to_json(reply, by_alias=True), status, media_type=JSON)


async def packed(response: Response, accepted: str | None) -> Response:
    """Compress a large JSON or HTML answer for a caller who takes gzip; streams and bytes stay as they are."""
    if accepted is None or "gzip" not in accepted or type(response) is not Response or response.media_type not in _TEXT:
        return response
    content = bytes(response.body)
    if len(content) < _PACK_ABOVE_BYTES:
        return response
    squeeze = partial(gzip.compress, content, compresslevel=1, mtime=0)
    body = await anyio.to_thread.run_sync(squeeze) if len(content) > _LONG_BYTES else squeeze()
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    headers["content-encoding"] = "gzip"
    headers["vary"] = ", ".join(filter(None, (headers.get("vary"), "Accept-Encoding")))
    return Response(body, response.status_code, headers)


def problem(error: CerverError, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Write an error as its problem body, with the headers that belong to it."""
    told = dict(headers or {})
    if isinstance(error, Unauthorized):
        told["WWW-Authenticate"] = 'Bearer realm="cerver"'
    wait_s = error.detail.get("retry_after_s")
    if isinstance(wait_s, int | float):
        told["Retry-After"] = str(max(1, round(wait_s)))
    return Response(problem_text(error), status or status_of(error), told, JSON)


def problem_text(error: CerverError) -> bytes:
    """Write an error's body; what JSON cannot hold is written as text."""
    return to_json(to_problem(error), fallback=str, inf_nan_mode="null")
