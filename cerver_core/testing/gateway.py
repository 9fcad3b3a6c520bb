"""A stand-in for a gateway's wire: answers in the contract's shapes from dictionaries, and fails when told to.

It proves clients, nothing else: it has no rules of its own, runs no code and forgets everything. It listens on a real
socket of this machine, and writes its JSON by hand, so that a mistake in the wire models shows.
"""

import json
import socket
import threading
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
import uvicorn
from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cerver_core.testing.gateway_answers import ANSWERS, Kept, problem
from cerver_core.wire.operations import OPERATIONS

__all__ = ["Seen", "StandInGateway", "stand_in_gateway"]

_FOREVER_S = 600


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> JsonValue:
        """Read the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class _Canned:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    silent: bool = False


class StandInGateway:
    """The gateway as a test sees it: where it is, what it was asked, what it shall answer next."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self.seen: list[Seen] = []
        self.kept = Kept()
        self._canned: deque[_Canned] = deque()

    @property
    def left_early(self) -> threading.Event:
        """Is set when a client closed the connection of a stream before its end."""
        return self.kept.left_early

    def answer_next(
        self, status: int, body: object, *, headers: Mapping[str, str] | None = None, times: int = 1
    ) -> None:
        """Answer the next requests with this: bytes as a page of HTML, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        media = "text/html" if isinstance(body, bytes) else "application/json"
        self._canned.extend([_Canned(status, content, {"Content-Type": media, **(headers or {})})] * times)

    def stay_silent(self) -> None:
        """Take the next request and never answer it."""
        self._canned.append(_Canned(silent=True))

    async def answer(self, name: str, request: Request) -> Response:
        """Answer one request: as told, or after checking the token by the operation."""
        body = await request.body()
        self.seen.append(
            Seen(request.method, request.url.path, dict(request.query_params), dict(request.headers), body)
        )
        if self._canned:
            return await _told(self._canned.popleft())
        if name not in ANSWERS:
            return JSONResponse(problem("not_found", f"the stand-in does no {name} by itself"), 404)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return JSONResponse(problem("unauthorized", "the key is not known"), 401)
        return await ANSWERS[name](self.kept, request)


@contextmanager
def stand_in_gateway(token: str = "ck_stand_in") -> Generator[StandInGateway]:
    """Run a stand-in on a free port of this machine for as long as the block lasts."""
    # The protocol is named because asyncio switches Nagle's delay off only where it is: 2 ms a call instead of 45.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        gateway = StandInGateway(f"http://127.0.0.1:{listener.getsockname()[1]}", token)
        routes = [
            Route(operation.path, partial(gateway.answer, name), methods=[operation.method])
            for name, operation in OPERATIONS.items()
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), log_config=None, lifespan="off", ws="none", loop="asyncio", http="h11"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="stand-in gateway")
        thread.start()
        try:
            yield gateway
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)


async def _told(canned: _Canned) -> Response:
    if canned.silent:
        await anyio.sleep(_FOREVER_S)
    return Response(canned.body, canned.status, dict(canned.headers))
