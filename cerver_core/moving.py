"""Copies sessions from one Cerver to another: a program over the contract, so that either end may be a gateway.

A session keeps its id, its entries their numbers. To copy again, or after a kill, adds what is new and nothing else.
Sandboxes and their files stay where they are: what arrives is memory.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cerver_core.api import Cerver
from cerver_core.errors import SequenceConflict, SessionNotFound
from cerver_core.wire.sessions import CreateSession, ListSessions, SessionRecord, UpdateSession
from cerver_core.wire.transcripts import AppendEntries, Entry, NewEntry, ReadTranscript

__all__ = ["Moved", "Moving", "Outcome"]

Outcome = Literal["new", "grown", "same", "differs"]
"""What became of a session: made there, given new entries, left as it was, or left because its entries are others."""

_LIST_LIMIT = 200
_ENTRIES_AT_ONCE = 500
_BYTES_AT_ONCE = 2 * 1024 * 1024
_ENDED = frozenset({"terminated", "failed"})


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one session, and how many entries it was given."""

    session_id: str
    outcome: Outcome
    added: int = 0


class Moving:
    """Copies from one Cerver into another."""

    def __init__(self, source: Cerver, target: Cerver) -> None:
        self._source = source
        self._target = target

    async def look(self, *, since: datetime | None = None, project: str | None = None) -> list[SessionRecord]:
        """List what there is to copy: sessions active since then, of this project; parents before their children."""
        found: list[SessionRecord] = []
        cursor: str | None = None
        while True:
            page = await self._source.sessions.list(ListSessions(project=project, limit=_LIST_LIMIT, cursor=cursor))
            fresh = [record for record in page.sessions if since is None or record.updated_at >= since]
            found.extend(fresh)
            if (cursor := page.next_cursor) is None or len(fresh) < len(page.sessions):
                return sorted(found, key=lambda record: (record.created_at, record.session_id))

    async def copy(self, record: SessionRecord, advanced: Callable[[int], None] = lambda _: None) -> Moved:
        """Copy one session, or what is new of it; `advanced` is told how many entries were seen to be there."""
        there = await self._find(record.session_id)
        is_new = there is None
        if there is None:
            there = await self._make(record)
        elif not await self._is_beginning(there):
            return Moved(record.session_id, "differs")
        advanced(there.transcript_total)
        added = 0
        async for batch in self._entries(record.session_id, there.transcript_total):
            request = AppendEntries(entries=tuple(batch), expected_seq=there.transcript_total + added, is_history=True)
            try:
                await self._target.transcripts.append(record.session_id, request)
            except SequenceConflict:  # somebody else writes there
                return Moved(record.session_id, "differs", added)
            added += len(batch)
            advanced(len(batch))
        await self._conclude(record, there)
        return Moved(record.session_id, "new" if is_new else "grown" if added else "same", added)

    async def _find(self, session_id: str) -> SessionRecord | None:
        try:
            return await self._target.sessions.get(session_id)
        except SessionNotFound:
            return None

    async def _make(self, record: SessionRecord) -> SessionRecord:
        parent = record.parent_session_id
        if parent is not None and await self._find(parent) is None:
            parent = None
        request = CreateSession(
            session_id=record.session_id,
            session_name=record.session_name,
            session_type="transcript",
            workload=record.workload,
            harness=record.harness,
            metadata=record.metadata,
            project_slug=record.project_slug,
            parent_session_id=parent,
            created_at=record.created_at,
        )
        await self._target.sessions.create(request)
        return await self._target.sessions.get(record.session_id)

    async def _is_beginning(self, there: SessionRecord) -> bool:
        """Tell whether what is there is how the source's transcript begins, by the last entry of it."""
        if there.transcript_total == 0:
            return True
        theirs = await self._target.transcripts.read(there.session_id, ReadTranscript(tail=1))
        window = ReadTranscript(since=there.transcript_total - 1, limit=1)
        ours = await self._source.transcripts.read(there.session_id, window)
        return [_mark(entry) for entry in ours.entries] == [_mark(entry) for entry in theirs.entries]

    async def _entries(self, session_id: str, since: int) -> AsyncGenerator[list[NewEntry]]:
        while True:
            window = ReadTranscript(since=since, limit=_ENTRIES_AT_ONCE, max_bytes=_BYTES_AT_ONCE, whole=True)
            page = await self._source.transcripts.read(session_id, window)
            if not page.entries:
                return
            yield [_again(entry) for entry in page.entries]
            since = page.entries[-1].seq

    async def _conclude(self, record: SessionRecord, there: SessionRecord) -> None:
        fresh = {name: value for name, value in record.metadata.items() if there.metadata.get(name) != value}
        if fresh or there.session_name != record.session_name:
            update = UpdateSession(metadata=fresh)
            if record.session_name is not None:
                update = UpdateSession(metadata=fresh, session_name=record.session_name)
            await self._target.sessions.update(record.session_id, update)
        if record.state in _ENDED and there.state not in _ENDED:
            await self._target.sessions.terminate(record.session_id)


def _mark(entry: Entry) -> tuple[object, ...]:
    return entry.seq, entry.at, entry.role, entry.kind, entry.tool_id


def _again(entry: Entry) -> NewEntry:
    return NewEntry.model_validate(entry.model_dump(exclude={"seq", "content_bytes"}, exclude_none=True))
