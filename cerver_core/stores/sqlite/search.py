"""What a search reads of one account of the file: on a reader's connection, at one moment; writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cerver_core.search.rank import Corpus
from cerver_core.search.tally import Tally
from cerver_core.stores.base import SearchQuery, SearchResult, StoredSession
from cerver_core.stores.rows import read_session
from cerver_core.stores.searching import Weighed, search
from cerver_core.stores.sqlite.backlog import indexed_up_to_us
from cerver_core.stores.sqlite.changes import locate
from cerver_core.stores.sqlite.postings import Gatherer, Hit
from cerver_core.stores.sqlite.rows import SELECT_OPENED
from cerver_core.stores.sqlite.sql import Database

__all__ = ["Search"]


@dataclass(slots=True)
class Search:
    """One search, to be called with a connection."""

    account_id: str
    asked: SearchQuery

    def __call__(self, connection: Database) -> SearchResult:
        """Search what is indexed at this moment."""
        connection.execute("BEGIN")  # one moment for all that is read
        try:
            return search(_Shelf(connection, self.account_id, self.asked), self.asked)
        finally:
            connection.execute("ROLLBACK")


class _Shelf:
    def __init__(self, connection: Database, account_id: str, asked: SearchQuery) -> None:
        self._connection = connection
        self._account_id = account_id
        self._gatherer = Gatherer(connection, account_id, asked)

    @property
    def corpus(self) -> Corpus:
        return self._gatherer.corpus

    def gather(self, tally: Tally) -> None:
        self._gatherer.gather(tally)

    def bodies(self, hits: Sequence[Hit]) -> Mapping[Hit, str]:
        return self._gatherer.bodies(hits)

    def spoken_between(self, since_us: int, until_us: int, limit: int) -> Sequence[int]:
        conditions, values = self._gatherer.conditions()
        statement = (
            "SELECT s.session_key FROM indexed_sessions i JOIN sessions s USING (session_key) "  # noqa: S608 - words of ours
            f"WHERE i.last_at_us >= ? AND i.first_at_us < ? AND {conditions} ORDER BY i.last_at_us DESC LIMIT ?"
        )
        return [key for (key,) in self._connection.execute(statement, (since_us, until_us, *values, limit))]

    def weighed(self, keys: Sequence[int]) -> Sequence[Weighed]:
        statement = (
            "SELECT s.session_key, s.id, s.parent_id, i.word_count, coalesce(i.first_at_us, s.updated_at_us), "
            "coalesce(i.last_at_us, s.updated_at_us) FROM json_each(?) j "
            "CROSS JOIN sessions s ON s.session_key = j.value JOIN indexed_sessions i USING (session_key)"
        )
        return [Weighed(*row) for row in self._connection.execute(statement, (str(list(keys)),))]

    def parent(self, session_id: str) -> tuple[str | None] | None:
        statement = "SELECT id, parent_id FROM sessions WHERE account_id = ? AND id = ?"
        row: Any = self._connection.execute(statement, (self._account_id, session_id)).get
        return None if row is None else (row[1],)

    def key_of(self, session_id: str) -> int:
        return locate(self._connection, self._account_id, session_id)[0]

    def sessions(self, keys: Sequence[int]) -> Sequence[StoredSession]:
        wanted = "SELECT value AS wanted, key AS place FROM json_each(?)"
        statement = f"{SELECT_OPENED} JOIN ({wanted}) j ON s.session_key = j.wanted ORDER BY j.place"
        return [read_session(row) for row in self._connection.execute(statement, (str(list(keys)),))]

    def indexed_up_to_us(self) -> int | None:
        return indexed_up_to_us(self._connection)
