"""Reads all that the database holds at one moment, and fills an empty one: each in one transaction of its own.

Row-level security lets such a transaction read and add rows of every account, and change or remove none.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from cerver_core.errors import Conflict, InvalidInput
from cerver_core.stores.dumping import TABLES, Batch, Row
from cerver_core.stores.postgres.database import AS_OPERATOR, Database
from cerver_core.stores.postgres.faults import refuse_unkeepable, translating
from cerver_core.stores.postgres.migrations import KNOWN_SCHEMA
from cerver_core.stores.postgres.texts import DIRECTORY, kept_all, plain_all

__all__ = ["PostgresSnapshot", "restore", "snapshot_of"]

_VERBATIM = ("entries", "whole_bodies")
"""Their texts are kept as they are, every other one as `texts` keeps it."""

_ROWS_AT_ONCE = 500
_WHOLE_BODIES_AT_ONCE = 4  # each is long
_ORDERS = {
    "records": "account_id, kind, id",
    "counters": "account_id, name",
    "entries": "session_key, seq",
    "whole_bodies": "session_key, seq",
    "client_ids": "session_key, client_id",
    "open_execs": "session_key, tool_id",
}
# Who reads a dump or writes one may be slow: the server's limit is for transactions that were forgotten.
_PATIENTLY = "SET LOCAL idle_in_transaction_session_timeout = 0"
_READ = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {AS_OPERATOR}; {_PATIENTLY}; SELECT pg_current_snapshot()"
_FILL = f"BEGIN; {AS_OPERATOR}; {_PATIENTLY}; LOCK TABLE sessions, records, counters IN SHARE ROW EXCLUSIVE MODE"
_IS_FILLED = "SELECT EXISTS (SELECT FROM sessions) OR EXISTS (SELECT FROM records) OR EXISTS (SELECT FROM counters)"
_GO_ON = (
    "SELECT setval(pg_get_serial_sequence('sessions', 'session_key'), (SELECT max(session_key) FROM sessions)); COMMIT"
)
_OWNER = "(SELECT account_id FROM sessions WHERE session_key = $1)"


class PostgresSnapshot:
    """A reading transaction that stays open."""

    store = "postgres"
    schema = KNOWN_SCHEMA

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def rows(self, table: str) -> AsyncGenerator[Sequence[Row]]:
        """Read a table, some rows at a time."""
        at_once = _WHOLE_BODIES_AT_ONCE if table == "whole_bodies" else _ROWS_AT_ONCE
        order = _ORDERS.get(table, "session_key")
        with translating():
            found = await self._connection.cursor(f"SELECT {', '.join(TABLES[table])} FROM {table} ORDER BY {order}")  # noqa: S608 - names of ours
            batch = await found.fetch(at_once)
        while batch:
            yield [_plain_row(table, tuple(row)) for row in batch]
            with translating():
                batch = await found.fetch(at_once)


@asynccontextmanager
async def snapshot_of(database: Database) -> AsyncGenerator[PostgresSnapshot]:
    """Hold on to what the database holds now. What is deleted meanwhile keeps its room until the end."""
    connection = await database.connect()
    try:
        with translating():
            await connection.execute(_READ)
        yield PostgresSnapshot(connection)
    finally:
        connection.terminate()


async def restore(database: Database, batches: AsyncIterable[Batch]) -> None:
    """Fill an empty database; whoever else would write waits until it is done."""
    connection = await database.connect(as_owner=True)  # who alone may say which key comes next
    try:
        with translating():
            await connection.execute(_FILL)
            if await connection.fetchval(_IS_FILLED):
                raise Conflict("the database holds something already: restore into a new one")
        async for table, rows in batches:
            await _add(connection, table, rows)
        with translating():
            await connection.execute(_GO_ON)
    finally:
        connection.terminate()


async def _add(connection: "asyncpg.Connection[asyncpg.Record]", table: str, rows: Sequence[Row]) -> None:
    with translating():
        try:
            await connection.executemany(_insert(table), [_kept_row(table, row) for row in rows])
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            told = f"the rows of the dump contradict each other ({type(error).__name__} in {table})"
            raise InvalidInput(f"{told}; nothing was restored") from error


def _insert(table: str) -> str:
    columns = TABLES[table]
    names, values = ", ".join(columns), ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    if "account_id" not in columns:
        # Null, and so refused, where there is no such session.
        names, values = f"account_id, {names}", f"{_OWNER}, {values}"
    return f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})"  # noqa: S608 - names of ours


def _plain_row(table: str, row: tuple[Any, ...]) -> Row:
    if table in _VERBATIM:
        return row
    return plain_all(["" if value == DIRECTORY else value for value in row])


def _kept_row(table: str, row: Row) -> Row:
    if table in _VERBATIM:
        refuse_unkeepable(str(row[2]))
        return row
    values = kept_all(row)
    if TABLES[table][0] == "account_id":
        values[0] = values[0] or DIRECTORY
    return values
