"""Digests of sessions: chooses them, reads a bounded part of each, and has an outline drawn from it."""

from collections.abc import Sequence

import anyio.to_thread

from cerver_core.clock import to_us
from cerver_core.digests.budget import Outlined, digested
from cerver_core.digests.outline import Outline
from cerver_core.engine import views
from cerver_core.engine.context import Context
from cerver_core.engine.spans import Span, read_span
from cerver_core.render.sessions import title
from cerver_core.stores.base import ReadWindow, SessionQuery, StoredSession
from cerver_core.wire.digests import Digest, DigestTranscripts
from cerver_core.wire.transcripts import TranscriptPage

__all__ = ["digest"]

_SESSIONS_A_PAGE = 200
_SESSIONS_LOOKED_AT = 5_000
_ENTRIES_A_PAGE = 1_000


async def digest(context: Context, request: DigestTranscripts) -> Digest:
    """Do it; see `cerver_core.api.transcripts.Transcripts.digest`."""
    now = context.clock.now()
    span = read_span(request.since, request.until, now)
    if request.sessions:
        chosen = [await context.rows.sessions.get(session_id) for session_id in dict.fromkeys(request.sessions)]
        more = False
    else:
        found = await _newest(context, request, span)
        chosen, more = found[: request.limit], len(found) > request.limit
    outlined: list[Outlined] = []
    for session in chosen:
        outline = await _outline(context, session, span, request.max_entries)
        if outline.entries or request.sessions:
            record = views.record(session, now)
            name = title(record, outline.asked.text if outline.asked else "")
            outlined.append(Outlined(record, name, outline))
    sessions = digested(outlined, request.max_tokens)
    return Digest(sessions=sessions, since=span.since, until=span.until, more=more or len(sessions) < len(outlined))


async def _newest(context: Context, request: DigestTranscripts, span: Span) -> Sequence[StoredSession]:
    """List the sessions in which something may have been said in that time, one more than will be shown."""
    since_us = 0 if span.since is None else to_us(span.since)
    until_us = None if span.until is None else to_us(span.until)
    found: list[StoredSession] = []
    after: tuple[int, str] | None = None
    for _ in range(_SESSIONS_LOOKED_AT // _SESSIONS_A_PAGE):
        query = SessionQuery(limit=_SESSIONS_A_PAGE, project=request.project, after=after)
        page = await context.rows.sessions.list(query)
        for session in page:
            if session.updated_at_us < since_us:
                return found
            if session.parent_id is not None or (until_us is not None and session.created_at_us > until_us):
                continue
            if session.last_seq:
                found.append(session)
            if len(found) > request.limit:
                return found
        if len(page) < _SESSIONS_A_PAGE:
            break
        after = page[-1].updated_at_us, page[-1].id
    return found


async def _outline(context: Context, session: StoredSession, span: Span, most: int) -> Outline:
    outline, opening = Outline(), most // 10
    position, skipped_to = 1, session.last_seq - (most - opening) + 1
    while position <= session.last_seq:
        is_opening = position <= opening < skipped_to
        limit = min(_ENTRIES_A_PAGE, opening - position + 1) if is_opening else _ENTRIES_A_PAGE
        window = ReadWindow(from_seq=position, limit=limit)
        page = await context.rows.transcripts.read(session.id, window)
        if not page.raw:
            break
        await anyio.to_thread.run_sync(_take, outline, page.raw, span)
        position = page.next_seq
        if opening < position < skipped_to:
            position = skipped_to
    return outline


def _take(outline: Outline, raw: tuple[str, ...], span: Span) -> None:
    page = TranscriptPage(session_id="", raw=raw, total=0)
    outline.add(entry for entry in page.entries if span.holds(entry.at))
