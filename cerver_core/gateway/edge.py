"""The edge of the gateway: gives every request an id, turns errors into problem bodies, and logs one line about it.

What nobody expected is logged with its trace and answered as 500 without it.
"""

import itertools
import logging
import os
import re
import time

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cerver_core.errors import CerverError
from cerver_core.gateway.answers import problem
from cerver_core.gateway.reading import BodyTooSlow, header
from cerver_core.gateway.unexpected import expected_only
from cerver_core.wire.problems import status_of

__all__ = ["Edge", "request_id"]

_log = logging.getLogger(__name__)
_LONGEST_ID = 128
_KEY = re.compile(r"([cp]k_[0-9A-Za-z]{1,16})[_0-9A-Za-z]*")
"""What a key in a path looks like (older clients revoke by the whole key); its secret is not logged."""
_GONE = 499
"""What is logged, never sent, for a caller who went away; nginx's word for it."""


def request_id(scope: Scope) -> str:
    """Give the id of a request; it is made, or taken from `X-Request-Id`, at the edge."""
    told: str = scope.get("cerver.request_id", "")
    return told


class Edge:
    """An ASGI middleware round everything that answers HTTP."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Drawn once: a system call for every request would give up the interpreter's lock each time.
        self._prefix = f"req_{os.urandom(6).hex()}"
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope["cerver.request_id"] = self._id_of(scope) if scope["type"] != "lifespan" else ""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        told = _Told(send, scope["cerver.request_id"].encode())
        code: str | None = None
        try:
            with expected_only(f"{scope['method']} {scope['path']}", request_id(scope)):
                await self._app(scope, receive, told)
        except ClientDisconnect:
            told.status = told.status or _GONE
        except CerverError as error:
            code = error.code
            if status_of(error) >= 500:
                _log.warning("a request failed", extra={"request_id": request_id(scope), "reason": error.message})
            if not told.status:
                await _refusal(error)(scope, receive, told)
        finally:
            _log.info("request", extra=_line(scope, told, began, code))

    def _id_of(self, scope: Scope) -> str:
        told = header(scope, b"x-request-id")
        if told is not None and 0 < len(told) <= _LONGEST_ID and told.isascii() and told.isprintable():
            return told
        return f"{self._prefix}{next(self._numbers):08x}"


class _Told:
    """Passes an answer on and remembers what it was."""

    def __init__(self, send: Send, id_of_request: bytes) -> None:
        self._send = send
        self._id = id_of_request
        self.status = 0
        self.bytes = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", self._id)]}
        else:
            self.bytes += len(message.get("body", b""))
        try:
            await self._send(message)
        except RuntimeError as error:
            if "closed" in str(error):  # how uvloop says that the caller's connection is gone
                raise ClientDisconnect from error
            raise


def _refusal(error: CerverError) -> Response:
    """Close the connection where the rest of a body may still be coming."""
    if isinstance(error, BodyTooSlow):
        return problem(error, status=408, headers={"Connection": "close"})
    return problem(error, headers={"Connection": "close"} if error.code == "too_large" else None)


def _line(scope: Scope, told: _Told, began: float, code: str | None) -> dict[str, object]:
    """Say of a request what may be known by whoever reads logs: no query, no body, no key."""
    return {
        "request_id": request_id(scope),
        "method": scope["method"],
        "path": _KEY.sub(r"\1…", scope["path"]),
        "status": told.status or _GONE,
        "duration_ms": round((time.perf_counter() - began) * 1_000, 3),
        "bytes": told.bytes,
        "operation": scope.get("cerver.operation"),
        "key_id": scope.get("cerver.key_id"),
        "code": code,
    }
