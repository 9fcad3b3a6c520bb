"""The contract of computes: places, and executions in a session's sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cerver_core.wire.computes import (
        Compute,
        ComputeList,
        ExecEvent,
        ExecRequest,
        ExecResult,
        InstallRequest,
    )
    from cerver_core.wire.machines import HeartbeatCompute, RegisterCompute, RelayReply, RelayRequest, RemovedCompute
    from cerver_core.wire.sandboxes import Lifetime, Port, PortHost, SandboxDone

__all__ = ["Computes", "ExecStream"]

ExecStream = AbstractAsyncContextManager[AsyncIterator["ExecEvent"]]
"""Yields `ExecStarted`, then `ExecOutput` as it comes, then one `ExecFinished`. Leaving the block early kills."""


class Computes(Protocol):
    """Places where code runs."""

    async def list(self) -> ComputeList:
        """List the computes this caller can use, with what each can do and how well it isolates."""
        ...

    async def exec(self, session_id: str, request: ExecRequest) -> ExecResult:
        """Run code and wait for it. What ran and what came back are in the transcript afterwards.

        Cancelling the call, a timeout, or the death of this process leaves no process of the execution's tree. A
        process that the code deliberately left in the background stays until the session is paused or ended.

        Raises:
            SessionStateConflict: the session is paused, over, or memory alone.
            RuntimeMissing: the compute lacks the runtime.
            InvalidInput: the timeout exceeds the session's, a name or path is malformed.
            SecretError: a named secret could not be resolved; nothing ran.
        """
        ...

    def exec_stream(self, session_id: str, request: ExecRequest) -> ExecStream:
        """Run code and yield its output as it comes. Leaving the block before the end cancels the execution."""
        ...

    async def install(self, session_id: str, request: InstallRequest) -> ExecResult:
        """Install packages into the workspace, so that later executions of the session see them."""
        ...

    async def set_lifetime(self, session_id: str, request: Lifetime) -> SandboxDone:
        """Let the session's sandbox live so long from now on; its provider ends it then, whatever runs in it.

        Raises:
            NotSupported: sandboxes of this provider live until they are deleted.
        """
        ...

    async def host(self, session_id: str, request: Port) -> PortHost:
        """Tell where a port of the session's sandbox is reached from outside, and with which headers.

        Raises:
            NotSupported: this provider makes no port reachable.
        """
        ...

    async def register(self, request: RegisterCompute) -> Compute:
        """Make a machine known to this account: it is listed afterwards. To repeat it is to be heard of again."""
        ...

    async def heartbeat(self, compute_id: str, request: HeartbeatCompute) -> Compute:
        """Tell that a registered machine is there; one that was not heard of for three minutes shows as offline.

        Raises:
            ComputeNotFound: it was never registered, or was removed.
        """
        ...

    async def remove(self, compute_id: str) -> RemovedCompute:
        """Forget a registered machine.

        Raises:
            ComputeNotFound: it was never registered, or was removed.
        """
        ...

    async def relay(self, compute_id: str, request: RelayRequest) -> RelayReply:
        """Pass a request on to what listens beside a machine's relay, and answer what it answered.

        Raises:
            ComputeNotFound: it was never registered, or was removed.
            ProviderUnavailable: its relay holds no connection now.
        """
        ...
