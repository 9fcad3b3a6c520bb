"""The contract of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
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

__all__ = ["Sessions"]


class Sessions(Protocol):
    """Sessions: one id, one append-only transcript, a harness, a compute, metrics."""

    async def create(self, request: CreateSession) -> SessionEnvelope:
        """Open a session; afterwards it is listed, and ready unless it has no compute to be ready on.

        A non-empty `task` is then the first entry. A session without compute is `ready` too, with provider `none`.

        Raises:
            NoComputeAvailable: no executable compute meets the requirements; `detail` is the report. Nothing is left.
            IsolationUnavailable: the asked isolation cannot be had. Nothing is left.
            ComputeNotFound: the named compute does not exist.
            SessionNotFound: there is no session by the parent's id. Nothing is left.
            Conflict: there is a session by the id that it is to keep. Nothing is left.
        """
        ...

    async def get(self, session_id: str) -> SessionRecord:
        """Read one session, without its transcript.

        Raises:
            SessionNotFound: there is none by this id.
        """
        ...

    async def list(self, request: ListSessions) -> SessionPage:
        """List sessions, newest activity first, at a cost that does not grow with their number.

        Raises:
            InvalidInput: the status is a word no generation of the API used, or the cursor is not one of ours.
        """
        ...

    async def resolve(self, reference: str) -> str:
        """Turn an id, a unique prefix of one (at least 4 characters) or an exact session name into the full id.

        Raises:
            SessionNotFound: nothing matches.
            AmbiguousReference: several match; `detail["candidates"]` lists some of them.
        """
        ...

    async def update(self, session_id: str, request: UpdateSession) -> SessionRecord:
        """Merge metadata key by key; a null removes the key."""
        ...

    async def pause(self, session_id: str) -> SessionEnvelope:
        """Free the compute: its processes are gone afterwards, the workspace and the transcript stay. Idempotent.

        Raises:
            SessionStateConflict: the session is over, or has no compute to free.
        """
        ...

    async def resume(self, session_id: str) -> SessionEnvelope:
        """Make a paused or stale session ready again under the same id, on the compute it had. Idempotent.

        Raises:
            SessionStateConflict: the session was terminated or failed, or is memory alone.
        """
        ...

    async def spawn(self, session_id: str, request: SpawnSession) -> SessionEnvelope:
        """Open a child: linked to its parent, on the parent's compute unless another is named, in its own workspace."""
        ...

    async def attach(self, session_id: str, request: AttachCompute) -> SessionEnvelope:
        """Put another compute (or none) under the session; the transcript is untouched, the old sandbox is destroyed.

        With `compute_priority`, the first of them that can take it; what keeps each of the others is in the error.

        Raises:
            SessionStateConflict: the session is over or is running something.
        """
        ...

    async def terminate(self, session_id: str, *, delete_workspace: bool = False) -> SessionEnvelope:
        """End the session for good: its processes are gone, the record and the transcript stay readable. Idempotent.

        The workspace goes at once (`persistence_level` low), after 24 hours (medium) or when asked (high); the
        envelope says which in `workspace_kept_until`. `delete_workspace` asks, also of a session that ended before.
        """
        ...

    async def input(self, session_id: str, request: SendInput) -> AppendReply:
        """Append one entry, of whoever speaks; it works on any session that is not over, paused ones too.

        Raises:
            Forbidden: a publishable key speaks as another than the user.
            SessionStateConflict: the session is over.
        """
        ...

    async def report_status(self, session_id: str, request: ReportStatus) -> SessionEnvelope:
        """Tell how the session stands, on behalf of what drives it. To repeat it changes nothing more.

        Raises:
            InvalidInput: the status is a word no generation of the API used.
            SessionStateConflict: the session is over, and this would not leave it so.
        """
        ...

    async def switch_tool(self, session_id: str, request: SwitchTool) -> SessionEnvelope:
        """Go on with another tool, model, harness or compute; one `tool_switch` entry says so, then comes `content`.

        Raises:
            InvalidInput: nothing is said to be switched.
            SessionStateConflict: the session is over.
        """
        ...

    async def metrics(self, session_id: str) -> SessionMetrics:
        """Read the metrics, at a constant cost."""
        ...
