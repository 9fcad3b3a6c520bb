"""The wire of the running server: lines on two descriptors in, the SDK's messages out, and back.

Not the SDK's own stdio transport: that reads in a thread that cannot be cancelled, so that the process outlives a
signal for as long as its client keeps the pipe open; it takes two thread switches a message; and it answers nothing to
a line that is no message.
"""

import errno
import os
import select
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError, JSONRPCResponse, jsonrpc_message_adapter
from pydantic import ValidationError

from cerver_mcp.handover import Handover
from cerver_mcp.lines import LineBuffer, Oversized, error_line, parse

__all__ = ["Streams", "open_wire"]

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]

_CHUNK_BYTES = 1 << 16
_SAFE_WRITE_BYTES = select.PIPE_BUF
"""A descriptor that is ready takes this much without blocking."""


@asynccontextmanager
async def open_wire(handover: Handover, on_eof: Callable[[], None]) -> AsyncGenerator[Streams]:
    """Give the streams that an SDK server runs on; `on_eof` is called when the client has left."""
    incoming, read_stream = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write_stream, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    writer = _Writer(handover.write_fd, handover.already_answered, on_eof)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, handover, incoming, writer, on_eof)
        tasks.start_soon(_write, outgoing, writer)
        yield read_stream, write_stream
        tasks.cancel_scope.cancel()


async def _read(
    handover: Handover,
    incoming: MemoryObjectSendStream[SessionMessage | Exception],
    writer: "_Writer",
    on_eof: Callable[[], None],
) -> None:
    async with incoming:
        for line in handover.lines:
            await _pass_on(line, incoming, writer)
        buffer = LineBuffer()
        data = handover.rest
        while True:
            for line in buffer.feed(data):
                await _pass_on(line, incoming, writer)
            data = await _read_chunk(handover.read_fd)
            if not data:
                break
        on_eof()


async def _pass_on(
    line: bytes | Oversized, incoming: MemoryObjectSendStream[SessionMessage | Exception], writer: "_Writer"
) -> None:
    if not isinstance(line, Oversized):
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError:
            pass
        else:
            await incoming.send(SessionMessage(message))
            return
    known, refusal = parse(line)
    request_id = known.get("id") if known else None
    await writer.write(refusal or error_line(request_id, -32600, "Invalid request: not a JSON-RPC 2.0 message"))


async def _read_chunk(fd: int) -> bytes:
    try:
        await anyio.wait_readable(fd)
    except OSError as error:
        if error.errno != errno.EPERM:
            return b""
        # A file or a device that cannot be waited for.
        return await anyio.to_thread.run_sync(os.read, fd, _CHUNK_BYTES, abandon_on_cancel=True)
    try:
        return os.read(fd, _CHUNK_BYTES)
    except OSError:
        return b""


async def _write(outgoing: MemoryObjectReceiveStream[SessionMessage], writer: "_Writer") -> None:
    async with outgoing:
        async for item in outgoing:
            message = item.message
            if isinstance(message, JSONRPCResponse | JSONRPCError) and writer.is_repeat(message.id):
                continue
            await writer.write(message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")


class _Writer:
    """Writes whole lines, one at a time, without ever blocking the loop on a client that does not read."""

    def __init__(self, fd: int, already_answered: str | int | None, on_eof: Callable[[], None]) -> None:
        self._fd = fd
        self._answered = already_answered
        self._on_eof = on_eof
        self._lock = anyio.Lock()
        self._ready = select.poll()
        self._ready.register(fd, select.POLLOUT)

    def is_repeat(self, request_id: str | int | None) -> bool:
        """Tell, once, that this reply was already given before the server was there."""
        if self._answered is None or request_id != self._answered:
            return False
        self._answered = None
        return True

    async def write(self, line: bytes) -> None:
        """Write one line; a client that is gone ends the process."""
        async with self._lock:
            try:
                await self._write_all(memoryview(line))
            except OSError:
                self._on_eof()

    async def _write_all(self, rest: memoryview) -> None:
        while rest:
            if not self._ready.poll(0):
                await self._until_writable()
            rest = rest[os.write(self._fd, rest[:_SAFE_WRITE_BYTES]) :]

    async def _until_writable(self) -> None:
        try:
            await anyio.wait_writable(self._fd)
        except PermissionError:
            await anyio.to_thread.run_sync(partial(self._ready.poll, None), abandon_on_cancel=True)
