"""Reads and writes all that the database holds as it is: a snapshot on a connection of its own, and the restoration.

Both work as the user of the URL. Row-level security binds that user too, unless it is a superuser, so what is read is
read as one owner after the other.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from cerver_core.errors import Conflict
from cerver_core.stores.base import OpenExec
from cerver_core.stores.dumping import DumpedCounter, DumpedEntry, DumpedId, DumpedSession, Part
from cerver_core.stores.postgres.database import Database
from cerver_core.stores.postgres.faults import translating
from cerver_core.stores.postgres.restoring import write_parts
from cerver_core.stores.postgres.rows import read_rows
from cerver_core.stores.postgres.texts import DIRECTORY, kept, plain
from cerver_core.stores.records import Record
from cerver_core.stores.refusals import not_found
from cerver_core.stores.rows import SELECT_SESSIONS

__all__ = ["PostgresSnapshot", "is_empty", "restore", "snapshot_of"]

_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_AS_OWNER = "SELECT set_config('cerver.account', $1, true)"
# Its reader may be slow; a time limit of the server's operator is for those who forgot their transaction.
_PATIENTLY = "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL enable_seqscan = off"
_TABLES = ("sessions", "records", "counters")
# From one name to the next by the index, past everything that each owner keeps.
_NAMES = (
    "WITH RECURSIVE names (name) AS (SELECT min(account_id) FROM {table} UNION ALL "
    "SELECT (SELECT min(account_id) FROM {table} WHERE account_id > name) FROM names WHERE name IS NOT NULL) "
    "SELECT name FROM names WHERE name IS NOT NULL"
)
_IS_BOUND = "SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user"
_SESSIONS = f"{SELECT_SESSIONS} WHERE s.account_id = $1 AND s.id > $2 ORDER BY s.id LIMIT $3"
_EXECS = (
    "SELECT s.id, e.tool_id, e.holder, e.started_at_us FROM open_execs e JOIN sessions s USING (session_key) "
    "WHERE s.account_id = $1 AND s.id = ANY ($2::text[]) ORDER BY e.tool_id"
)
_KEY = "SELECT session_key FROM sessions WHERE account_id = $1 AND id = $2"
# Up to and with the row at which the bytes run out: the first one always comes.
_ENTRIES = (
    "SELECT seq, body, whole FROM ("
    "SELECT seq, body, whole, sum(octet_length(body) + coalesce(octet_length(whole), 0)) OVER walk AS bytes, "
    "octet_length(body) + coalesce(octet_length(whole), 0) AS own FROM ("
    "SELECT e.seq, e.body, w.body AS whole FROM entries e "
    "LEFT JOIN whole_bodies w ON w.session_key = e.session_key AND w.seq = e.seq "
    "WHERE e.session_key = $1 AND e.seq > $2 ORDER BY e.seq LIMIT $3) page "
    "WINDOW walk AS (ORDER BY seq ROWS UNBOUNDED PRECEDING)) counted WHERE bytes - own < $4 ORDER BY seq"
)
_IDS = (
    "SELECT client_id, seq, fingerprint FROM client_ids "
    "WHERE session_key = $1 AND client_id > $2 ORDER BY client_id LIMIT $3"
)
_RECORDS = (
    "SELECT kind, id, data, version, created_at_us, updated_at_us, expires_at_us FROM records "
    "WHERE account_id = $1 AND (kind, id) > ($2, $3) ORDER BY kind, id LIMIT $4"
)
_COUNTERS = "SELECT name, value FROM counters WHERE account_id = $1 AND name > $2 ORDER BY name LIMIT $3"


class PostgresSnapshot:
    """A read transaction that stays open; one call at a time."""

    def __init__(self, connection: _Connection, accounts: Sequence[str]) -> None:
        self._connection = connection
        self._accounts = accounts

    async def accounts(self) -> Sequence[str]:
        """Name all accounts that keep anything."""
        return self._accounts

    async def sessions(self, account_id: str, *, after: str | None = None, limit: int) -> Sequence[DumpedSession]:
        """Read sessions by id."""
        owner = kept(account_id)
        with translating():
            found = read_rows(await self._fetch(owner, _SESSIONS, owner, kept(after or ""), limit))
            ids = [kept(session.id) for session in found]
            execs: dict[str, list[OpenExec]] = {}
            for session_id, tool_id, holder, at_us in await self._fetch(owner, _EXECS, owner, ids):
                execs.setdefault(plain(session_id), []).append(OpenExec(plain(tool_id), plain(holder), at_us))
        return [DumpedSession(session, tuple(execs.get(session.id, ()))) for session in found]

    async def entries(
        self, account_id: str, session_id: str, *, after: int = 0, limit: int, max_bytes: int
    ) -> Sequence[DumpedEntry]:
        """Read entries by seq, within the bounds."""
        with translating():
            key = await self._key(account_id, session_id)
            rows = await self._fetch(kept(account_id), _ENTRIES, key, after, limit, max_bytes)
        return [
            DumpedEntry(session_id, seq, body if whole is None else whole, None if whole is None else body)
            for seq, body, whole in rows
        ]

    async def ids(
        self, account_id: str, session_id: str, *, after: str | None = None, limit: int
    ) -> Sequence[DumpedId]:
        """Read client ids."""
        with translating():
            key = await self._key(account_id, session_id)
            rows = await self._fetch(kept(account_id), _IDS, key, kept(after or ""), limit)
        return [DumpedId(session_id, plain(client_id), seq, fingerprint) for client_id, seq, fingerprint in rows]

    async def records(self, owner: str | None, *, after: tuple[str, str] | None = None, limit: int) -> Sequence[Record]:
        """Read records of all kinds."""
        kind, record_id = after or ("", "")
        name = _kept_owner(owner)
        with translating():
            rows = await self._fetch(name, _RECORDS, name, kept(kind), kept(record_id), limit)
        return [Record(plain(kind), plain(record_id), json.loads(data), *rest) for kind, record_id, data, *rest in rows]

    async def counters(self, owner: str | None, *, after: str | None = None, limit: int) -> Sequence[DumpedCounter]:
        """Read counters."""
        name = _kept_owner(owner)
        with translating():
            rows = await self._fetch(name, _COUNTERS, name, kept(after or ""), limit)
        return [DumpedCounter(plain(counter), value) for counter, value in rows]

    async def _key(self, account_id: str, session_id: str) -> int:
        owner = kept(account_id)
        rows = await self._fetch(owner, _KEY, owner, kept(session_id))
        if not rows:
            raise not_found(session_id)
        key: int = rows[0][0]
        return key

    async def _fetch(self, owner: str, statement: str, *values: Any) -> Sequence[asyncpg.Record]:  # noqa: ANN401
        await self._connection.execute(_AS_OWNER, owner)
        return await self._connection.fetch(statement, *values)


@asynccontextmanager
async def snapshot_of(database: Database) -> AsyncGenerator[PostgresSnapshot]:
    """Hold on to what the database holds now. What is deleted meanwhile keeps its room until the end."""
    connection = await database.connect(as_owner=True)
    try:
        with translating():
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # The first statement that reads fixes the moment; it locks no table that the names are looked for in.
            await connection.execute(f"{_PATIENTLY}; SELECT pg_current_snapshot()")
        names = await _owners(database)
        yield PostgresSnapshot(connection, sorted(plain(name) for name in names - {DIRECTORY}))
    finally:
        connection.terminate()


async def is_empty(database: Database) -> bool:
    """Tell whether the database holds nothing of anybody."""
    return not await _owners(database)


async def restore(database: Database, owner: str | None, parts: Sequence[Part]) -> None:
    """Write parts of one owner as they are, in one transaction.

    Raises:
        Conflict: a part is there already.
    """
    name = _kept_owner(owner)
    connection = await database.connect(as_owner=True)
    try:
        with translating():
            try:
                async with connection.transaction():
                    await connection.execute(_AS_OWNER, name)
                    await write_parts(connection, name, parts)
            except asyncpg.UniqueViolationError as error:
                raise Conflict("a part of the dump is in the store already; restore into an empty one") from error
    finally:
        connection.terminate()


async def _owners(database: Database) -> set[str]:
    """Name, as they are kept, all who keep anything; the directory too.

    An owner of the tables whom row-level security binds lifts that for the moment of looking, in a transaction that is
    taken back: nobody else ever sees it lifted, and whoever writes waits for as long as it takes.
    """
    found: set[str] = set()
    connection = await database.connect(as_owner=True)
    try:
        with translating():
            is_bound = await connection.fetchval(_IS_BOUND)
            for table in _TABLES:
                await connection.execute("BEGIN; SET LOCAL lock_timeout = '3s'; SET LOCAL enable_seqscan = off")
                if is_bound:
                    await connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
                found.update(name for (name,) in await connection.fetch(_NAMES.format(table=table)))
                await connection.execute("ROLLBACK")
    finally:
        connection.terminate()
    return found


def _kept_owner(owner: str | None) -> str:
    return DIRECTORY if owner is None else kept(owner)
