"""Loads an HTTP server from so many connections at once, as cheaply as Python can: bytes out, lengths in."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

__all__ = ["Load", "Taken", "ask", "load"]


@dataclass
class Taken:
    """What a round took: its length, and each answer's latency, in seconds."""

    wall_s: float = 0
    latencies_s: list[float] = field(default_factory=list[float])

    @property
    def per_s(self) -> float:
        """Give the requests per second."""
        return len(self.latencies_s) / self.wall_s

    def at(self, quantile: float) -> float:
        """Give a quantile of the latencies, in milliseconds."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * quantile))] * 1_000


@dataclass
class Load:
    """One round under way."""

    request: bytes
    left: int
    taken: Taken = field(default_factory=Taken)
    open: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)


class _Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._waiting = 0
        self._head = b""
        self._sent_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self._load.open += 1
        self._next()

    def _next(self) -> None:
        assert self._transport is not None
        if self._load.left <= 0:
            self._transport.close()
            return
        self._load.left -= 1
        self._head, self._waiting = b"", 0
        self._sent_s = time.perf_counter()
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        if self._waiting:
            self._waiting -= len(data)
        else:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")), self._head
            length = head.lower().partition(b"content-length: ")[2]
            self._waiting = int(length.partition(b"\r\n")[0]) - len(body)
        if self._waiting <= 0:
            self._load.taken.latencies_s.append(time.perf_counter() - self._sent_s)
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.open -= 1
        if self._load.open == 0:
            self._load.done.set()


async def load(port: int, request: bytes, *, count: int, connections: int) -> Taken:
    """Send the request so often, over so many connections that each wait for their answer."""
    round_ = Load(request, count)
    began = time.perf_counter()
    running = asyncio.get_running_loop()
    make: Callable[[], _Connection] = lambda: _Connection(round_)  # noqa: E731 - a factory
    await asyncio.gather(*(running.create_connection(make, "127.0.0.1", port) for _ in range(connections)))
    await asyncio.wait_for(round_.done.wait(), 120)
    round_.taken.wall_s = time.perf_counter() - began
    return round_.taken


def ask(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """Write a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
