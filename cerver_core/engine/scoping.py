"""The rows of one account as a key of a project sees them: that project's sessions, and no sign of any other.

Every way to a session goes through here, so that no operation can forget it.
"""

from collections.abc import Sequence
from dataclasses import replace

from cerver_core.errors import Forbidden, SessionNotFound
from cerver_core.stores.base import (
    AccountStore,
    Appended,
    ClosedExec,
    EntryDraft,
    EntryRewrite,
    FoundTranscript,
    MetricDelta,
    OpenExec,
    Page,
    ReadWindow,
    SearchQuery,
    SearchResult,
    SessionChange,
    SessionQuery,
    SessionStore,
    StoredSession,
    TranscriptStore,
)
from cerver_core.stores.records import RecordStore
from cerver_core.stores.refusals import not_found

__all__ = ["ProjectRows"]

_FOUND_AT_MOST = 200


class ProjectRows:
    """An `AccountStore` of one project. What belongs to the account as a whole passes through: records, purging."""

    def __init__(self, rows: AccountStore, project: str) -> None:
        self._rows = rows
        self._sessions = _Sessions(rows.sessions, project)
        self._transcripts = _Transcripts(rows.transcripts, self._sessions)

    @property
    def sessions(self) -> SessionStore:
        """The project's sessions."""
        return self._sessions

    @property
    def transcripts(self) -> TranscriptStore:
        """Their transcripts."""
        return self._transcripts

    @property
    def records(self) -> RecordStore:
        """The account's records."""
        return self._rows.records


class _Sessions:
    def __init__(self, sessions: SessionStore, project: str) -> None:
        self._inner = sessions
        self.project = project

    async def create(self, session: StoredSession, entries: Sequence[EntryDraft] = ()) -> StoredSession:
        if session.project not in {None, self.project}:
            raise Forbidden(f"this key is bound to project {self.project}: it makes sessions there alone")
        return await self._inner.create(replace(session, project=self.project), entries)

    async def get(self, session_id: str) -> StoredSession:
        session = await self._inner.get(session_id)
        if session.project != self.project:
            raise not_found(session_id)
        return session

    async def find(self, reference: str, *, limit: int) -> Sequence[StoredSession]:
        found = await self._inner.find(reference, limit=_FOUND_AT_MOST)
        return [session for session in found if session.project == self.project][:limit]

    async def list(self, query: SessionQuery) -> Sequence[StoredSession]:
        if query.project not in {None, self.project}:
            return ()
        return await self._inner.list(replace(query, project=self.project))

    async def change(self, session_id: str, change: SessionChange, delta: MetricDelta | None = None) -> StoredSession:
        await self.get(session_id)
        return await self._inner.change(session_id, change, delta)

    async def delete(self, session_id: str) -> None:
        await self.get(session_id)
        await self._inner.delete(session_id)

    async def due_workspaces(self, now_us: int, *, limit: int) -> Sequence[StoredSession]:
        due = await self._inner.due_workspaces(now_us, limit=limit)
        return [session for session in due if session.project == self.project]


class _Transcripts:
    def __init__(self, transcripts: TranscriptStore, sessions: _Sessions) -> None:
        self._inner = transcripts
        self._sessions = sessions

    async def append(
        self,
        session_id: str,
        entries: Sequence[EntryDraft],
        *,
        expected_seq: int | None = None,
        change: SessionChange | None = None,
        delta: MetricDelta | None = None,
        opens: OpenExec | None = None,
        closes: ClosedExec | None = None,
    ) -> Appended:
        await self._sessions.get(session_id)
        return await self._inner.append(
            session_id, entries, expected_seq=expected_seq, change=change, delta=delta, opens=opens, closes=closes
        )

    async def read(self, session_id: str, window: ReadWindow) -> Page:
        await self._sessions.get(session_id)
        return await self._inner.read(session_id, window)

    async def search(self, query: SearchQuery) -> SearchResult:
        if query.session_id is not None:
            await self._sessions.get(query.session_id)
        if query.project not in {None, self._sessions.project}:
            return SearchResult(())
        result = await self._inner.search(replace(query, project=self._sessions.project))
        return replace(result, found=tuple([await self._of_project(one) for one in result.found if self._holds(one)]))

    def _holds(self, found: FoundTranscript) -> bool:
        return found.session.project == self._sessions.project

    async def _of_project(self, found: FoundTranscript) -> FoundTranscript:
        """Leave out what stands in children that another project has."""
        entries = [one for one in found.entries if await self._is_ours(one.session_id)]
        return found if len(entries) == len(found.entries) else replace(found, entries=tuple(entries))

    async def rewrite(
        self, session_id: str, entries: Sequence[EntryRewrite], *, change: SessionChange | None = None
    ) -> None:
        await self._sessions.get(session_id)
        await self._inner.rewrite(session_id, entries, change=change)

    async def purge(self) -> None:
        await self._inner.purge()

    async def open_execs(self) -> Sequence[tuple[str, OpenExec]]:
        return [one for one in await self._inner.open_execs() if await self._is_ours(one[0])]

    async def _is_ours(self, session_id: str) -> bool:
        try:
            await self._sessions.get(session_id)
        except SessionNotFound:
            return False
        return True
