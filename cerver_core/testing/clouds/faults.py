"""Faults of a stand-in, injected between its server and its answers: refusals, silence, halves, broken streams."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Fault", "Faults", "Seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the next `times` requests whose method and path (`POST /x`) the pattern finds.

    `status` answers at once with that status, `body` and `headers`. `cut_after` breaks the connection after so many
    bytes of the real answer. `holds` never answers. `lets_work` does the work before the status is answered.
    """

    pattern: str
    status: int | None = None
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut_after: int | None = None
    holds: bool = False
    lets_work: bool = False
    times: int = 1


class CutError(Exception):
    """Ends a connection in the middle."""


class Faults:
    """Wraps the application of a stand-in. `plan` adds a fault; `seen` lists every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._planned: list[tuple[Fault, int]] = []
        self.seen: list[Seen] = []

    def plan(self, fault: Fault) -> None:
        """Let something go wrong."""
        self._planned.append((fault, fault.times))

    def clear(self) -> None:
        """Let nothing go wrong any more, and forget what was seen."""
        self._planned.clear()
        self.seen.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or fail it."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
        query = scope.get("query_string", b"").decode()
        seen = Seen(scope.get("method", ""), scope.get("path", ""), query, headers)
        self.seen.append(seen)
        fault = self._due(f"{seen.method} {seen.path}")
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.holds:
            while (await receive())["type"] != "http.disconnect":
                continue
        elif fault.cut_after is not None:
            await self._app(scope, receive, _Cut(send, fault.cut_after))
        else:
            if fault.lets_work:
                await self._app(scope, receive, _nowhere)
            body = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
            told = {"content-type": "application/json", **fault.headers}
            pairs = [(name.encode(), value.encode()) for name, value in told.items()]
            await send({"type": "http.response.start", "status": fault.status or 500, "headers": pairs})
            await send({"type": "http.response.body", "body": body})

    def _due(self, asked: str) -> Fault | None:
        for index, (fault, left) in enumerate(self._planned):
            if re.search(fault.pattern, asked):
                if left > 1:
                    self._planned[index] = (fault, left - 1)
                else:
                    del self._planned[index]
                return fault
        return None


async def _nowhere(message: Message) -> None:
    """Drop an answer."""


class _Cut:
    def __init__(self, send: Send, left: int) -> None:
        self._send = send
        self._left = left

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            body: bytes = message.get("body", b"")
            if len(body) >= self._left:
                await self._send({"type": "http.response.body", "body": body[: self._left], "more_body": True})
                # Breaking off inside of a chunked body makes the server close the connection.
                raise CutError
            self._left -= len(body)
        await self._send(message)
