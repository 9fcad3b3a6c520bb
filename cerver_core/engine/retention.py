"""What time and crashes leave behind, put right: executions without a process, sessions that never came to be,
workspaces whose time has come."""

import logging

import anyio

from cerver_core.engine.context import Context, sandbox_from_json
from cerver_core.engine.holders import is_gone
from cerver_core.engine.reachable import Reachable
from cerver_core.engine.reaper import Left, clear
from cerver_core.errors import (
    CerverError,
    NoComputeAvailable,
    ProviderRefused,
    ProviderUnavailable,
    SessionStateConflict,
)
from cerver_core.stores.base import ClosedExec, SessionChange, SessionQuery
from cerver_core.wire.transcripts import NewEntry

__all__ = ["Retention"]

log = logging.getLogger(__name__)

_EVERY_S = 3_600
_AT_A_TIME = 100
_PROVISIONING_LIMIT_US = 15 * 60 * 1_000_000


class Retention:
    """Sweeps one account's rows."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reachable = Reachable(context)

    async def run(self) -> None:
        """Sweep now and every hour, until cancelled; a failed sweep is logged and tried again."""
        while True:
            await self.sweep_quietly()
            await anyio.sleep(_EVERY_S)

    async def sweep_quietly(self) -> None:
        """Sweep; a failure is logged, and the next sweep tries again."""
        try:
            await self.sweep()
        except CerverError:
            log.warning("a sweep failed and will be tried again", exc_info=True)

    async def sweep(self) -> None:
        """Put right what is wrong now. Any number of processes may do it at once."""
        await self._close_left_executions()
        await self._fail_left_creations()
        await self._delete_due_workspaces()
        await Left(self._context).sweep()

    async def _close_left_executions(self) -> None:
        for session_id, execution in await self._context.rows.transcripts.open_execs():
            if not is_gone(execution.holder):
                continue
            entry = NewEntry(
                role="tool",
                kind="tool_result",
                id=f"interrupted:{execution.tool_id}",
                tool_id=execution.tool_id,
                content="interrupted: the process that ran this ended before it did; the command was killed with it",
                is_error=True,
            )
            await self._context.journal.append(session_id, [entry], closes=ClosedExec(execution.tool_id))

    async def _fail_left_creations(self) -> None:
        now_us = self._context.now_us()
        for session in await self._context.rows.sessions.list(SessionQuery(limit=_AT_A_TIME, status="running")):
            if session.state != "provisioning" or session.created_at_us > now_us - _PROVISIONING_LIMIT_US:
                continue
            change = SessionChange(
                state="failed",
                end_reason="provisioning was interrupted",
                ended_at_us=now_us,
                from_states=frozenset({"provisioning"}),
            )
            try:
                await self._context.rows.sessions.change(session.id, change)
            except SessionStateConflict:
                continue
            for provider in (await self._reachable.all(session.id)).providers.values():
                await clear(provider, session.id)
            await self._reachable.forget(session.id, session.provider or "")

    async def _delete_due_workspaces(self) -> None:
        due = await self._context.rows.sessions.due_workspaces(self._context.now_us(), limit=_AT_A_TIME)
        for session in due:
            try:
                provider = await self._reachable.named(session.provider or "", session)
                await provider.destroy(sandbox_from_json(session))
            except (NoComputeAvailable, ProviderUnavailable, ProviderRefused):
                # Of one account's provider: the rest is not to wait for it. The next sweep tries again.
                log.warning("the workspace of session %s could not be deleted yet", session.id, exc_info=True)
                continue
            await self._context.rows.sessions.change(session.id, SessionChange(sandbox=None))
            await self._reachable.forget(session.id, session.provider or "")
