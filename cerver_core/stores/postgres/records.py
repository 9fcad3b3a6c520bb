"""Records and counters of one owner: read, list, write by version, add up to a ceiling."""

import json
from collections.abc import Mapping, Sequence

import asyncpg
from pydantic import JsonValue

from cerver_core.stores.postgres.database import Database
from cerver_core.stores.postgres.faults import refuse_unkeepable
from cerver_core.stores.postgres.rows import as_account
from cerver_core.stores.postgres.texts import kept, kept_all, plain
from cerver_core.stores.records import Record

__all__ = ["PostgresRecords"]

_COLUMNS = "kind, id, data, version, created_at_us, updated_at_us, expires_at_us"
_LIVE = "(expires_at_us IS NULL OR expires_at_us > $2)"
_GET = as_account(
    f"SELECT {_COLUMNS} FROM records WHERE account_id = who.account_id AND {_LIVE} AND kind = $3 AND id = $4"  # noqa: S608 - words of ours
)
_COUNTER = as_account("SELECT value FROM counters WHERE account_id = who.account_id AND name = $2")
_PUT = "SELECT new_version, made_at_us FROM put_record_1($1, $2, $3, $4, $5, $6, $7)"
_DELETE = "SELECT delete_record_1($1, $2, $3, $4)"
_ADD = "SELECT add_to_counter_1($1, $2, $3, $4)"
_LAST_CHARACTER = "\U0010ffff"


def _page(*, newest: bool, goes_on: bool) -> str:
    bound = ("id < $7" if newest else "id > $7") if goes_on else "$7::text IS NULL"
    return as_account(
        f"SELECT {_COLUMNS} FROM records WHERE account_id = who.account_id AND {_LIVE} AND kind = $3 "  # noqa: S608 - words of ours
        f"AND id >= $4 AND id <= $5 AND {bound} ORDER BY id {'DESC' if newest else 'ASC'} LIMIT $6"
    )


_PAGES = {
    (newest, goes_on): _page(newest=newest, goes_on=goes_on) for newest in (False, True) for goes_on in (False, True)
}


class PostgresRecords:
    """The records and counters of one owner; `owner` is an account as it is kept, or the directory."""

    def __init__(self, owner: str, database: Database) -> None:
        self._owner = owner
        self._database = database

    async def get(self, kind: str, record_id: str, *, now_us: int) -> Record | None:
        """Read one record; null when there is none."""
        rows = await self._database.fetch(_GET, self._owner, now_us, kept(kind), kept(record_id))
        return _record(rows[0]) if rows else None

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
        first, last = kept(prefix), kept(prefix) + _LAST_CHARACTER
        values = (self._owner, now_us, kept(kind), first, last, limit, None if after is None else kept(after))
        rows = await self._database.fetch(_PAGES[newest, after is not None], *values)
        return [_record(row) for row in rows]

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
        refuse_unkeepable(text)
        key = kept_all((kind, record_id))
        rows = await self._database.fetch(_PUT, self._owner, *key, text, now_us, expected_version, expires_at_us)
        if not rows:
            return None
        version, created_at_us = rows[0]
        return Record(kind, record_id, json.loads(text), version, created_at_us, now_us, expires_at_us)

    async def delete(self, kind: str, record_id: str, *, expected_version: int | None = None) -> bool:
        """Remove one record; false when there was none (of that version)."""
        key = kept_all((kind, record_id))
        done: bool = await self._database.value(_DELETE, self._owner, *key, expected_version)
        return done

    async def counter(self, name: str) -> int:
        """Read a counter."""
        value: int | None = await self._database.value(_COUNTER, self._owner, kept(name))
        return value or 0

    async def add(self, name: str, amount: int, *, ceiling: int | None = None) -> int | None:
        """Add to a counter unless the sum would pass the ceiling."""
        total: int | None = await self._database.value(_ADD, self._owner, kept(name), amount, ceiling)
        return total


def _record(row: asyncpg.Record) -> Record:
    kind, record_id, data, *rest = row
    return Record(plain(kind), plain(record_id), json.loads(data), *rest)
