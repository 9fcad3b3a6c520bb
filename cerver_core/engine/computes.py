"""Computes on this machine: the places, and executions in a session's sandbox."""

from collections.abc import AsyncIterator

from cerver_core.api.computes import ExecStream
from cerver_core.engine.context import Context
from cerver_core.engine.executions import Executions
from cerver_core.engine.machines import Machines
from cerver_core.engine.reachable import Reachable
from cerver_core.engine.reaching import Reaching
from cerver_core.errors import ProviderFailed
from cerver_core.wire.computes import (
    Compute,
    ComputeList,
    ExecEvent,
    ExecFinished,
    ExecRequest,
    ExecResult,
    InstallRequest,
)
from cerver_core.wire.machines import HeartbeatCompute, RegisterCompute, RelayReply, RelayRequest, RemovedCompute
from cerver_core.wire.sandboxes import Lifetime, Port, PortHost, SandboxDone

__all__ = ["EngineComputes"]


class EngineComputes:
    """See `cerver_core.api.computes.Computes`."""

    def __init__(self, context: Context, executions: Executions) -> None:
        self._context = context
        self._executions = executions
        self._machines = Machines(context)
        self._reaching = Reaching(context)
        self._reachable = Reachable(context)

    async def list(self) -> ComputeList:
        """List the computes."""
        here = [await provider.describe() for provider in (await self._reachable.all()).providers.values()]
        return ComputeList(computes=(*here, *await self._machines.list()))

    async def exec(self, session_id: str, request: ExecRequest) -> ExecResult:
        """Run code and wait for it."""
        async with self._executions.open(session_id, request, is_streamed=False) as events:
            return await _last(events)

    def exec_stream(self, session_id: str, request: ExecRequest) -> ExecStream:
        """Run code and yield its output as it comes."""
        return self._executions.open(session_id, request, is_streamed=True)

    async def install(self, session_id: str, request: InstallRequest) -> ExecResult:
        """Install packages into the workspace."""
        async with self._executions.open_install(session_id, request) as events:
            return await _last(events)

    async def set_lifetime(self, session_id: str, request: Lifetime) -> SandboxDone:
        """Let the session's sandbox live so long from now on."""
        return await self._reaching.set_lifetime(session_id, request)

    async def host(self, session_id: str, request: Port) -> PortHost:
        """Tell where a port of the session's sandbox is reached."""
        return await self._reaching.host(session_id, request)

    async def register(self, request: RegisterCompute) -> Compute:
        """Make a machine known."""
        return await self._machines.register(request)

    async def heartbeat(self, compute_id: str, request: HeartbeatCompute) -> Compute:
        """Tell that a registered machine is there."""
        return await self._machines.heartbeat(compute_id, request)

    async def remove(self, compute_id: str) -> RemovedCompute:
        """Forget a registered machine."""
        return await self._machines.remove(compute_id)

    async def relay(self, compute_id: str, request: RelayRequest) -> RelayReply:
        """Pass a request on to a machine."""
        return await self._machines.relay(compute_id, request)


async def _last(events: AsyncIterator[ExecEvent]) -> ExecResult:
    async for event in events:
        if isinstance(event, ExecFinished):
            return event.result
    raise ProviderFailed("an execution ended without a result")
