"""Lists of sessions as short rows for a model, about 50 tokens each, with the call for the next page."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from cerver_core.errors import AmbiguousReference
from cerver_core.render.escape import visible_line
from cerver_core.wire.sessions import ListSessions, SessionPage, SessionRecord

__all__ = ["age", "ambiguous", "rows", "short_ids", "title"]

_TITLE = 60
_LEAST_PREFIX = 8
_CANDIDATES = 5


def rows(page: SessionPage, *, now: datetime, request: ListSessions | None = None) -> str:
    """Show a page of sessions, one line each: id prefix, status, title, age, entries, and what else is known.

    The prefixes are unique among these rows. The last line gives the call for the next page, filters included.
    """
    if not page.sessions:
        return "No sessions match."
    short = short_ids(session.session_id for session in page.sessions)
    lines = [_row(session, short[session.session_id], now) for session in page.sessions]
    if page.next_cursor:
        lines.append(f"[more; next call: {_next_call(page.next_cursor, request or ListSessions())}]")
    return "\n".join(lines)


def short_ids(session_ids: Iterable[str]) -> Mapping[str, str]:
    """Give each id its shortest prefix, of 8 characters or more, that no other of them starts with."""
    ordered = sorted(set(session_ids))
    short: dict[str, str] = {}
    for at, session_id in enumerate(ordered):
        near = [ordered[other] for other in (at - 1, at + 1) if 0 <= other < len(ordered)]
        length = max([_LEAST_PREFIX, *(_common(session_id, other) + 1 for other in near)])
        short[session_id] = session_id[:length]
    return short


def title(session: SessionRecord, opening: str = "") -> str:
    """Name a session for a reader: its name, `metadata.title`, or the first words of its task, `opening` or its own."""
    given = session.metadata.get("title")
    chosen = (
        session.session_name or (given if isinstance(given, str) else "") or session.task or opening or session.title
    )
    return visible_line(chosen, _TITLE) or "(untitled)"


def age(moment: datetime, now: datetime) -> str:
    """Say how long ago in one short word: `12s`, `5m`, `3h`, `9d`, `4w`; a moment ahead of `now` is `0s`."""
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, length, most in (("s", 1, 60), ("m", 60, 3_600), ("h", 3_600, 86_400), ("d", 86_400, 14 * 86_400)):
        if seconds < most:
            return f"{seconds // length}{unit}"
    return f"{seconds // (7 * 86_400)}w"


def ambiguous(reference: str, found: Sequence[SessionRecord], *, now: datetime) -> AmbiguousReference:
    """Make the error for a name or a beginning of an id that fits several sessions, with what tells them apart."""
    shown = found[:_CANDIDATES]
    is_name = any(session.session_name == reference for session in shown)
    advice = "use the id of one" if is_name else "use more of the id"
    told = "; ".join(_candidate(session, reference, now) for session in shown)
    return AmbiguousReference(
        f"{reference!r} fits several sessions, {advice}: {told}", candidates=[session.session_id for session in shown]
    )


def _candidate(session: SessionRecord, reference: str, now: datetime) -> str:
    name = "" if session.session_name == reference else f"{visible_line(session.session_name or 'unnamed', _TITLE)}, "
    return f"{session.session_id} ({name}active {age(session.updated_at, now)} ago, {_entries(session)})"


def _entries(session: SessionRecord) -> str:
    return f"{session.transcript_total:,} {'entry' if session.transcript_total == 1 else 'entries'}"


def _row(session: SessionRecord, short: str, now: datetime) -> str:
    status = session.status
    reason = f" ({visible_line(session.end_reason, 24)})" if session.end_reason else ""
    detail = f"/{session.state}" if session.state in {"paused", "failed", "provisioning"} else ""
    words = [
        short,
        f"{status}{detail}{reason}",
        f'"{title(session)}"',
        f"{age(session.updated_at, now)} ago",
        _entries(session),
    ]
    source = session.metadata.get("source")
    known = {
        "harness": session.harness,
        "source": source if isinstance(source, str) else None,
        "project": session.project_slug,
        "parent": session.parent_session_id[:_LEAST_PREFIX] if session.parent_session_id else None,
    }
    words += [f"{key}={visible_line(value, 24)}" for key, value in known.items() if value]
    return " ".join(words)


def _next_call(cursor: str, request: ListSessions) -> str:
    filters = {"status": request.status, "source": request.source, "project": request.project}
    given = [f"{key}={json.dumps(value)}" for key, value in filters.items() if value]
    limit = [f"limit={request.limit}"] if "limit" in request.model_fields_set else []
    return f"cerver_session_list({', '.join([*given, *limit, f'cursor={json.dumps(cursor)}'])})"


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
