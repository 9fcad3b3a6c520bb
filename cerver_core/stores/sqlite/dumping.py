"""Reads all that the file holds at one moment, and fills an empty one: each in one transaction, beside the threads."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import anyio
import anyio.to_thread
import apsw

from cerver_core.errors import Conflict, InvalidInput
from cerver_core.stores.dumping import BATCH_BYTES, TABLES, Batch, Row, row_bytes
from cerver_core.stores.sqlite.connection import KNOWN_SCHEMA, check_schema, open_reader, open_writer
from cerver_core.stores.sqlite.faults import translated
from cerver_core.stores.sqlite.sql import Database, Rows

__all__ = ["SqliteSnapshot", "restore", "snapshot_of"]

T = TypeVar("T")

_PLACED = ("entries", "whole_bodies")
_LARGEST_KEY = (1 << 31) - 1
"""A session's key is the upper half of the places of its entries."""

_ORDERS = {
    "records": "account_id, kind, id",
    "counters": "account_id, name",
    "client_ids": "session_key, client_id",
    "open_execs": "session_key, tool_id",
}


class SqliteSnapshot:
    """A reading transaction that stays open."""

    store = "sqlite"
    schema = KNOWN_SCHEMA

    def __init__(self, path: Path, connection: Database) -> None:
        self._path = path
        self._connection = connection

    async def rows(self, table: str) -> AsyncGenerator[Sequence[Row]]:
        """Read a table, some rows at a time."""
        found = await _in_thread(self._path, partial(self._connection.execute, _select(table)))
        while batch := await _in_thread(self._path, partial(_take, found)):
            yield batch


@asynccontextmanager
async def snapshot_of(path: Path) -> AsyncGenerator[SqliteSnapshot]:
    """Hold on to what the file holds now. Its write-ahead log grows meanwhile: it cannot be folded in."""
    connection = await _in_thread(path, partial(open_reader, path))
    try:
        await _in_thread(path, partial(_begin_reading, connection, path))
        yield SqliteSnapshot(path, connection)
    finally:
        connection.close()


async def restore(path: Path, durability: Literal["full", "relaxed"], batches: AsyncIterable[Batch]) -> None:
    """Fill an empty file; what is not committed leaves no trace, also of a process that was killed."""
    connection = await _in_thread(path, partial(open_writer, path, durability))
    try:
        await _in_thread(path, partial(_begin_filling, connection, path))
        async for table, rows in batches:
            await _in_thread(path, partial(_add, connection, table, rows))
        await _in_thread(path, partial(_commit, connection))
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(connection.close)


def _select(table: str) -> str:
    if table in _PLACED:
        return f"SELECT place >> 32, place & 0xffffffff, body FROM {table} ORDER BY place"  # noqa: S608 - names of ours
    return f"SELECT {', '.join(TABLES[table])} FROM {table} ORDER BY {_ORDERS.get(table, 'session_key')}"  # noqa: S608 - names of ours


def _insert(table: str) -> str:
    if table in _PLACED:
        return f"INSERT INTO {table} (place, body) VALUES (?1 << 32 | ?2, ?3)"  # noqa: S608 - names of ours
    columns = TABLES[table]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of ours


def _begin_reading(connection: Database, path: Path) -> None:
    connection.execute("BEGIN")
    check_schema(connection, path)  # the transaction begins with what it reads first


def _begin_filling(connection: Database, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    check_schema(connection, path)
    for table in ("sessions", "records", "counters"):
        if connection.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").get:  # noqa: S608 - names of ours
            raise Conflict(f"the database {path} holds something already: restore into a new CERVER_HOME")


def _add(connection: Database, table: str, rows: Sequence[Row]) -> None:
    try:
        connection.executemany(_insert(table), rows)
    except (apsw.ConstraintError, apsw.MismatchError, OverflowError, TypeError) as error:
        told = f"the rows of the dump contradict each other ({type(error).__name__} in {table})"
        raise InvalidInput(f"{told}; nothing was restored") from error


def _commit(connection: Database) -> None:
    if (connection.execute("SELECT max(session_key) FROM sessions").get or 0) > _LARGEST_KEY:
        raise InvalidInput(f"a session has a key above {_LARGEST_KEY}, which SQLite has no room for; use Postgres")
    connection.execute("COMMIT")


def _take(rows: Rows) -> Sequence[Row]:
    batch: list[Row] = []
    room = BATCH_BYTES
    for row in rows:
        batch.append(row)
        room -= row_bytes(row)
        if room <= 0:
            break
    return batch


async def _in_thread(path: Path, work: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(partial(_done, path, work))


def _done(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except (apsw.Error, OSError, UnicodeEncodeError) as error:
        raise translated(error, path) from error
