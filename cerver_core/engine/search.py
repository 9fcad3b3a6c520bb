"""Searches one account's transcripts: reads the query, asks the store, and shows what was found in pieces."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from cerver_core.clock import from_us, to_us
from cerver_core.engine import views
from cerver_core.engine.context import Context
from cerver_core.errors import InvalidInput
from cerver_core.search.dates import read_moment
from cerver_core.search.query import Query, parse
from cerver_core.search.rank import Judge
from cerver_core.search.snippets import snippet
from cerver_core.search.texts import read_entry
from cerver_core.stores.base import FoundEntry, FoundTranscript, SearchQuery
from cerver_core.wire.search import FoundSession, SearchPage, SearchTranscripts, Snippet

__all__ = ["search"]

_FURTHEST_PAGE = 1_000


async def search(context: Context, request: SearchTranscripts) -> SearchPage:
    """Answer a search; see `cerver_core.api.transcripts.Transcripts.search`."""
    now = context.clock.now()
    query = parse(request.query, now)
    since, until = _moment(request.since, "since", now), _moment(request.until, "until", now, is_end=True)
    skip = _read_cursor(request.cursor)
    asked = SearchQuery(
        query=query,
        limit=request.limit,
        skip=skip,
        since_us=None if since is None else to_us(since),
        until_us=None if until is None else to_us(until),
        session_id=request.session,
        project=request.project,
        role=request.role,
        kind=request.kind,
        tool=request.tool,
        harness=request.harness,
        include_children=request.include_children,
        exclude_session_id=request.exclude_session,
    )
    result = await context.rows.transcripts.search(asked)
    shown = _Shown(query)
    found = tuple(shown.session(one) for one in result.found)
    in_query = since is None and until is None and bool(query.dates)
    return SearchPage(
        sessions=found,
        since=min(one.since for one in query.dates) if in_query else since,
        until=max(one.until for one in query.dates) if in_query else until,
        range_in_query=in_query,
        indexed_up_to=now if result.indexed_up_to_us is None else from_us(result.indexed_up_to_us),
        left_out=result.left_out,
        next_cursor=_write_cursor(skip + len(found)) if result.left_out and found else None,
        next_call=_next_call(found),
    )


@dataclass(slots=True)
class _Shown:
    query: Query

    def session(self, found: FoundTranscript) -> FoundSession:
        session = found.session
        return FoundSession(
            session_id=session.id,
            session_name=session.name,
            title=views.title(session),
            created_at=from_us(session.created_at_us),
            updated_at=from_us(session.updated_at_us),
            harness=session.harness,
            project_slug=session.project,
            entries=session.last_seq,
            score=round(found.score, 4),
            children_found=found.children_found,
            snippets=tuple(self._snippet(one) for one in _pieces(found)),
        )

    def _snippet(self, found: FoundEntry) -> Snippet:
        entry = read_entry(found.entry.json)
        return Snippet(
            session_id=found.session_id,
            seq=found.entry.seq,
            role=entry.role,
            kind=entry.kind,
            at=entry.at,
            tool_name=entry.tool_name,
            text=snippet(entry.text, Judge(self.query).judge(entry).marks),
        )


def _pieces(found: FoundTranscript) -> tuple[FoundEntry, ...]:
    if found.entries or found.opening is None:
        return found.entries
    return (FoundEntry(found.session.id, found.opening, 0.0),)


def _moment(text: str | None, field: str, now: datetime, *, is_end: bool = False) -> datetime | None:
    if text is None:
        return None
    moment = read_moment(text, now, is_end=is_end)
    if moment is None:
        raise InvalidInput(
            f"{field} is no date that is understood: {text!r}; give 2026-05-03, 2026-05-03T10:00:00Z, yesterday, 3h, "
            "2 days ago, last week or May"
        )
    return moment


def _next_call(found: tuple[FoundSession, ...]) -> str | None:
    best = next((piece for session in found for piece in session.snippets), None)
    return None if best is None else f'cerver_session_peek(session_id="{best.session_id}", around={best.seq})'


def _write_cursor(skip: int) -> str:
    return base64.urlsafe_b64encode(f"skip:{skip}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        word, _, skip = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
        if word == "skip" and 0 <= int(skip) <= _FURTHEST_PAGE:
            return int(skip)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput("the cursor is not one that a search answered; start again without it") from error
    raise InvalidInput("the cursor is not one that a search answered; start again without it")
