"""Answers that go on: executions and live transcripts as server-sent events. A caller who leaves ends what they began.

A comment comes in every silence of `heartbeat_s`; a caller who takes nothing for `send_s` is given up.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from cerver_core.errors import CerverError, Unauthorized, Unavailable
from cerver_core.gateway.answers import problem, problem_text
from cerver_core.gateway.call import Call
from cerver_core.gateway.live import Tail
from cerver_core.gateway.unexpected import expected_only
from cerver_core.wire.computes import ExecEvent, ExecStarted
from cerver_core.wire.operations import EVENTS

__all__ = ["ExecAnswer", "FollowAnswer", "while_connected"]

Result = TypeVar("Result")
Events = AbstractAsyncContextManager[AsyncIterator[ExecEvent]]

_HEARTBEAT = b": heartbeat\n\n"
_ROOM = 64
"""How many events of an execution wait for a slow caller before the command's own output has to."""


async def while_connected(call: Call, work: Callable[[], Awaitable[Result]]) -> Result:
    """Do something for as long as the caller is there; it is cancelled when they leave or the gateway has to end."""
    result: list[Result] = []
    failure: CerverError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_cancel_when_gone, call.receive, tasks.cancel_scope)
        tasks.start_soon(_cancel_when_drained, call, tasks.cancel_scope)
        try:
            with expected_only(call.operation.name):
                result.append(await work())
        except CerverError as error:
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if not result:
        raise _stopping("what was running was ended")
    return result[0]


class _EventAnswer(Response):
    """What both kinds have in common: headers, frames, heartbeats."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._limits = call.serving.limits
        self.background = None
        self.status_code = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until the end, or until the caller leaves."""
        failure: CerverError | None = None
        key_id = self._call.caller.key_id if self._call.caller else ""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_when_gone, receive, tasks.cancel_scope)
            try:
                with self._call.serving.rates.stream(key_id), expected_only(self._call.operation.name):
                    await self._stream(scope, receive, send)
            except CerverError as error:
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("each kind of stream says how")

    async def _begin(self, send: Send, **headers: str) -> None:
        told = {"content-type": EVENTS, "cache-control": "no-store", "x-accel-buffering": "no", **headers}
        raw = [(name.replace("_", "-").encode(), value.encode("latin-1", "replace")) for name, value in told.items()]
        await self._send(send, {"type": "http.response.start", "status": 200, "headers": raw})

    async def _frames(self, send: Send, frames: bytes) -> None:
        await self._send(send, {"type": "http.response.body", "body": frames, "more_body": True})

    async def _end(self, send: Send, frames: bytes = b"") -> None:
        await self._send(send, {"type": "http.response.body", "body": frames, "more_body": False})

    async def _send(self, send: Send, message: Message) -> None:
        with anyio.move_on_after(self._limits.send_s) as limit:
            await send(message)
        if limit.cancelled_caught:
            raise Unavailable(f"the caller took nothing for {self._limits.send_s:g} s")


class ExecAnswer(_EventAnswer):
    """An execution as it runs. What goes wrong before it runs is answered as a problem, later as an `error` event."""

    def __init__(self, call: Call, events: Events) -> None:
        super().__init__(call)
        self._events = events

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        to, frames = anyio.create_memory_object_stream[ExecEvent | CerverError](_ROOM)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run, to)
            tasks.start_soon(_cancel_when_drained, self._call, tasks.cancel_scope)
            with frames:
                await self._pass_on(frames, scope, receive, send)
            tasks.cancel_scope.cancel()
        if self._call.serving.live.stopping.is_set() and not self._is_over:
            await self._end(send, _error_event(_stopping("the execution was ended")))

    async def _run(self, to: MemoryObjectSendStream[ExecEvent | CerverError]) -> None:
        with to:
            try:
                with expected_only(self._call.operation.name):
                    async with self._events as events:
                        async for event in events:
                            await to.send(event)
            except CerverError as error:
                await to.send(error)

    async def _pass_on(
        self, frames: MemoryObjectReceiveStream[ExecEvent | CerverError], scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._is_over = False
        first = await frames.receive()
        if isinstance(first, CerverError):
            self._is_over = True
            await problem(first)(scope, receive, send)
            return
        await self._begin(send, **_about(first))
        waiting = [first]
        while True:
            if waiting:
                await self._frames(send, b"".join(map(_frame, waiting)))
            with anyio.move_on_after(self._limits.heartbeat_s) as limit:
                try:
                    waiting = [await frames.receive()]
                except anyio.EndOfStream:
                    break
                waiting.extend(_more(frames))
            if limit.cancelled_caught:
                waiting = []
                await self._frames(send, _HEARTBEAT)
        self._is_over = True
        await self._end(send)


class FollowAnswer(_EventAnswer):
    """A transcript as it grows. The caller's key is checked again now and then, so that a revoked one ends it."""

    def __init__(self, call: Call, tail: AbstractAsyncContextManager[Tail]) -> None:
        super().__init__(call)
        self._tail = tail

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._tail as tail:
            await self._begin(send)
            try:
                await self._frames(send, b": connected\n\n")
                await self._follow(tail, send)
            except CerverError as error:
                error.detail.setdefault("last_seq", tail.seq)
                await self._end(send, _error_event(error))

    async def _follow(self, tail: Tail, send: Send) -> None:
        checked = anyio.current_time()
        while (shown := await tail.next(self._limits.heartbeat_s)) is not None:
            await self._frames(send, b"".join([one.event for one in shown]) or _HEARTBEAT)
            if anyio.current_time() - checked >= self._limits.heartbeat_s:
                await still_good(self._call)
                checked = anyio.current_time()
        await self._end(send, b"event: end\ndata: {}\n\n")


async def still_good(call: Call) -> None:
    """Check a long call's key once more.

    Raises:
        Unauthorized: it was revoked, or has expired.
    """
    if call.token is None:
        raise Unauthorized("the key is gone")
    await call.serving.host.authenticate(call.token)


async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _cancel_when_drained(call: Call, scope: anyio.CancelScope) -> None:
    await call.serving.live.stopping.wait()
    await anyio.sleep(call.serving.limits.drain_s)
    scope.cancel()


def _stopping(what: str) -> Unavailable:
    return Unavailable(f"the gateway is stopping: {what}; the session's transcript tells what came of it")


def _more(frames: MemoryObjectReceiveStream[ExecEvent | CerverError]) -> list[ExecEvent | CerverError]:
    found: list[ExecEvent | CerverError] = []
    while len(found) < _ROOM:
        try:
            found.append(frames.receive_nowait())
        except (anyio.WouldBlock, anyio.EndOfStream):
            break
    return found


def _about(event: ExecEvent) -> dict[str, str]:
    if not isinstance(event, ExecStarted):
        return {}
    return {
        "x_cerver_session_id": event.session_id,
        "x_cerver_provider": event.provider,
        "x_cerver_stream_latency_ms": f"{event.stream_latency_ms:g}",
    }


def _frame(event: ExecEvent | CerverError) -> bytes:
    if isinstance(event, CerverError):
        return _error_event(event)
    text = event.__pydantic_serializer__.to_json(event, by_alias=True)
    return b"event: %b\ndata: %b\n\n" % (event.type.encode(), text)


def _error_event(error: CerverError) -> bytes:
    return b"event: error\ndata: %b\n\n" % problem_text(error)
