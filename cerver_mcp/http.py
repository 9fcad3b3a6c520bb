"""MCP over Streamable HTTP, for a gateway: the same tools for every caller, each on their own Cerver.

The key of a request says who asks; nothing of one account is held where a request of another could find it. The SDK
checks Host and Origin, and speaks both generations of the protocol.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import JSONRPCMessage
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from cerver_core.api import Caller, Cerver, Host
from cerver_core.errors import CerverError, Forbidden, NotSupported, Unauthorized
from cerver_core.gateway.mounts import Surroundings
from cerver_core.wire.problems import status_of, to_problem
from cerver_mcp.server import build_over
from cerver_mcp.tools import TOOLS
from cerver_mcp.tools.base import Call, Outcome
from cerver_mcp.tools.secrets import SECRET_FETCH

__all__ = ["McpOverHttp"]

_MOST_EVENTS = 1_000
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


async def _refuse(_call: Call, args: Any) -> Outcome:  # noqa: ANN401 - the arguments of whichever tool it is
    raise NotSupported(
        f"a gateway hands out no values: name {args.name} in cerver_run(secrets=[...]), which sets it for the code, or "
        "serve secret_fetch from the agent's own machine with cerver-mcp"
    )


_TOOLS = tuple(replace(tool, run=_refuse) if tool is SECRET_FETCH else tool for tool in TOOLS)

_caller: ContextVar[Caller] = ContextVar("_caller")


@dataclass(frozen=True, slots=True)
class _CallersOwn:
    """Gives each request the Cerver of the caller whose key it carried."""

    host: Host

    async def cerver(self) -> Cerver:
        return self.host.cerver(_caller.get())


class McpOverHttp:
    """An ASGI application that serves MCP; `run` must be entered around its life.

    The gateway's own address is allowed as host and origin beside the loopback ones. Where one process serves
    everybody, protocol sessions live in it, and a stream that broke can be resumed; several replicas serve without
    protocol sessions instead, so that any of them can answer.
    """

    def __init__(self, around: Surroundings) -> None:
        self._identify_key = around.identify
        server = build_over(partial(nullcontext, _CallersOwn(around.host)), _TOOLS)
        manager = _Resumable if around.is_alone else StreamableHTTPSessionManager
        self._sessions = manager(server, stateless=not around.is_alone, security_settings=_security(around.url))

    @asynccontextmanager
    async def run(self) -> AsyncGenerator[None]:
        """Serve while the block lasts."""
        async with self._sessions.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            caller, token = await self._identify(scope)
        except CerverError as error:
            headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else _retry_after(error)
            await JSONResponse(to_problem(error), status_of(error), headers)(scope, receive, send)
            return
        # The SDK lets a protocol session be used only by the principal that opened it.
        access = AccessToken(token=token, client_id=caller.account_id, scopes=[], subject=caller.key_id)
        mark = _caller.set(caller)
        try:
            await self._sessions.handle_request({**scope, "user": AuthenticatedUser(access)}, receive, send)
        finally:
            _caller.reset(mark)

    async def _identify(self, scope: Scope) -> tuple[Caller, str]:
        scheme, _, token = HTTPConnection(scope).headers.get("authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        caller = await self._identify_key(scope, token or None)
        if caller.kind == "publishable" or "write" not in caller.scopes:
            raise Forbidden("MCP needs a secret key with the scope write")
        return caller, token


def _security(url: str) -> TransportSecuritySettings:
    told = urlsplit(url)
    hosts = [told.netloc, *(f"{name}:*" for name in _LOOPBACK), *_LOOPBACK]
    own = [f"{told.scheme}://{told.netloc}", *(f"http://{name}:*" for name in _LOOPBACK)]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=own)


def _retry_after(error: CerverError) -> Mapping[str, str]:
    wait_s = error.detail.get("retry_after_s")
    return {"Retry-After": str(max(1, round(wait_s)))} if isinstance(wait_s, int | float) else {}


class _Resumable(StreamableHTTPSessionManager):
    """Keeps the last events of each protocol session, so that a client whose stream broke gets what it missed.

    A store for each: the SDK's numbers of streams are those of requests, and would meet those of other sessions.
    """

    @property
    def event_store(self) -> EventStore:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Give a new store: it is asked for once for each session that begins."""
        return _RecentEvents()

    @event_store.setter
    def event_store(self, _: EventStore | None) -> None: ...


class _RecentEvents(EventStore):
    """The last events of one protocol session."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._events: OrderedDict[EventId, tuple[StreamId, JSONRPCMessage | None]] = OrderedDict()

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        """Remember an event and give its id."""
        event_id = str(next(self._numbers))
        self._events[event_id] = (stream_id, message)
        if len(self._events) > _MOST_EVENTS:
            self._events.popitem(last=False)
        return event_id

    async def replay_events_after(self, last_event_id: EventId, send_callback: EventCallback) -> StreamId | None:
        """Send what came after an event on its stream; null when the event is forgotten."""
        if last_event_id not in self._events:
            return None
        stream_id, _ = self._events[last_event_id]
        after = int(last_event_id)
        for event_id, (stream, message) in list(self._events.items()):
            if stream == stream_id and int(event_id) > after and message is not None:
                await send_callback(EventMessage(message, event_id))
        return stream_id
