"""What a search reads of one account of Postgres: in one transaction, at one moment, asked from a worker thread."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import anyio.from_thread
import anyio.to_thread

from cerver_core.search.rank import Corpus
from cerver_core.search.tally import Tally
from cerver_core.stores.base import SearchQuery, SearchResult, StoredSession
from cerver_core.stores.postgres.database import Connection, Database
from cerver_core.stores.postgres.index import index_slice
from cerver_core.stores.postgres.postings import Gatherer, conditions
from cerver_core.stores.postgres.rows import SELECT_OPENED, as_account, read_rows
from cerver_core.stores.postgres.texts import kept, plain
from cerver_core.stores.refusals import not_found
from cerver_core.stores.searching import Hit, Weighed, search

__all__ = ["catch_up", "search_account"]

_UNINDEXED = as_account(
    "SELECT EXISTS (SELECT FROM sessions WHERE account_id = who.account_id "
    "AND (indexed_seq < last_seq OR NOT is_described))"
)
_WAITING_SINCE = """
SELECT min(coalesce(i.last_at_us, d.created_at_us)) FROM sessions s JOIN session_details d USING (session_key)
LEFT JOIN indexed_sessions i USING (session_key)
WHERE s.account_id = $1 AND (s.indexed_seq < s.last_seq OR NOT s.is_described)
"""
_WEIGHED = """
SELECT s.session_key, s.id, s.parent_id, i.word_count, coalesce(i.first_at_us, s.updated_at_us),
    coalesce(i.last_at_us, s.updated_at_us)
FROM sessions s JOIN indexed_sessions i USING (session_key) WHERE s.session_key = ANY ($1)
"""
_SESSIONS = f"{SELECT_OPENED} WHERE s.session_key = ANY ($1) ORDER BY array_position($1::bigint[], s.session_key)"
_BY_ID = "SELECT session_key, parent_id FROM sessions WHERE account_id = $1 AND id = $2"


async def catch_up(database: Database, account_id: str) -> bool:
    """Index a slice of what waits in an account, if anything does; tell whether more waits."""
    if not await database.value(_UNINDEXED, kept(account_id)):
        return False
    return await database.transact(account_id, partial(index_slice, account_id=account_id, is_patient=True))


async def search_account(database: Database, account_id: str, asked: SearchQuery) -> SearchResult:
    """Search what is indexed at this moment."""

    async def work(connection: Connection) -> SearchResult:
        return await anyio.to_thread.run_sync(_searched, connection, account_id, asked)

    return await database.transact(account_id, work, is_snapshot=True)


def _searched(connection: Connection, account_id: str, asked: SearchQuery) -> SearchResult:
    return search(_Shelf(_Reader(connection), account_id, asked), asked)


class _Reader:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fetch(self, statement: str, *values: Any) -> Sequence[Sequence[Any]]:  # noqa: ANN401 - whatever it takes
        """Run a statement on the event loop and give its rows."""
        rows = anyio.from_thread.run(partial(self._connection.fetch, statement, *values))
        return [tuple(row) for row in rows]


class _Shelf:
    def __init__(self, reader: _Reader, account_id: str, asked: SearchQuery) -> None:
        self._reader = reader
        self._account_id = account_id
        self._asked = asked
        self._gatherer = Gatherer(reader, account_id, asked)

    @property
    def corpus(self) -> Corpus:
        return self._gatherer.corpus

    def gather(self, tally: Tally) -> None:
        self._gatherer.gather(tally)

    def bodies(self, hits: Sequence[Hit]) -> Mapping[Hit, str]:
        return self._gatherer.bodies(hits)

    def spoken_between(self, since_us: int, until_us: int, limit: int) -> Sequence[int]:
        terms, values = conditions(self._account_id, self._asked, first=4)
        statement = (
            "SELECT s.session_key FROM indexed_sessions i JOIN sessions s USING (session_key) "  # noqa: S608 - words of ours
            f"WHERE i.account_id = $4 AND i.last_at_us >= $1 AND i.first_at_us < $2 AND {terms} "
            "ORDER BY i.last_at_us DESC LIMIT $3"
        )
        return [key for (key,) in self._reader.fetch(statement, since_us, until_us, limit, *values)]

    def weighed(self, keys: Sequence[int]) -> Sequence[Weighed]:
        rows = self._reader.fetch(_WEIGHED, list(keys))
        return [
            Weighed(key, plain(session_id), parent and plain(parent), *rest) for key, session_id, parent, *rest in rows
        ]

    def parent(self, session_id: str) -> tuple[str | None] | None:
        rows = self._reader.fetch(_BY_ID, kept(self._account_id), kept(session_id))
        return (rows[0][1] and plain(rows[0][1]),) if rows else None

    def key_of(self, session_id: str) -> int:
        rows = self._reader.fetch(_BY_ID, kept(self._account_id), kept(session_id))
        if not rows:
            raise not_found(session_id)
        key: int = rows[0][0]
        return key

    def sessions(self, keys: Sequence[int]) -> Sequence[StoredSession]:
        return read_rows(self._reader.fetch(_SESSIONS, list(keys)))

    def indexed_up_to_us(self) -> int | None:
        since_us: int | None = self._reader.fetch(_WAITING_SINCE, kept(self._account_id))[0][0]
        return since_us
