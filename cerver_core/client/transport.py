"""HTTP to a gateway: credentials, limits, retries of reads, and foreign errors turned into ours, here and only here."""

import socket
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, cast
from urllib.parse import quote, urlsplit

import anyio
import httpx2
from pydantic import BaseModel, JsonValue
from pydantic_core import PydanticSerializationError

from cerver_core.client.answers import Answer, Gateway
from cerver_core.client.sse import Event, events
from cerver_core.errors import DeadlineExceeded, GatewayUnreachable, InvalidInput, ProviderFailed, TooLarge
from cerver_core.render.cut import cut_text
from cerver_core.wire.model import Request
from cerver_core.wire.operations import EVENTS, OPERATIONS, Operation

__all__ = ["Transport"]

Model = TypeVar("Model", bound=BaseModel)
Body = Request | bytes | AsyncIterable[bytes]

MAX_ANSWER_BYTES = 256 * 1024 * 1024
"""The largest JSON answer that is read: one entry of the largest size, with every byte escaped, fits. Our choice."""

_MAX_PROBLEM_BYTES = 4 * 1024 * 1024
_PAUSES_S = (0.2, 0.8)
_LONGEST_PAUSE_S = 5.0
_SILENCE_S = 60.0
"""A stream that is silent for this long is dead: comments come every 15 seconds."""


