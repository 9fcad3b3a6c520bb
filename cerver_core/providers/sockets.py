"""Read what a server tells over a WebSocket, on the vendor's own HTTP; nothing is sent but answers to pings.

There is no task behind it: whoever iterates reads the connection, so a slow reader holds the server back.
"""

import base64
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Protocol, Self, cast

import anyio
import httpx2

from cerver_core.errors import NotSupported, ProviderUnavailable
from cerver_core.providers.http import CloudHttp, trusted

if TYPE_CHECKING:
    from wsproto.connection import Connection

__all__ = ["Sockets"]

_READ_BYTES = 64 * 1024
_CLOSE_S = 5.0
_CONNECT_S = 10.0
_NORMAL = (1000, 1005)


class _Stream(Protocol):
    """The bytes under an HTTP connection that was upgraded."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's own
        """Read some; empty at the end."""
        ...

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's own
        """Write all."""
        ...


class Sockets:
    """Opens WebSockets to one vendor. An async context manager beside its `CloudHttp`."""

    def __init__(self, http: CloudHttp, headers: Mapping[str, str]) -> None:
        """Send `headers` with each handshake; failures are told as `http` tells them."""
        self._http = http
        self._headers = {"User-Agent": "cerver", **headers}
        self._client: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the connections that are left."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
            if self._client is not None:
                await self._client.aclose()
                self._client = None

    @asynccontextmanager
    async def messages(self, url: str, query: Mapping[str, str]) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Give what the server tells, in pieces, until it closes in order.

        Raises:
            ProviderUnavailable: the connection broke, or was closed with a failure.
            NotSupported: what reads WebSockets is not installed; the message names the extra.
        """
        connection = self._new_connection()
        with self._http.mapped(f"GET {httpx2.URL(url).path}"):
            if self._client is None:
                limit = httpx2.Timeout(None, connect=_CONNECT_S)
                guard = self._http.transport
                self._client = httpx2.AsyncClient(
                    headers=self._headers,
                    timeout=limit,
                    verify=trusted(),
                    transport=None if guard is None else guard(),
                    trust_env=guard is None,
                )
            request = self._client.build_request("GET", url, params=query, headers=_handshake())
            response = await self._client.send(request, stream=True)
            try:
                if response.status_code != 101:
                    await response.aread()
                    raise self._http.problem(response.status_code, f"GET {request.url.path}", message=response.text)
                stream = cast("_Stream", response.extensions["network_stream"])
                async with aclosing(self._pieces(stream, connection)) as pieces:
                    yield pieces
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
                    await response.aclose()

    def _new_connection(self) -> "Connection":
        try:
            from wsproto.connection import Connection, ConnectionType  # noqa: PLC0415 - an optional part
        except ImportError as error:
            name = self._http.vendor.name
            raise NotSupported(
                f"{name} needs the extra of its name: install cerver-mcp[{name}]", provider=name
            ) from error
        return Connection(ConnectionType.CLIENT)

    async def _pieces(self, stream: _Stream, connection: "Connection") -> AsyncGenerator[bytes]:
        from httpcore2 import NetworkError  # noqa: PLC0415 - it costs 90 ms, and comes with the first connection anyway
        from wsproto import events  # noqa: PLC0415 - an optional part

        while True:
            try:
                read = await stream.read(_READ_BYTES)
            except NetworkError as error:
                raise self._broken("broke off") from error
            connection.receive_data(read or None)
            for event in connection.events():
                if isinstance(event, events.TextMessage):
                    yield event.data.encode()
                elif isinstance(event, events.BytesMessage):
                    yield bytes(event.data)
                elif isinstance(event, events.Ping):
                    await stream.write(connection.send(event.response()))
                elif isinstance(event, events.CloseConnection):
                    if event.code in _NORMAL:
                        return
                    raise self._broken(f"closed it with code {int(event.code)}")
            if not read:
                raise self._broken("broke off")

    def _broken(self, how: str) -> ProviderUnavailable:
        name = self._http.vendor.name
        return ProviderUnavailable(f"the stream of output from {name} {how}; the command may go on", provider=name)


def _handshake() -> dict[str, str]:
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    return {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}
