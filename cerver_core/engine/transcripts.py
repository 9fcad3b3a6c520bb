"""Transcripts on this machine. What one call alone needs loads with that call: an agent waits for the first."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from cerver_core.clock import to_us
from cerver_core.engine import views
from cerver_core.engine.context import Context
from cerver_core.engine.feed import News
from cerver_core.engine.reads import read
from cerver_core.errors import SessionStateConflict
from cerver_core.ids import new_session_id
from cerver_core.render import transcripts as render
from cerver_core.stores.base import ReadWindow, SessionChange, StoredSession
from cerver_core.wire.sessions import Lifecycle, SessionRecord
from cerver_core.wire.transcripts import (
    MAX_ENTRIES_PER_APPEND,
    AppendEntries,
    AppendReply,
    Entry,
    ExportFormat,
    ExportPage,
    ExportTranscript,
    ImportReply,
    ReadTranscript,
    TranscriptPage,
)

if TYPE_CHECKING:
    from cerver_core.wire.digests import Digest, DigestTranscripts
    from cerver_core.wire.redactions import RedactReport, RedactTranscripts
    from cerver_core.wire.search import SearchPage, SearchTranscripts

__all__ = ["EngineTranscripts"]

_APPENDABLE: frozenset[Lifecycle] = frozenset({"provisioning", "ready", "running", "idle", "paused"})


class EngineTranscripts:
    """See `cerver_core.api.transcripts.Transcripts`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def append(self, session_id: str, request: AppendEntries) -> AppendReply:
        """Append a batch, durably."""
        try:
            appended = await self._context.journal.append(
                session_id,
                request.entries,
                expected_seq=request.expected_seq,
                change=self._change(request),
            )
        except SessionStateConflict as error:
            raise SessionStateConflict(
                f"session {session_id} has ended: its transcript is closed; spawn a child or create another",
                **error.detail,
            ) from error
        return AppendReply(session_id=session_id, seqs=appended.seqs, added=appended.added, last_seq=appended.last_seq)

    def _change(self, request: AppendEntries) -> SessionChange:
        change = SessionChange(from_states=_APPENDABLE)
        told = [to_us(entry.at) for entry in request.entries if entry.at is not None] if request.is_history else []
        return replace(change, updated_at_us=min(max(told), self._context.now_us())) if told else change

    async def read(self, session_id: str, request: ReadTranscript) -> TranscriptPage:
        """Read a bounded part."""
        return await read(self._context, session_id, request)

    async def export(self, session_id: str, request: ExportTranscript) -> ExportPage:
        """Write a page of the transcript as a document."""
        session = await self._context.rows.sessions.get(session_id)
        window = ReadWindow(from_seq=request.cursor + 1, limit=10_000, max_bytes=request.max_bytes, whole=True)
        page = await self._context.rows.transcripts.read(session_id, window)
        last = page.next_seq - 1 if page.raw else request.cursor
        record = views.record(session, self._context.clock.now())
        opening = render.header(record, request.format) if request.cursor == 0 else ""
        return ExportPage(
            session_id=session_id,
            format=request.format,
            text=opening + _piece(request.format, record, page.raw),
            next_cursor=last if last < page.last_seq else None,
        )

    async def import_jsonl(self, document: str, *, session_name: str | None = None) -> ImportReply:
        """Make a new session from a JSON-lines export."""
        from cerver_core.importers.jsonl import JsonlImporter

        source = JsonlImporter().parse(document)
        told = source.session
        masking = self._context.masking
        now_us = self._context.now_us()
        session = StoredSession(
            id=new_session_id(),
            state="ready",
            created_at_us=now_us,
            updated_at_us=now_us,
            name=masking.text(session_name or told.session_name or "") or None,
            session_type="transcript",
            workload=told.workload,
            task=masking.text(told.task),
            harness=told.harness,
            project=told.project_slug,
            metadata=masking.object(told.metadata),
        )
        await self._context.rows.sessions.create(session)
        try:
            for start in range(0, len(source.entries), MAX_ENTRIES_PER_APPEND):
                batch = source.entries[start : start + MAX_ENTRIES_PER_APPEND]
                await self._context.journal.append(session.id, batch, expected_seq=start)
        except BaseException:
            with anyio.CancelScope(shield=True), anyio.move_on_after(10):
                await self._context.rows.sessions.delete(session.id)
            raise
        return ImportReply(session_id=session.id, entries=len(source.entries))

    async def search(self, request: SearchTranscripts) -> SearchPage:
        """Find sessions by what stands in them."""
        from cerver_core.engine.search import search

        return await search(self._context, request)

    async def digest(self, request: DigestTranscripts) -> Digest:
        """Outline sessions in their own words."""
        from cerver_core.engine.digests import digest

        return await digest(self._context, request)

    async def redact(self, request: RedactTranscripts) -> RedactReport:
        """Take texts and credentials out of what is stored."""
        from cerver_core.engine.redactions import redact

        return await redact(self._context, request)

    @asynccontextmanager
    async def follow(self, session_id: str, *, since: int) -> AsyncGenerator[AsyncIterator[Entry]]:
        """Yield entries as they are appended."""
        with self._context.feed.following(session_id) as news:
            yield self._followed(session_id, since, news)

    async def _followed(self, session_id: str, since: int, news: News) -> AsyncGenerator[Entry]:
        while True:
            session = await self._context.rows.sessions.get(session_id)
            while session.last_seq > since:
                page = await self.read(session_id, ReadTranscript(since=since))
                for entry in page.entries:
                    yield entry
                since = page.last_seq or since
                if not page.more_after:
                    break
            if session.state not in _APPENDABLE:
                return
            await news.wait()


def _piece(form: ExportFormat, record: SessionRecord, raw: tuple[str, ...]) -> str:
    if form == "jsonl":
        return render.as_jsonl(raw)
    entries = TranscriptPage(session_id="", raw=raw, total=0).entries
    if form == "claude-code":
        from cerver_core.render.claude_code import as_claude_code

        return as_claude_code(entries, record)
    return render.as_text(entries) if form == "text" else render.as_markdown(entries)
