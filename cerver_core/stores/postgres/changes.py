"""What a write does to a session's own rows, in a transaction of its account; it neither reads nor writes entries."""

from dataclasses import dataclass, field
from typing import Any

from cerver_core.stores.base import KEEP, ClosedExec, MetricDelta, OpenExec, SessionChange
from cerver_core.stores.postgres.database import Connection
from cerver_core.stores.postgres.texts import kept, plain
from cerver_core.stores.refusals import not_found
from cerver_core.stores.rows import json_text, merged
from cerver_core.wire.sessions import Lifecycle

__all__ = ["Changes", "Head", "close_exec", "lock", "open_exec"]

_DETAIL_COLUMNS = ("task", "end_reason", "ended_at_us", "harness", "provider", "compute_id", "workspace_delete_at_us")
_JSON_COLUMNS = ("sandbox", "routing")
_ROW_COLUMNS = ("name", "source")


@dataclass(frozen=True, slots=True)
class Head:
    """A session whose row is locked until the transaction ends."""

    account_id: str
    session_key: int
    state: Lifecycle
    last_seq: int


async def lock(connection: Connection, account_id: str, session_id: str) -> Head:
    """Lock one of the account's sessions against every other writer.

    Raises:
        SessionNotFound: this account has none by this id.
    """
    row = await connection.fetchrow(
        "SELECT account_id, session_key, state, last_seq FROM sessions WHERE account_id = $1 AND id = $2 FOR UPDATE",
        kept(account_id),
        kept(session_id),
    )
    if row is None:
        raise not_found(session_id)
    return Head(*row)


@dataclass(slots=True)
class Changes:
    """Gathers what is to become of a session's two rows, and writes each at most once."""

    head: Head
    _row: dict[str, Any] = field(default_factory=dict[str, Any])
    _sums: dict[str, Any] = field(default_factory=dict[str, Any])
    _details: dict[str, Any] = field(default_factory=dict[str, Any])
    _merge: SessionChange | None = None

    def amend(self, change: SessionChange) -> None:
        """Set the fields that a change names, all but the state and the time of the last activity."""
        for name in _ROW_COLUMNS:
            if (value := getattr(change, name)) is not KEEP:
                self._row[f"{name} = ?"] = value
        if change.name is not KEEP or change.task is not KEEP:
            self._row["is_described = ?"] = False
        for name in _DETAIL_COLUMNS:
            if (value := getattr(change, name)) is not KEEP:
                self._details[f"{name} = ?"] = value
        for name in _JSON_COLUMNS:
            if (value := getattr(change, name)) is not KEEP:
                self._details[f"{name} = ?"] = json_text(value)
        if change.metadata_merge is not KEEP:
            self._merge = change

    def count(self, delta: MetricDelta) -> None:
        """Add to the counters."""
        self._sums = {
            "provision_ms = coalesce(?::float8, provision_ms)": delta.provision_ms,
            "first_exec_at_us = coalesce(first_exec_at_us, ?::bigint)": delta.first_exec_at_us,
            "last_exec_ms = coalesce(?::float8, last_exec_ms)": delta.last_exec_ms,
            "exec_ms_total = exec_ms_total + ?::float8": delta.exec_ms,
            "exec_count = exec_count + ?::bigint": delta.execs,
            "stream_open_ms_total = stream_open_ms_total + ?::float8": delta.stream_open_ms,
            "stream_count = stream_count + ?::bigint": delta.streams,
        }
        if delta.cost_micro_usd is not None:
            self._sums["cost_micro_usd = coalesce(cost_micro_usd, 0) + ?::bigint"] = delta.cost_micro_usd

    def move(self, state: Lifecycle, updated_at_us: int, *, added: int = 0, by_user: int = 0) -> None:
        """Set the state, count entries and push the time of the last activity, which never goes back."""
        self._row["state = ?"] = state
        self._row["updated_at_us = greatest(updated_at_us, ?::bigint)"] = updated_at_us
        if added:
            self._row["last_seq = last_seq + ?::bigint"] = added
        if by_user:
            self._row["user_entry_count = user_entry_count + ?::bigint"] = by_user

    async def write(self, connection: Connection) -> None:
        """Write what was gathered."""
        if self._merge is not None:
            statement = "SELECT metadata FROM session_details WHERE session_key = $1"
            metadata = await connection.fetchval(statement, self.head.session_key)
            assert self._merge.metadata_merge is not KEEP
            self._details["metadata = ?"] = merged(plain(metadata), self._merge.metadata_merge)
        await _update(connection, "sessions", self.head, {**self._row, **self._sums})
        await _update(connection, "session_details", self.head, self._details)


async def open_exec(connection: Connection, head: Head, opens: OpenExec) -> None:
    """Note an execution as under way."""
    await connection.execute(
        "INSERT INTO open_execs (account_id, session_key, tool_id, holder, started_at_us) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (session_key, tool_id) DO UPDATE SET holder = excluded.holder, "
        "started_at_us = excluded.started_at_us",
        *(head.account_id, head.session_key, kept(opens.tool_id), kept(opens.holder), opens.started_at_us),
    )


async def close_exec(connection: Connection, head: Head, closes: ClosedExec) -> bool:
    """Strike an execution off; tell whether it was the session's last one."""
    key, tool_id = head.session_key, kept(closes.tool_id)
    struck = "DELETE FROM open_execs WHERE session_key = $1 AND tool_id = $2 RETURNING 1"
    if await connection.fetchval(struck, key, tool_id) is None:
        return False
    others = "SELECT EXISTS (SELECT FROM open_execs WHERE session_key = $1)"
    return not await connection.fetchval(others, key)


async def _update(connection: Connection, table: str, head: Head, values: dict[str, Any]) -> None:
    if not values:
        return
    sets = ", ".join(place.replace("?", f"${number}") for number, place in enumerate(values, 2))
    given = [kept(value) if isinstance(value, str) else value for value in values.values()]
    await connection.execute(f"UPDATE {table} SET {sets} WHERE session_key = $1", head.session_key, *given)  # noqa: S608 - names of ours
