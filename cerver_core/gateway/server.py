"""Serves an application on sockets with uvicorn: limits on headers and connections, and an orderly end."""

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cerver_core.errors import InvalidInput, TooLarge
from cerver_core.gateway.answers import problem_text
from cerver_core.gateway.call import Serving
from cerver_core.gateway.limits import Limits

__all__ = ["Server", "bind", "inherited"]

_BACKLOG = 2_048
_DOORS = 16
"""The event loop (libuv since 1.45) takes one connection of a socket each time round, and serves all requests that wait
in between: of many callers who come at once the last would wait for long. So it listens this often. Our choice."""

_KEEP_ALIVE_S = 75
_CANCEL_MARGIN_S = 5
_CLEAN_UP_S = 10


class Server(uvicorn.Server):
    """Serves until `should_exit`: then accepts no more, ends the streams with a word, and lets requests finish.

    Signals are its caller's affair. `on_started` is called once connections are accepted.
    """

    def __init__(self, app: Starlette, *, on_started: Callable[[], None] | None = None) -> None:
        self._on_started = on_started
        self._serving: Serving = app.state.serving
        limits = self._serving.limits
        super().__init__(
            uvicorn.Config(
                app,
                http=_protocol(limits),
                ws="websockets-sansio",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(limits.drain_s + _CANCEL_MARGIN_S),
                ws_max_size=limits.socket_message_bytes,
                ws_max_queue=16,
            )
        )

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept, and say so."""
        doors = [one.dup() for one in sockets or () for _ in range(_DOORS - 1)]
        await super().startup([*sockets, *doors] if sockets else None)
        if self._on_started is not None and self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in order; with `force_exit`, break off what still runs, and let it clean up."""
        self._serving.live.stop()
        await super().shutdown(sockets)
        left = set(self.server_state.tasks)
        if self.force_exit:
            for task in left:
                task.cancel()
        if left:
            await asyncio.wait(left, timeout=_CLEAN_UP_S)
        if self.force_exit:
            await self.lifespan.shutdown()  # uvicorn leaves it out then, and its task would be torn


def bind(host: str, port: int) -> socket.socket:
    """Open the listening socket; several processes may serve it.

    Raises:
        OSError: the address is in use, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only where it is: 2 ms a call instead of 45.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def inherited(descriptor: int) -> socket.socket:
    """Take over a listening socket that another process opened with `bind`."""
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    return listener


def _protocol(limits: Limits) -> type[asyncio.Protocol]:
    class Limited(_LimitedProtocol):
        header_bytes = limits.header_bytes
        header_s = limits.header_s

    return Limited


class _LimitedProtocol(HttpToolsProtocol):
    """Refuses headers that are too large, and closes connections on which none come.

    Of a header that has not ended yet the parser tells nothing: what came in all bounds it.
    """

    header_bytes: int
    header_s: float
    _told_bytes = 0
    _untold_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is not None:
            self._untold_bytes += len(data)
            if self._untold_bytes > self.header_bytes:
                self.send_400_response("")

    def on_message_begin(self) -> None:
        self._await_headers()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self.transport.is_closing():
            return
        self._stop_timer()
        is_large = max(self._told_bytes, self._untold_bytes) > self.header_bytes
        told = TooLarge(f"the request line and headers are larger than {self.header_bytes:,} bytes")
        error = told if is_large else InvalidInput(msg or "this is no HTTP request")
        body = problem_text(error)
        line = b"431 Request Header Fields Too Large" if is_large else b"400 Bad Request"
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(head % (line, len(body)) + body)
        self.transport.close()

    def _await_headers(self) -> None:
        self._told_bytes = self._untold_bytes = 0
        self._stop_timer()
        self._timer = self.loop.call_later(self.header_s, self._give_up)

    def _count(self, size: int) -> None:
        self._told_bytes += size
        if self._told_bytes > self.header_bytes:
            raise ValueError("the headers are too large")  # the parser reports it, and `send_400_response` says it

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
