"""Searches one account's transcripts: reads the query, asks the store, and shows what was found in pieces."""

import base64
import binascii
from dataclasses import dataclass

from cerver_core.clock import from_us, to_us
from cerver_core.engine import views
from cerver_core.engine.context import Context
from cerver_core.engine.spans import Span, read_span
from cerver_core.errors import InvalidInput
from cerver_core.search.query import Query, parse
from cerver_core.search.rank import Judge
from cerver_core.search.snippets import snippet
from cerver_core.search.texts import read_entry
from cerver_core.stores.base import FoundEntry, FoundTranscript, SearchQuery, SessionQuery
from cerver_core.wire.search import FoundSession, SearchPage, SearchTranscripts, Snippet

__all__ = ["search"]

_FURTHEST_PAGE = 1_000


async def search(context: Context, request: SearchTranscripts) -> SearchPage:
    """Answer a search; see `cerver_core.api.transcripts.Transcripts.search`."""
    now = context.clock.now()
    query = parse(request.query, now)
    span = read_span(request.since, request.until, now)
    since, until = span.since, span.until
    _require_something_to_look_for(query, span)
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
    if not result.found and request.project is not None:
        await _require_sessions_of(context, request.project)
    shown = _Shown(query)
    found = tuple(shown.session(one) for one in result.found)
    in_query = since is None and until is None and bool(query.dates)
    return SearchPage(
        sessions=found,
        since=min(one.since for one in query.dates) if in_query else since,
        until=max(one.until for one in query.dates) if in_query else until,
        range_in_query=in_query,
        none_in_range=in_query and not result.is_of_dates,
        indexed_up_to=now if result.indexed_up_to_us is None else from_us(result.indexed_up_to_us),
        left_out=result.left_out,
        next_cursor=_write_cursor(skip + len(found)) if result.left_out and found else None,
        next_call=_next_call(found),
    )


def _require_something_to_look_for(query: Query, span: Span) -> None:
    names_time = bool(query.dates) or span.since is not None or span.until is not None
    if not query.terms and (query.excluded or not names_time):
        only = "only says what to leave out" if query.excluded else "holds no word to look for"
        raise InvalidInput(
            f'the query {only}: give a word, a "phrase", the beginning of a word with * (deploy*), or a date; '
            "a list of sessions shows the newest without a search"
        )


async def _require_sessions_of(context: Context, project: str) -> None:
    if not await context.rows.sessions.list(SessionQuery(limit=1, project=project)):
        raise InvalidInput(
            f"no session has the project {project[:100]!r}, so that nothing can be found in it: check how it is "
            "written, or search without project"
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
