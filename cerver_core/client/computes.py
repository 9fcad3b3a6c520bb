"""Computes and executions, asked of a gateway."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from cerver_core.client.sse import Event
from cerver_core.errors import GatewayUnreachable
from cerver_core.wire.computes import (
    Compute,
    ComputeList,
    ExecEvent,
    ExecFinished,
    ExecOutput,
    ExecRequest,
    ExecResult,
    ExecStarted,
    InstallRequest,
)
from cerver_core.wire.http import RunReply
from cerver_core.wire.machines import HeartbeatCompute, RegisterCompute, RelayReply, RelayRequest, RemovedCompute
from cerver_core.wire.sandboxes import Lifetime, Port, PortHost, SandboxDone

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientComputes"]

_LONGEST_EXEC_S = 24 * 3_600.0
"""What a session may allow one execution at most; the gateway ends it sooner by the session's own limit."""

_RELAY_S = 300.0
"""How long a request may take that a relay passes on (its own limit is 180 s, wire contract §3.2)."""

_MARGIN_S = 60.0
"""What the way there and back, and a cold start, may take beyond the execution."""


class ClientComputes:
    """See `cerver_core.api.computes.Computes`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def list(self) -> ComputeList:
        """List the computes this caller can use."""
        return await self._transport.call("computes.list", ComputeList)

    async def exec(self, session_id: str, request: ExecRequest) -> ExecResult:
        """Run code and wait for it; cancelling closes the connection, and the gateway ends the execution."""
        reply = await self._transport.call(
            "computes.exec", RunReply, session_id=session_id, body=request, timeout_s=_limit_s(request.timeout_s)
        )
        return ExecResult.model_validate(reply.model_dump(exclude={"result"}))

    @asynccontextmanager
    async def exec_stream(self, session_id: str, request: ExecRequest) -> AsyncGenerator[AsyncIterator[ExecEvent]]:
        """Run code and yield its output as it comes; leaving the block before the end cancels the execution."""
        async with (
            self._transport.events("computes.exec_stream", session_id=session_id, body=request) as events,
            aclosing(self._exec_events(events)) as told,
        ):
            yield told

    async def install(self, session_id: str, request: InstallRequest) -> ExecResult:
        """Install packages into the workspace."""
        return await self._transport.call(
            "computes.install", ExecResult, session_id=session_id, body=request, timeout_s=_limit_s(request.timeout_s)
        )

    async def set_lifetime(self, session_id: str, request: Lifetime) -> SandboxDone:
        """Let the session's sandbox live so long from now on."""
        return await self._transport.call("computes.set_lifetime", SandboxDone, session_id=session_id, body=request)

    async def host(self, session_id: str, request: Port) -> PortHost:
        """Tell where a port of the session's sandbox is reached."""
        return await self._transport.call("computes.host", PortHost, session_id=session_id, query=request)

    async def register(self, request: RegisterCompute) -> Compute:
        """Make a machine known."""
        return await self._transport.call("computes.register", Compute, body=request)

    async def heartbeat(self, compute_id: str, request: HeartbeatCompute) -> Compute:
        """Tell that a registered machine is there."""
        names = {"compute_id": compute_id}
        return await self._transport.call("computes.heartbeat", Compute, names=names, body=request)

    async def remove(self, compute_id: str) -> RemovedCompute:
        """Forget a registered machine."""
        return await self._transport.call("computes.remove", RemovedCompute, names={"compute_id": compute_id})

    async def relay(self, compute_id: str, request: RelayRequest) -> RelayReply:
        """Pass a request on to what listens beside a machine's relay."""
        names = {"compute_id": compute_id}
        return await self._transport.call("computes.relay", RelayReply, names=names, body=request, timeout_s=_RELAY_S)

    async def _exec_events(self, events: AsyncIterable[Event]) -> AsyncGenerator[ExecEvent]:
        async for event in events:
            try:
                told = _EVENT.validate_json(event.data)
            except ValidationError as error:
                raise self._transport.gateway.misfit(error, "computes.exec_stream") from error
            yield told
            if isinstance(told, ExecFinished):
                return
        raise GatewayUnreachable(
            f"{self._transport.gateway.host} closed the stream before the execution finished; "
            "the session's transcript tells what came of it"
        )


def _limit_s(timeout_s: float | None) -> float:
    return (_LONGEST_EXEC_S if timeout_s is None else timeout_s) + _MARGIN_S


_EVENT: TypeAdapter[ExecEvent] = TypeAdapter(
    Annotated[ExecStarted | ExecOutput | ExecFinished, Field(discriminator="type")]
)
