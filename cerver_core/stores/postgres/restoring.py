"""Writes parts of a dump into the tables, many rows a statement, within a transaction that belongs to their owner."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import asyncpg

from cerver_core.stores.dumping import DumpedCounter, DumpedEntry, DumpedId, DumpedSession, Part, ends_of
from cerver_core.stores.postgres.faults import refuse_unkeepable
from cerver_core.stores.postgres.rows import INSERT_DETAILS, INSERT_SESSION
from cerver_core.stores.postgres.texts import kept, kept_all, plain
from cerver_core.stores.records import Record
from cerver_core.stores.refusals import not_found
from cerver_core.stores.rows import detail_values, session_values

__all__ = ["write_parts"]

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_PartT = TypeVar("_PartT", bound=Part)

_HEADS = "SELECT id, session_key, last_seq FROM sessions WHERE account_id = $1 AND id = ANY ($2::text[])"
_END = "UPDATE sessions SET last_seq = $2 WHERE session_key = $1"
_ENTRY = "INSERT INTO entries (account_id, session_key, seq, body) VALUES ($1, $2, $3, $4)"
_WHOLE = "INSERT INTO whole_bodies (account_id, session_key, seq, body) VALUES ($1, $2, $3, $4)"
_ID = "INSERT INTO client_ids (account_id, session_key, client_id, seq, fingerprint) VALUES ($1, $2, $3, $4, $5)"
_EXEC = "INSERT INTO open_execs (account_id, session_key, tool_id, holder, started_at_us) VALUES ($1, $2, $3, $4, $5)"
_RECORD = "INSERT INTO records VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
_COUNTER = "INSERT INTO counters VALUES ($1, $2, $3)"


async def write_parts(connection: _Connection, owner: str, parts: Sequence[Part]) -> None:
    """Write them; `owner` is given as it is kept.

    Raises:
        SessionNotFound: an entry or an id comes before its session.
        SequenceConflict: an entry is not the next one.
        InvalidInput: a text is one that Postgres cannot keep.
    """
    for session in _of(parts, DumpedSession):
        await _write_session(connection, owner, session)
    entries, ids = _of(parts, DumpedEntry), _of(parts, DumpedId)
    heads = await _heads(connection, owner, {part.session_id for part in (*entries, *ids)})
    keys = {session_id: key for session_id, (key, _) in heads.items()}
    ends = ends_of(entries, {session_id: last_seq for session_id, (_, last_seq) in heads.items()})
    for entry in entries:
        refuse_unkeepable(entry.body)
        refuse_unkeepable(entry.view or "")
    await connection.executemany(_END, [(keys[session_id], last_seq) for session_id, last_seq in ends.items()])
    await connection.executemany(
        _ENTRY, [(owner, keys[entry.session_id], entry.seq, entry.view or entry.body) for entry in entries]
    )
    await connection.executemany(
        _WHOLE, [(owner, keys[entry.session_id], entry.seq, entry.body) for entry in entries if entry.view]
    )
    await connection.executemany(
        _ID, [(owner, keys[part.session_id], kept(part.client_id), part.seq, part.fingerprint) for part in ids]
    )
    await connection.executemany(_RECORD, [_record_values(owner, record) for record in _of(parts, Record)])
    await connection.executemany(
        _COUNTER, [(owner, kept(counter.name), counter.value) for counter in _of(parts, DumpedCounter)]
    )


async def _write_session(connection: _Connection, owner: str, part: DumpedSession) -> None:
    session = part.session
    values = session_values("", session, last_seq=0, by_user=0)
    session_key = await connection.fetchval(INSERT_SESSION, owner, *kept_all(values[1:]))
    if session_key is None:
        raise asyncpg.UniqueViolationError(f"session {session.id}")
    await connection.execute(INSERT_DETAILS, owner, *kept_all(detail_values(session_key, session)))
    await connection.executemany(
        _EXEC,
        [(owner, session_key, kept(one.tool_id), kept(one.holder), one.started_at_us) for one in part.execs],
    )


async def _heads(connection: _Connection, owner: str, session_ids: set[str]) -> Mapping[str, tuple[int, int]]:
    rows = await connection.fetch(_HEADS, owner, [kept(session_id) for session_id in session_ids])
    heads = {plain(session_id): (key, last_seq) for session_id, key, last_seq in rows}
    for session_id in session_ids - heads.keys():
        raise not_found(session_id)
    return heads


def _record_values(owner: str, record: Record) -> tuple[Any, ...]:
    text = json.dumps(record.data, ensure_ascii=False, separators=(",", ":"))
    refuse_unkeepable(text)
    times = (record.created_at_us, record.updated_at_us, record.expires_at_us)
    return (owner, kept(record.kind), kept(record.id), text, record.version, *times)


def _of(parts: Sequence[Part], kind: type[_PartT]) -> list[_PartT]:
    return [part for part in parts if isinstance(part, kind)]
