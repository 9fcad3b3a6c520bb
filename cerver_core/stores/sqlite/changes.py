"""What a write does to a session's own rows; it neither reads nor writes entries."""

from typing import Any

from cerver_core.stores.base import KEEP, ClosedExec, MetricDelta, OpenExec, SessionChange
from cerver_core.stores.refusals import not_found
from cerver_core.stores.rows import json_text, merged
from cerver_core.stores.sqlite.sql import Database
from cerver_core.wire.sessions import Lifecycle

__all__ = ["amend", "close_exec", "count", "locate", "move", "open_exec"]

_DETAIL_COLUMNS = ("task", "end_reason", "ended_at_us", "harness", "provider", "compute_id", "workspace_delete_at_us")
_JSON_COLUMNS = ("sandbox", "routing")
_ROW_COLUMNS = ("name", "source")


def locate(connection: Database, account_id: str, session_id: str) -> tuple[int, Lifecycle, int]:
    """Find the key, the state and the last seq of one of the account's sessions.

    Raises:
        SessionNotFound: this account has none by this id.
    """
    row = connection.execute(
        "SELECT session_key, state, last_seq FROM sessions WHERE account_id = ? AND id = ?", (account_id, session_id)
    ).get
    if row is None:
        raise not_found(session_id)
    return row


def move(
    connection: Database, session_key: int, state: Lifecycle, updated_at_us: int, *, added: int = 0, by_user: int = 0
) -> None:
    """Set the state, count entries and push the time of the last activity, which never goes back."""
    connection.execute(
        "UPDATE sessions SET last_seq = last_seq + ?, user_entry_count = user_entry_count + ?, "
        "updated_at_us = max(updated_at_us, ?), state = ? WHERE session_key = ?",
        (added, by_user, updated_at_us, state, session_key),
    )


def amend(connection: Database, session_key: int, change: SessionChange) -> None:
    """Set the fields that a change names, all but the state and the time of the last activity."""
    row = {name: value for name in _ROW_COLUMNS if (value := getattr(change, name)) is not KEEP}
    _update(connection, "sessions", session_key, row)
    details = {name: value for name in _DETAIL_COLUMNS if (value := getattr(change, name)) is not KEEP}
    for name in _JSON_COLUMNS:
        if (value := getattr(change, name)) is not KEEP:
            details[name] = json_text(value)
    if change.metadata_merge is not KEEP:
        kept = connection.execute("SELECT metadata FROM session_details WHERE session_key = ?", (session_key,)).get
        details["metadata"] = merged(kept, change.metadata_merge)
    _update(connection, "session_details", session_key, details)


def count(connection: Database, session_key: int, delta: MetricDelta) -> None:
    """Add to the counters."""
    connection.execute(
        "UPDATE sessions SET provision_ms = coalesce(?, provision_ms), "
        "first_exec_at_us = coalesce(first_exec_at_us, ?), last_exec_ms = coalesce(?, last_exec_ms), "
        "exec_ms_total = exec_ms_total + ?, exec_count = exec_count + ?, "
        "stream_open_ms_total = stream_open_ms_total + ?, stream_count = stream_count + ?, "
        "cost_micro_usd = CASE WHEN ?8 IS NULL THEN cost_micro_usd ELSE coalesce(cost_micro_usd, 0) + ?8 END "
        "WHERE session_key = ?9",
        (
            *(delta.provision_ms, delta.first_exec_at_us, delta.last_exec_ms, delta.exec_ms, delta.execs),
            *(delta.stream_open_ms, delta.streams, delta.cost_micro_usd, session_key),
        ),
    )


def open_exec(connection: Database, session_key: int, opens: OpenExec) -> None:
    """Note an execution as under way."""
    connection.execute(
        "INSERT INTO open_execs (session_key, tool_id, holder, started_at_us) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (session_key, tool_id) DO UPDATE SET holder = excluded.holder, "
        "started_at_us = excluded.started_at_us",
        (session_key, opens.tool_id, opens.holder, opens.started_at_us),
    )


def close_exec(connection: Database, session_key: int, closes: ClosedExec) -> bool:
    """Strike an execution off; tell whether it was the session's last one."""
    connection.execute("DELETE FROM open_execs WHERE session_key = ? AND tool_id = ?", (session_key, closes.tool_id))
    if not connection.changes():
        return False
    others = "SELECT EXISTS (SELECT 1 FROM open_execs WHERE session_key = ?)"
    return not connection.execute(others, (session_key,)).get


def _update(connection: Database, table: str, session_key: int, values: dict[str, Any]) -> None:
    if not values:
        return
    sets = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE {table} SET {sets} WHERE session_key = ?", (*values.values(), session_key))  # noqa: S608 - names of ours
