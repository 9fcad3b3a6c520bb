"""Kept sessions as readers see them: records, envelopes, metrics; staleness is judged here, at the time of reading."""

from datetime import datetime, timedelta
from typing import Any, Literal, cast

from pydantic_core import from_json

from cerver_core.clock import from_us, to_us
from cerver_core.metrics import read_metrics
from cerver_core.stores.base import StoredSession
from cerver_core.wire.computes import Isolation, Requirements
from cerver_core.wire.routing import Routing
from cerver_core.wire.sessions import (
    STALE_AFTER_DAYS,
    Metrics,
    SessionEnvelope,
    SessionRecord,
    public_status,
)

__all__ = ["envelope", "metrics", "record", "routing", "stale_before_us", "title"]

_TITLE_CHARACTERS = 100


def stale_before_us(now: datetime) -> int:
    """Give the moment before which the last activity makes a session stale."""
    return to_us(now - timedelta(days=STALE_AFTER_DAYS))


def record(session: StoredSession, now: datetime) -> SessionRecord:
    """Show a session to a reader."""
    status = public_status(session.state)
    end_reason = session.end_reason
    if status == "idle" and session.updated_at_us < stale_before_us(now):
        status, end_reason = "ended", "stale"
    return SessionRecord(
        session_id=session.id,
        session_name=session.name,
        title=title(session),
        status=status,
        state=session.state,
        end_reason=end_reason,
        created_at=from_us(session.created_at_us),
        updated_at=from_us(session.updated_at_us),
        workload=session.workload,
        session_type=session.session_type,
        task=session.task,
        harness=session.harness,
        project_slug=session.project,
        parent_session_id=session.parent_id,
        compute_id=session.compute_id,
        sandbox_id=_sandbox_id(session),
        provider=session.provider or "none",
        metadata=session.metadata,
        requirements=Requirements.model_validate(session.requirements),
        message_count=session.last_seq,
        transcript_total=session.last_seq,
        metrics=metrics(session, now),
        routing=routing(session),
    )


def envelope(session: StoredSession, now: datetime, *, isolation: Isolation | None = None) -> SessionEnvelope:
    """Answer a call that made or changed a session."""
    return SessionEnvelope(
        session_id=session.id,
        session_name=session.name,
        status=session.state,
        provider=session.provider or "none",
        compute_id=session.compute_id,
        sandbox_id=_sandbox_id(session),
        harness=session.harness,
        parent_session_id=session.parent_id,
        metrics=metrics(session, now),
        routing=routing(session),
        isolation=isolation,
        workspace_kept_until=_workspace_kept_until(session),
    )


def metrics(session: StoredSession, now: datetime) -> Metrics:
    """Read a session's metrics."""
    decided = session.routing or {}
    predicted, uptime = decided.get("predicted_startup_ms"), decided.get("uptime_percent")
    read = read_metrics(
        session.counters,
        created_at=from_us(session.created_at_us),
        until=now if session.ended_at_us is None else from_us(session.ended_at_us),
        predicted_startup_ms=predicted if isinstance(predicted, int | float) else None,
    )
    return read.model_copy(update={"uptime_percent": uptime}) if isinstance(uptime, int | float) else read


def routing(session: StoredSession) -> Routing | None:
    """Read the decision the session was created with."""
    return None if session.routing is None else Routing.model_validate(session.routing)


def title(session: StoredSession) -> str:
    """Say in one line what a session is about, in words that stand in it."""
    given = session.metadata.get("title")
    words = session.name or (given if isinstance(given, str) else "") or session.task or _first_words(session.opening)
    line = " ".join(words[: 10 * _TITLE_CHARACTERS].split())
    return line if len(line) <= _TITLE_CHARACTERS else f"{line[: _TITLE_CHARACTERS - 1].rstrip()}…"


def _first_words(opening: str | None) -> str:
    """Read what an entry says from the beginning of its JSON text, which may break off."""
    try:
        entry: object = None if opening is None else from_json(opening, allow_partial="trailing-strings")
    except ValueError:
        return ""
    content = cast("dict[str, Any]", entry).get("content") if isinstance(entry, dict) else None
    return content if isinstance(content, str) else ""


def _sandbox_id(session: StoredSession) -> str | None:
    return None if session.sandbox is None else str(session.sandbox["sandbox_id"])


def _workspace_kept_until(session: StoredSession) -> datetime | Literal["deleted_by_hand"] | None:
    if session.state != "terminated" or session.sandbox is None:
        return None
    if session.workspace_delete_at_us is None:
        return "deleted_by_hand"
    return from_us(session.workspace_delete_at_us)
