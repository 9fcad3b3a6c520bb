"""Records and counters of one owner: read, list, write by version, add up to a ceiling."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import JsonValue

from cerver_core.stores.records import Record
from cerver_core.stores.sqlite.handover import Handover
from cerver_core.stores.sqlite.inline import InlineReader
from cerver_core.stores.sqlite.sql import Database
from cerver_core.stores.sqlite.transaction import Transaction

__all__ = ["SqliteRecords"]

_COLUMNS = "kind, id, data, version, created_at_us, updated_at_us, expires_at_us"
_THERE = "account_id = ?1 AND kind = ?2 AND id = ?3 AND (expires_at_us IS NULL OR expires_at_us > ?4)"
_PAGE = (
    f"SELECT {_COLUMNS} FROM records "  # noqa: S608 - words of ours
    "WHERE account_id = ?1 AND kind = ?2 AND id >= ?3 AND id <= ?4 AND (expires_at_us IS NULL OR expires_at_us > ?5)"
)
_LAST_CHARACTER = "\U0010ffff"
_SWEPT_AT_ONCE = 20  # what has expired goes with the writes that follow, a few at a time


class SqliteRecords:
    """The records and counters of one account, or of the directory, whose account is the empty name."""

    def __init__(
        self, account_id: str, inline: InlineReader, reads: Handover[Database], writes: Handover[Transaction]
    ) -> None:
        self._account_id = account_id
        self._inline = inline
        self._reads = reads
        self._writes = writes

    async def get(self, kind: str, record_id: str, *, now_us: int) -> Record | None:
        """Read one record; null when there is none."""
        return await self._inline.call(partial(_get, key=(self._account_id, kind, record_id, now_us)))

    async def list(
        self,
        kind: str,
        *,
        now_us: int,
        prefix: str = "",
        after: str | None = None,
        limit: int = 200,
        newest: bool = False,
    ) -> Sequence[Record]:
        """List records of a kind, by id."""
        first, last = prefix, prefix + _LAST_CHARACTER
        bound = ("id < ?6" if newest else "id > ?6") if after is not None else "?6 IS NULL"
        statement = f"{_PAGE} AND {bound} ORDER BY id {'DESC' if newest else 'ASC'} LIMIT ?7"
        values = (self._account_id, kind, first, last, now_us, after, limit)
        return await self._reads.call(partial(_select, statement=statement, values=values))

    async def put(
        self,
        kind: str,
        record_id: str,
        data: Mapping[str, JsonValue],
        *,
        now_us: int,
        expected_version: int | None = None,
        expires_at_us: int | None = None,
    ) -> Record | None:
        """Write one record whole, over the expected version when one is given."""
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        key = (self._account_id, kind, record_id, now_us)
        work = partial(_put, key=key, text=text, expected_version=expected_version, expires_at_us=expires_at_us)
        return await self._writes.call(work, len(text))

    async def delete(self, kind: str, record_id: str, *, expected_version: int | None = None) -> bool:
        """Remove one record; false when there was none (of that version)."""
        values = (self._account_id, kind, record_id, expected_version)
        return await self._writes.call(partial(_delete, values=values))

    async def counter(self, name: str) -> int:
        """Read a counter."""
        return await self._inline.call(partial(_counter, values=(self._account_id, name)))

    async def add(self, name: str, amount: int, *, ceiling: int | None = None) -> int | None:
        """Add to a counter unless the sum would pass the ceiling."""
        return await self._writes.call(partial(_add, values=(self._account_id, name, amount, ceiling)))


def _get(connection: Database, *, key: tuple[str, str, str, int]) -> Record | None:
    found = _select(connection, statement=f"SELECT {_COLUMNS} FROM records WHERE {_THERE}", values=key)  # noqa: S608 - words of ours
    return found[0] if found else None


def _select(connection: Database, *, statement: str, values: Sequence[Any]) -> Sequence[Record]:
    return [
        Record(kind, record_id, json.loads(data), version, created_at_us, updated_at_us, expires_at_us)
        for kind, record_id, data, version, created_at_us, updated_at_us, expires_at_us in connection.execute(
            statement, values
        )
    ]


def _put(
    transaction: Transaction,
    *,
    key: tuple[str, str, str, int],
    text: str,
    expected_version: int | None,
    expires_at_us: int | None,
) -> Record | None:
    connection = transaction.database
    now_us = key[3]
    connection.execute(
        "DELETE FROM records WHERE (account_id, kind, id) IN (SELECT account_id, kind, id FROM records "
        "WHERE expires_at_us <= ? ORDER BY expires_at_us LIMIT ?)",
        (now_us, _SWEPT_AT_ONCE),
    )
    before = _get(connection, key=key)
    version = 0 if before is None else before.version
    if expected_version is not None and expected_version != version:
        return None
    created_at_us = now_us if before is None else before.created_at_us
    connection.execute(
        "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*key[:3], text, version + 1, created_at_us, now_us, expires_at_us),
    )
    return Record(key[1], key[2], json.loads(text), version + 1, created_at_us, now_us, expires_at_us)


def _delete(transaction: Transaction, *, values: Sequence[Any]) -> bool:
    connection = transaction.database
    connection.execute(
        "DELETE FROM records WHERE account_id = ?1 AND kind = ?2 AND id = ?3 AND (?4 IS NULL OR version = ?4)", values
    )
    return connection.changes() > 0


def _counter(connection: Database, *, values: Sequence[Any]) -> int:
    value = connection.execute("SELECT value FROM counters WHERE account_id = ? AND name = ?", values).get
    return 0 if value is None else value


def _add(transaction: Transaction, *, values: tuple[str, str, int, int | None]) -> int | None:
    account_id, name, amount, ceiling = values
    value = _counter(transaction.database, values=(account_id, name)) + amount
    if ceiling is not None and value > ceiling:
        return None
    transaction.database.execute("INSERT OR REPLACE INTO counters VALUES (?, ?, ?)", (account_id, name, value))
    return value
