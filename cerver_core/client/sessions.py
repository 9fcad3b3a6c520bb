"""Sessions, asked of a gateway."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cerver_core.errors import SessionNotFound
from cerver_core.render.sessions import ambiguous
from cerver_core.wire.http import FindSessions, TerminateSession
from cerver_core.wire.sessions import (
    AttachCompute,
    CreateSession,
    ListSessions,
    SessionEnvelope,
    SessionMetrics,
    SessionPage,
    SessionRecord,
    SpawnSession,
    UpdateSession,
)
from cerver_core.wire.transcripts import AppendReply
from cerver_core.wire.turns import ReportStatus, SendInput, SwitchTool

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientSessions"]

_FULL_ID = 32
"""From this length on a reference can be a full id (wire contract §1)."""

_LEAST_PREFIX = 4

_SLOW_S = 300.0
"""How long a call may take that makes, frees or destroys a sandbox. Our choice: cold clouds take minutes."""


class ClientSessions:
    """See `cerver_core.api.sessions.Sessions`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def create(self, request: CreateSession) -> SessionEnvelope:
        """Open a session."""
        return await self._transport.call("sessions.create", SessionEnvelope, body=request, timeout_s=_SLOW_S)

    async def get(self, session_id: str) -> SessionRecord:
        """Read one session, without its transcript."""
        return await self._transport.call("sessions.get", SessionRecord, session_id=session_id)

    async def list(self, request: ListSessions) -> SessionPage:
        """List sessions, newest activity first."""
        return await self._transport.call("sessions.list", SessionPage, query=request)

    async def resolve(self, reference: str) -> str:
        """Turn an id, a unique prefix of one (at least 4 characters) or an exact name into the full id.

        A gateway that does not know the `reference` filter answers its newest sessions; the fitting ones are picked
        here either way.
        """
        if len(reference) >= _FULL_ID and reference.isascii() and reference.isprintable():
            try:
                return (await self.get(reference)).session_id
            except SessionNotFound:
                pass
        found = await self._fitting(reference)
        if not found:
            raise SessionNotFound(f"there is no session {reference!r}: list the sessions to see those there are")
        if len(found) > 1:
            raise ambiguous(reference, found, now=datetime.now(UTC))
        return found[0].session_id

    async def update(self, session_id: str, request: UpdateSession) -> SessionRecord:
        """Merge metadata key by key; a null removes the key."""
        return await self._transport.call("sessions.update", SessionRecord, session_id=session_id, body=request)

    async def pause(self, session_id: str) -> SessionEnvelope:
        """Free the compute."""
        return await self._changed("sessions.pause", session_id)

    async def resume(self, session_id: str) -> SessionEnvelope:
        """Make a paused or stale session ready again."""
        return await self._changed("sessions.resume", session_id)

    async def spawn(self, session_id: str, request: SpawnSession) -> SessionEnvelope:
        """Open a child."""
        return await self._changed("sessions.spawn", session_id, body=request)

    async def attach(self, session_id: str, request: AttachCompute) -> SessionEnvelope:
        """Put another compute (or none) under the session."""
        return await self._changed("sessions.attach", session_id, body=request)

    async def terminate(self, session_id: str, *, delete_workspace: bool = False) -> SessionEnvelope:
        """End the session for good."""
        query = TerminateSession(delete_workspace=True) if delete_workspace else None
        return await self._changed("sessions.terminate", session_id, query=query)

    async def input(self, session_id: str, request: SendInput) -> AppendReply:
        """Append one entry, of whoever speaks."""
        return await self._transport.call("sessions.input", AppendReply, session_id=session_id, body=request)

    async def report_status(self, session_id: str, request: ReportStatus) -> SessionEnvelope:
        """Tell how the session stands."""
        return await self._changed("sessions.report_status", session_id, body=request)

    async def switch_tool(self, session_id: str, request: SwitchTool) -> SessionEnvelope:
        """Go on with another tool, model, harness or compute."""
        return await self._changed("sessions.switch_tool", session_id, body=request)

    async def metrics(self, session_id: str) -> SessionMetrics:
        """Read the metrics."""
        return await self._transport.call("sessions.metrics", SessionMetrics, session_id=session_id)

    async def _changed(
        self,
        name: str,
        session_id: str,
        *,
        query: TerminateSession | None = None,
        body: SpawnSession | AttachCompute | ReportStatus | SwitchTool | None = None,
    ) -> SessionEnvelope:
        return await self._transport.call(
            name, SessionEnvelope, session_id=session_id, query=query, body=body, timeout_s=_SLOW_S
        )

    async def _fitting(self, reference: str) -> Sequence[SessionRecord]:
        if not 0 < len(reference) <= 200 or not reference.isprintable():
            return ()
        page = await self.list(FindSessions(reference=reference, limit=200))
        exact = [session for session in page.sessions if session.session_id == reference]
        return exact or [
            session
            for session in page.sessions
            if session.session_name == reference
            or (len(reference) >= _LEAST_PREFIX and session.session_id.startswith(reference))
        ]
