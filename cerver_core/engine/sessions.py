"""Sessions on this machine: reading, finding and updating them; their lifecycle is in `lifecycle.py`."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from cerver_core.engine import views
from cerver_core.errors import InvalidInput, NotFound, SessionNotFound
from cerver_core.render.sessions import ambiguous
from cerver_core.stores.base import SessionChange, SessionQuery
from cerver_core.wire.sessions import SessionMetrics, SessionPage, states_filter, status_filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from cerver_core.engine.context import Context
    from cerver_core.engine.lifecycle import Lifecycles
    from cerver_core.engine.turns import Turns
    from cerver_core.wire.sessions import (
        AttachCompute,
        CreateSession,
        ListSessions,
        SessionEnvelope,
        SessionRecord,
        SpawnSession,
        Status,
        UpdateSession,
    )
    from cerver_core.wire.transcripts import AppendReply
    from cerver_core.wire.turns import ReportStatus, SendInput, SwitchTool

__all__ = ["EngineSessions"]

_CANDIDATES_SHOWN = 5


class EngineSessions:
    """See `cerver_core.api.sessions.Sessions`."""

    def __init__(self, context: Context, open_lifecycles: Callable[[], Lifecycles]) -> None:
        self._context = context
        self._open_lifecycles = open_lifecycles

    @cached_property
    def _lifecycles(self) -> Lifecycles:
        return self._open_lifecycles()

    @cached_property
    def _turns(self) -> Turns:
        from cerver_core.engine.turns import Turns

        return Turns(self._context, self._lifecycles)

    async def create(self, request: CreateSession) -> SessionEnvelope:
        """Open a session."""
        if request.agent is not None:
            raise NotFound(f"there is no saved agent {request.agent!r}", agent=request.agent)
        parent = None
        if request.parent_session_id is not None:
            parent = await self._context.rows.sessions.get(request.parent_session_id)
        return await self._lifecycles.create(request, parent=parent)

    async def get(self, session_id: str) -> SessionRecord:
        """Read one session."""
        session = await self._context.rows.sessions.get(session_id)
        return views.record(session, self._context.clock.now())

    async def list(self, request: ListSessions) -> SessionPage:
        """List sessions, newest activity first."""
        now = self._context.clock.now()
        query = SessionQuery(
            limit=request.limit + 1,
            status=_status(request.status),
            states=None if request.status is None else states_filter(request.status),
            stale_before_us=views.stale_before_us(now),
            source=request.source,
            project=request.project,
            parent_id=request.parent,
            after=_read_cursor(request.cursor),
        )
        found = await self._context.rows.sessions.list(query)
        shown = found[: request.limit]
        more = len(found) > request.limit
        return SessionPage(
            sessions=tuple(views.record(session, now) for session in shown),
            next_cursor=_write_cursor(shown[-1].updated_at_us, shown[-1].id) if more else None,
        )

    async def resolve(self, reference: str) -> str:
        """Turn an id, a unique prefix or a name into the full id."""
        found = await self._context.rows.sessions.find(reference, limit=_CANDIDATES_SHOWN + 1)
        if not found:
            raise SessionNotFound(f"there is no session {reference!r}: list the sessions to see those there are")
        if len(found) > 1:
            now = self._context.clock.now()
            raise ambiguous(reference, [views.record(session, now) for session in found], now=now)
        return found[0].id

    async def update(self, session_id: str, request: UpdateSession) -> SessionRecord:
        """Merge metadata, rename."""
        masking = self._context.masking
        change = SessionChange(metadata_merge=masking.object(request.metadata))
        if request.session_name is not None:
            change = replace(change, name=masking.text(request.session_name))
        if "source" in request.metadata:
            source = request.metadata["source"]
            change = replace(change, source=source if isinstance(source, str) else None)
        session = await self._context.rows.sessions.change(session_id, change)
        return views.record(session, self._context.clock.now())

    async def pause(self, session_id: str) -> SessionEnvelope:
        """Free the compute; keep the workspace."""
        return await self._lifecycles.pause(session_id)

    async def resume(self, session_id: str) -> SessionEnvelope:
        """Make a paused or stale session ready again."""
        return await self._lifecycles.resume(session_id)

    async def spawn(self, session_id: str, request: SpawnSession) -> SessionEnvelope:
        """Open a child."""
        return await self._lifecycles.spawn(session_id, request)

    async def attach(self, session_id: str, request: AttachCompute) -> SessionEnvelope:
        """Put another compute under the session."""
        if request.compute_priority:
            return await self._turns.attach_first(session_id, request)
        return await self._lifecycles.attach(session_id, request)

    async def input(self, session_id: str, request: SendInput) -> AppendReply:
        """Append one entry."""
        return await self._turns.input(session_id, request)

    async def report_status(self, session_id: str, request: ReportStatus) -> SessionEnvelope:
        """Tell how the session stands."""
        return await self._turns.report_status(session_id, request)

    async def switch_tool(self, session_id: str, request: SwitchTool) -> SessionEnvelope:
        """Go on with another tool."""
        return await self._turns.switch_tool(session_id, request)

    async def terminate(self, session_id: str, *, delete_workspace: bool = False) -> SessionEnvelope:
        """End the session for good."""
        return await self._lifecycles.terminate(session_id, delete_workspace=delete_workspace)

    async def metrics(self, session_id: str) -> SessionMetrics:
        """Read the metrics."""
        session = await self._context.rows.sessions.get(session_id)
        return SessionMetrics(
            session_id=session.id,
            provider=session.provider or "none",
            status=session.state,
            routing=views.routing(session),
            metrics=views.metrics(session, self._context.clock.now()),
        )


def _status(word: str | None) -> Status | None:
    if word is None:
        return None
    status = status_filter(word)
    if status is None:
        raise InvalidInput(
            f"there is no status {word!r}; use running, idle or ended", allowed=["running", "idle", "ended"]
        )
    return status


def _write_cursor(updated_at_us: int, session_id: str) -> str:
    return base64.urlsafe_b64encode(f"{updated_at_us}:{session_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        updated_at_us, _, session_id = text.partition(":")
        return int(updated_at_us), session_id
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput("the cursor is not one that a list answered; start again without it") from error
