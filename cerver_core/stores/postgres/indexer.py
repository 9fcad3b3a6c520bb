"""Indexes in the background what this replica appended, and what waits when it starts, a slice at a time.

What is left a search indexes before it.
"""

import logging
from functools import partial

import anyio

from cerver_core.errors import CerverError
from cerver_core.stores.postgres.database import AS_OPERATOR, Connection, Database
from cerver_core.stores.postgres.index import index_slice
from cerver_core.stores.postgres.texts import plain

__all__ = ["Indexer"]

_QUIET_S = 0.2
_PAUSE_S = 1.0
_REST = 3.0  # three times as long as a slice took: a quarter of one connection's time at most
_MOST_ACCOUNTS = 10_000
_WAITING = (
    "SELECT DISTINCT account_id FROM sessions WHERE indexed_seq < last_seq OR NOT is_described "  # noqa: S608 - words of ours
    f"LIMIT {_MOST_ACCOUNTS}"
)

_log = logging.getLogger(__name__)


class Indexer:
    """Follows the appends of one replica; `run` must run as long as it is used."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._behind: dict[str, None] = {}
        self._something = anyio.Event()

    def note(self, account_id: str) -> None:
        """Note that something was appended in an account."""
        if len(self._behind) < _MOST_ACCOUNTS:
            self._behind[account_id] = None
        self._something.set()

    async def run(self) -> None:
        """Index until cancelled."""
        self._something.set()
        is_new = True
        while True:
            await self._something.wait()
            self._something = anyio.Event()
            await anyio.sleep(_QUIET_S)  # entries seldom come alone, and a slice of one costs nearly as much as of many
            try:
                if is_new:
                    self._behind.update(dict.fromkeys(await self._database.transact("", _waiting)))
                    is_new = False
                await self._index()
            except CerverError as error:
                _log.info("indexing for search waits: %s", error)
                await anyio.sleep(_PAUSE_S)

    async def _index(self) -> None:
        while self._behind:
            account_id = next(iter(self._behind))
            del self._behind[account_id]
            started = anyio.current_time()
            work = partial(index_slice, account_id=account_id, is_patient=False)
            if await self._database.transact(account_id, work):
                self._behind[account_id] = None
            await anyio.sleep(_REST * (anyio.current_time() - started))


async def _waiting(connection: Connection) -> list[str]:
    """Name the accounts in which something waits: a replica that died left it, or a restoration."""
    await connection.execute(AS_OPERATOR)
    return [plain(name) for (name,) in await connection.fetch(_WAITING)]