class Transport:
    """Asks one gateway with one token. An async context manager.

    Reads (GET) that lose the connection, or are answered 503, are tried three times; nothing else is sent twice.
    Every method raises `GatewayUnreachable`, `DeadlineExceeded`, `ProviderFailed` for an answer that makes no sense,
    and whatever error the gateway's answer carries.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float,
        connect_timeout_s: float,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._base_url = base_url
        self.gateway = Gateway(urlsplit(base_url).netloc.rpartition("@")[2], token)
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._sleep = sleep
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": "cerver", **({"Authorization": f"Bearer {token}"} if token else {})},
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=4),
        )

    async def __aenter__(self) -> Self:
        """Open the pool of connections; makes no call."""
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(5):
            await self._http.__aexit__(kind, error, trace)

    async def call(
        self,
        name: str,
        reply: type[Model],
        *,
        session_id: str | None = None,
        names: Mapping[str, str] | None = None,
        query: Request | None = None,
        body: Body | None = None,
        timeout_s: float | None = None,
    ) -> Model:
        """Do an operation and read its answer as the model. `names` fills the other places of its path."""
        value = await self.call_json(
            name, session_id=session_id, names=names, query=query, body=body, timeout_s=timeout_s
        )
        return self.gateway.model(reply, value, name)

    async def call_json(
        self,
        name: str,
        *,
        session_id: str | None = None,
        names: Mapping[str, str] | None = None,
        query: Request | None = None,
        body: Body | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, JsonValue]:
        """Do an operation and give its answer as a JSON object."""
        content = await self.call_bytes(
            name, session_id=session_id, names=names, query=query, body=body, timeout_s=timeout_s
        )
        return self.gateway.object(content, name)

    async def call_bytes(
        self,
        name: str,
        *,
        session_id: str | None = None,
        names: Mapping[str, str] | None = None,
        query: Request | None = None,
        body: Body | None = None,
        timeout_s: float | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> bytes:
        """Do an operation and give the body of its answer, whole.

        Raises:
            TooLarge: it is larger than `max_bytes`.
        """
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        with anyio.move_on_after(limit_s):
            places = {**(names or {}), **({} if session_id is None else {"session_id": session_id})}
            request = self._request(OPERATIONS[name], places, query, body, limit_s)
            async with self._opened(request, name) as response:
                return await self._whole(response, name, max_bytes)
        raise DeadlineExceeded(f"{self.gateway.host} did not answer {name} within {limit_s:g} s")

    @asynccontextmanager
    async def chunks(
        self, name: str, *, session_id: str, query: Request | None = None, body: Body | None = None
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Do an operation whose answer is read piece by piece; leaving the block early closes the connection."""
        request = self._request(OPERATIONS[name], {"session_id": session_id}, query, body, _SILENCE_S)
        async with self._opened(request, name) as response, aclosing(response.aiter_bytes()) as pieces:
            yield pieces

    @asynccontextmanager
    async def events(
        self, name: str, *, session_id: str, query: Request | None = None, body: Body | None = None
    ) -> AsyncGenerator[AsyncIterator[Event]]:
        """Do an operation whose answer is a stream of events; an `error` event is raised."""
        request = self._request(OPERATIONS[name], {"session_id": session_id}, query, body, _SILENCE_S)
        async with self._opened(request, name) as response:
            if not response.headers.get("content-type", "").startswith(EVENTS):
                raise ProviderFailed(f"{self.gateway.host} answered {name} without a stream of events")
            async with aclosing(response.aiter_bytes()) as pieces, aclosing(self._told(pieces)) as told:
                yield told

    async def _told(self, pieces: AsyncIterable[bytes]) -> AsyncGenerator[Event]:
        async with aclosing(events(pieces)) as found:
            async for event in found:
                if event.kind == "error":
                    raise self.gateway.carried(500, self.gateway.object(event.data.encode(), "a stream"))
                yield event

    def _request(
        self, operation: Operation, places: Mapping[str, str], query: Request | None, body: Body | None, read_s: float
    ) -> httpx2.Request:
        try:
            path = _filled(operation.path, places)
            return self._http.build_request(
                operation.method,
                self._base_url + path,
                params=_parameters(query) if query else None,
                content=body.model_dump_json(exclude_unset=True) if isinstance(body, Request) else body,
                headers={"Content-Type": operation.body_media} if operation.body_media and body is not None else None,
                timeout=httpx2.Timeout(read_s, connect=self._connect_timeout_s, pool=self._connect_timeout_s),
                extensions={"trace": _watch},
            )
        except (UnicodeEncodeError, PydanticSerializationError) as error:
            raise InvalidInput("the request holds text that is not Unicode (half of a surrogate pair)") from error

    @asynccontextmanager
    async def _opened(self, request: httpx2.Request, name: str) -> AsyncGenerator[httpx2.Response]:
        with self._mapped(name):
            response = await self._sent(request)
            try:
                if response.status_code >= 300:
                    raise self.gateway.problem(await self._answer(response, name), name)
                yield response
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                    await response.aclose()

    async def _sent(self, request: httpx2.Request) -> httpx2.Response:
        for pause_s in _PAUSES_S if request.method == "GET" else ():
            try:
                response = await self._http.send(request, stream=True)
            except (httpx2.NetworkError, httpx2.ConnectTimeout, httpx2.RemoteProtocolError):
                await self._sleep(pause_s)
                continue
            if response.status_code != 503:
                return response
            await response.aclose()
            await self._sleep(min(max(pause_s, _retry_after_s(response) or 0), _LONGEST_PAUSE_S))
        return await self._http.send(request, stream=True)

    @contextmanager
    def _mapped(self, name: str) -> Generator[None]:
        host = self.gateway.host
        try:
            yield
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol) as error:
            raise GatewayUnreachable(
                f"cannot reach the gateway at {host} ({_reason(error)}): check CERVER_GATEWAY_URL and the network"
            ) from error
        except httpx2.TimeoutException as error:
            raise DeadlineExceeded(f"{host} stopped answering {name}") from error
        except httpx2.TransportError as error:
            raise GatewayUnreachable(
                f"the connection to the gateway at {host} broke during {name} ({_reason(error)}); "
                "what was asked may have been done"
            ) from error
        except (httpx2.DecodingError, httpx2.InvalidURL) as error:
            raise ProviderFailed(f"{host} answered {name} in an encoding that cannot be read") from error

    async def _answer(self, response: httpx2.Response, name: str) -> Answer:
        return Answer(
            status=response.status_code,
            media=response.headers.get("content-type", ""),
            body=await self._whole(response, name, _MAX_PROBLEM_BYTES),
            location=response.headers.get("location"),
            retry_after_s=_retry_after_s(response),
        )

    async def _whole(self, response: httpx2.Response, name: str, max_bytes: int) -> bytes:
        collected = bytearray()
        async with aclosing(response.aiter_bytes()) as pieces:
            async for piece in pieces:
                collected += piece
                if len(collected) > max_bytes:
                    raise TooLarge(f"the answer of {self.gateway.host} to {name} is larger than {max_bytes:,} bytes")
        return bytes(collected)


async def _watch(event: str, told: Mapping[str, Any]) -> None:
    """Let the system notice when the other side of a new connection is gone, however long an answer may take."""
    if event != "connection.connect_tcp.complete":
        return
    connection: socket.socket = told["return_value"].get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _filled(path: str, places: Mapping[str, str]) -> str:
    for name, value in places.items():
        if value in {"", ".", ".."}:
            raise InvalidInput(f"{value!r} is not a {name.replace('_', ' ')}")
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def _parameters(query: Request) -> Mapping[str, str]:
    given = query.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    return {key: _parameter(value) for key, value in given.items()}


def _parameter(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, cast("list[object]", value)))
    return str(int(value)) if isinstance(value, bool) else str(value)


def _retry_after_s(response: httpx2.Response) -> float | None:
    value = response.headers.get("retry-after", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else None


def _reason(error: Exception) -> str:
    return cut_text(str(error), 200) or type(error).__name__
