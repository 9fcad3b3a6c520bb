"""The connections of one replica: a pool that heals, statements within a limit, transactions that belong to an account.

No state is left on a connection (`SET LOCAL` alone), so the pool sends nothing when one is given back, and a pooler
that shares connections by transaction may stand between.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import anyio
import asyncpg

from cerver_core.errors import DeadlineExceeded, StoreUnavailable
from cerver_core.stores.postgres.faults import UNREACHABLE, translating
from cerver_core.stores.postgres.migrations import prepare
from cerver_core.stores.postgres.texts import kept

__all__ = ["AS_OPERATOR", "Connection", "Database"]

AS_OPERATOR = "SET LOCAL cerver.operator = 'on'"
"""Lets a transaction read and add rows of every account; change or remove none."""

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
"""A connection that was taken from the pool."""
T = TypeVar("T")

_BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError)
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.5
_UNDO_LIMIT_S = 2.0
_CLOSE_LIMIT_S = 5.0
_SETTINGS = {
    "application_name": "cerver",
    # Every statement goes by an index. While tables are small, or just after they have grown, the planner's figures
    # say otherwise, and a plan that was made then is kept.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # An index gives rows in its order, and a page ends after a few; a bitmap gives all of a transcript, to be sorted.
    "enable_bitmapscan": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    # A replica that was stopped in the middle of a transaction keeps its rows locked for so long.
    "idle_in_transaction_session_timeout": "15s",
}


class Database:
    """A pool of connections to the database of a URL.

    No call waits longer than `limit_s`. While the server cannot be reached, a call that needs a new connection tries
    again for `connect_limit_s` before it fails; one whose statement was sent is never sent again.
    """

    def __init__(self, url: str, *, limit_s: float, connect_limit_s: float, most_connections: int) -> None:
        self._url = url
        self._limit_s = limit_s
        self._connect_limit_s = connect_limit_s
        self._most_connections = most_connections
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._role: str | None = None

    @property
    def limit_s(self) -> float:
        """How long a call may wait, in seconds."""
        return self._limit_s

    async def open(self) -> None:
        """Reach the server, bring the schema up to date and open the pool.

        Raises:
            StoreUnavailable: it cannot be reached, or refuses.
            SchemaTooNew: a newer Cerver wrote the database.
        """
        with translating():
            connection = await self.connect(as_owner=True)
            try:
                self._role = await prepare(connection)
            finally:
                connection.terminate()
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=self._most_connections,
                connect=self._connect,
                reset=_leave_as_it_is,
                command_timeout=self._limit_s,
                server_settings=self._server_settings(),
            )

    async def close(self) -> None:
        """Close the connections, those that are in use after a few seconds."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        with anyio.CancelScope(shield=True):
            with anyio.move_on_after(_CLOSE_LIMIT_S):
                await pool.close()
                return
        pool.terminate()

    async def connect(self, *, as_owner: bool = False) -> "asyncpg.Connection[asyncpg.Record]":
        """Open a connection beside the pool; `as_owner` with the rights of the user of the URL."""
        settings = {} if as_owner else self._server_settings()
        with translating():
            return await self._connect(self._url, command_timeout=self._limit_s, server_settings=settings)

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:  # noqa: ANN401 - whatever it takes
        """Run one statement, which sets its account by itself, and give its rows."""
        return await self.call(lambda connection: connection.fetch(statement, *values))

    async def value(self, statement: str, *values: Any) -> Any:  # noqa: ANN401 - whatever it gives
        """Run one statement, which sets its account by itself, and give the one value of its one row."""
        return await self.call(lambda connection: connection.fetchval(statement, *values))

    async def transact(
        self, account_id: str, work: Callable[[Connection], Awaitable[T]], *, is_snapshot: bool = False
    ) -> T:
        """Do the work in a transaction that sees and writes the rows of one account alone.

        With `is_snapshot` all that it reads is of one moment, and it writes nothing.
        """
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if is_snapshot else "BEGIN"

        async def transaction(connection: Connection) -> T:
            # In hexadecimal, since a statement without values is one round trip with the one before it.
            name = kept(account_id).encode().hex()
            account = f"convert_from(decode('{name}', 'hex'), 'UTF8')"
            try:
                await connection.execute(f"{begin}; SELECT set_config('cerver.account', {account}, true)")
                result = await work(connection)
                await connection.execute("COMMIT")
            except BaseException:
                await _undo(connection)
                raise
            return result

        return await self.call(transaction)

    async def call(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do the work with a connection of the pool.

        Raises:
            StoreUnavailable: the server cannot be reached, or the connection broke.
            DeadlineExceeded: no answer within the limit.
        """
        if self._pool is None:
            raise StoreUnavailable("the store is not open; enter it first")
        pool = self._pool
        with translating():
            with anyio.move_on_after(self._limit_s):
                connection = await pool.acquire()
                try:
                    return await work(connection)
                except _BROKEN:
                    with suppress(asyncpg.InterfaceError):
                        connection.terminate()
                    raise
                finally:
                    await _give_back(pool, connection)
            raise DeadlineExceeded(
                f"the database did not answer within {self._limit_s:g} s; what was asked may still have been done"
            )

    def _server_settings(self) -> dict[str, str]:
        return _SETTINGS if self._role is None else {**_SETTINGS, "role": self._role}

    async def _connect(self, *args: Any, **kwargs: Any) -> "asyncpg.Connection[asyncpg.Record]":  # noqa: ANN401
        loop = asyncio.get_running_loop()
        end = loop.time() + self._connect_limit_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await asyncpg.connect(*args, timeout=self._connect_limit_s, **kwargs)
            except UNREACHABLE:
                if loop.time() + pause_s > end:
                    raise
            await anyio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _leave_as_it_is(_connection: object) -> None:
    """Stand in for the statements that a pool sends when a connection is given back."""


async def _give_back(pool: "asyncpg.Pool[asyncpg.Record]", connection: Connection) -> None:
    # A connection that broke has gone back to the pool by itself, and then refuses every question.
    with suppress(asyncpg.InterfaceError):
        if connection.is_in_transaction():
            connection.terminate()
        with anyio.CancelScope(shield=True):
            await pool.release(connection, timeout=_UNDO_LIMIT_S)


async def _undo(connection: Connection) -> None:
    with anyio.CancelScope(shield=True), anyio.move_on_after(_UNDO_LIMIT_S), suppress(asyncpg.InterfaceError):
        try:
            await connection.execute("ROLLBACK")
        except (asyncpg.PostgresError, OSError):
            connection.terminate()
