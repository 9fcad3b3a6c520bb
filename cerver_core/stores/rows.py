"""How a session stands in its two rows: columns, their order and JSON texts; the members write the statements."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from cerver_core.metrics import SessionCounters
from cerver_core.stores.shapes import StoredSession

__all__ = [
    "DETAIL_COLUMNS",
    "SELECT_SESSIONS",
    "SESSION_COLUMNS",
    "detail_values",
    "json_text",
    "merged",
    "read_session",
    "select_opened",
    "session_values",
]

_COUNTERS = (
    "provision_ms",
    "first_exec_at_us",
    "last_exec_ms",
    "exec_ms_total",
    "exec_count",
    "stream_open_ms_total",
    "stream_count",
    "user_entry_count",
    "cost_micro_usd",
)
SESSION_COLUMNS = (
    "account_id",
    "id",
    "state",
    "updated_at_us",
    "last_seq",
    "name",
    "source",
    "project",
    "parent_id",
    *_COUNTERS,
)
DETAIL_COLUMNS = (
    "session_key",
    "created_at_us",
    "end_reason",
    "ended_at_us",
    "session_type",
    "workload",
    "task",
    "harness",
    "provider",
    "compute_id",
    "sandbox",
    "workspace_delete_at_us",
    "requirements",
    "policy",
    "metadata",
    "routing",
)
_FIELDS = tuple(
    name for name in (*SESSION_COLUMNS, *DETAIL_COLUMNS) if name not in {"account_id", "session_key", *_COUNTERS}
)

_FROM = "FROM sessions s JOIN session_details d USING (session_key)"
_COLUMNS = ", ".join((*_FIELDS, *_COUNTERS))
SELECT_SESSIONS = f"SELECT {_COLUMNS} {_FROM}"
"""Yields what `read_session` takes."""

_OPENING_CHARACTERS = 1_000
_ROLE_WITHIN_CHARACTERS = 400
"""An entry's id, time and role stand before all that may be long."""


def select_opened(entries: str, seq: str, is_by_user: str) -> str:
    """Write the SELECT that yields each session's opening too, in the same statement and by the key of the entries.

    `entries` is the FROM and WHERE that find the first few entries of `s`, `seq` the column that they are in order of,
    and `is_by_user` tells of the text `head`, the beginning of an entry's, whether a user said it.
    """
    by_user = is_by_user.replace("head", f"substr(body, 1, {_ROLE_WITHIN_CHARACTERS})")
    first, in_order = f"SELECT substr(body, 1, {_OPENING_CHARACTERS}) {entries}", f"ORDER BY {seq} LIMIT 1"
    opening = f"coalesce(({first} AND {by_user} {in_order}), ({first} {in_order}))"
    return f"SELECT {_COLUMNS}, CASE WHEN s.name IS NULL AND d.task = '' THEN {opening} END AS opening {_FROM}"


def read_session(row: Sequence[Any]) -> StoredSession:
    """Build the session from a row of `SELECT_SESSIONS` or of `select_opened`."""
    fields: dict[str, Any] = dict(zip(_FIELDS, row, strict=False))
    for name in _OBJECTS:
        fields[name] = _object(fields[name])
    counters, opening = row[len(_FIELDS) : len(_FIELDS) + len(_COUNTERS)], row[len(_FIELDS) + len(_COUNTERS) :]
    return StoredSession(**fields, counters=SessionCounters(*counters), opening=opening[0] if opening else None)


def session_values(account_id: str, session: StoredSession, *, last_seq: int, by_user: int) -> tuple[Any, ...]:
    """Give the values of `SESSION_COLUMNS`: the session with that many entries, so many of them by the user."""
    counters = {name: getattr(session.counters, name) for name in _COUNTERS}
    counters["user_entry_count"] += by_user
    places = (session.name, session.source, session.project, session.parent_id)
    return (account_id, session.id, session.state, session.updated_at_us, last_seq, *places, *counters.values())


def detail_values(session_key: int, session: StoredSession) -> tuple[Any, ...]:
    """Give the values of `DETAIL_COLUMNS`."""
    return (
        *(session_key, session.created_at_us, session.end_reason, session.ended_at_us, session.session_type),
        *(session.workload, session.task, session.harness, session.provider, session.compute_id),
        *(json_text(session.sandbox), session.workspace_delete_at_us, json_text(session.requirements)),
        *(json_text(session.policy), json_text(session.metadata), json_text(session.routing)),
    )


def json_text(value: Mapping[str, JsonValue] | None) -> str | None:
    """Write a JSON object as it is kept; null stays null."""
    return None if value is None else json.dumps(value, separators=(",", ":"))


def merged(text: str, merge: Mapping[str, JsonValue]) -> str | None:
    """Write a kept JSON object with keys added or replaced; a null removes its key."""
    kept = {key: value for key, value in (_object(text) or {}).items() if key not in merge}
    return json_text({**kept, **{key: value for key, value in merge.items() if value is not None}})


def _object(text: str | None) -> dict[str, JsonValue] | None:
    if text is None:
        return None
    return {} if text == "{}" else json.loads(text)


_OBJECTS = ("sandbox", "requirements", "policy", "metadata", "routing")
