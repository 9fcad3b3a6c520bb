"""Tells the other replicas which sessions were appended to, and hears it from them: LISTEN and NOTIFY beside the pool.

Not within the appends' own transactions: a transaction that notifies holds a lock over the whole server at its commit.
"""

import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeAlias

import anyio
import asyncpg

from cerver_core.errors import CerverError
from cerver_core.stores.notices import Noticed
from cerver_core.stores.postgres.database import Database
from cerver_core.stores.postgres.faults import translating

__all__ = ["Notices"]

_CHANNEL = "cerver_appends"
_LARGEST_PAYLOAD_BYTES = 7_900  # of the 8,000 that NOTIFY takes
_MOST_PENDING = 10_000
_PAUSE_S = 1.0

_Listener: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_log = logging.getLogger(__name__)


class Notices:
    """One connection of the replica; `run` must run as long as it is used. What breaks is made anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers: list[Noticed] = []
        self._pending: dict[tuple[str, str], None] = {}
        self._something = anyio.Event()

    def note(self, account_id: str, session_id: str) -> None:
        """Have the others told of an append, soon; many to one session may become one."""
        if len(self._pending) < _MOST_PENDING:
            self._pending[account_id, session_id] = None
        self._something.set()

    @contextmanager
    def watch(self, noticed: Noticed) -> Generator[None]:
        """Call `noticed` for what the others append; see `Noticing.watch`."""
        self._watchers.append(noticed)
        try:
            yield
        finally:
            self._watchers.remove(noticed)

    async def run(self) -> None:
        """Tell and hear until cancelled."""
        while True:
            try:
                await self._serve()
            except CerverError as error:
                _log.info("other replicas hear nothing of appends for the moment: %s", error)
            await anyio.sleep(_PAUSE_S)

    async def _serve(self) -> None:
        connection = await self._database.connect()
        try:
            connection.add_termination_listener(self._end)
            with translating():
                await connection.add_listener(_CHANNEL, self._hear)
                while not connection.is_closed():
                    await self._something.wait()
                    self._something = anyio.Event()
                    while not connection.is_closed() and (payload := self._take()):
                        await connection.execute("SELECT pg_notify($1, $2)", _CHANNEL, payload)
        finally:
            connection.terminate()

    def _take(self) -> str | None:
        """Write as many as one notification holds."""
        said: list[str] = []
        room = _LARGEST_PAYLOAD_BYTES
        for key in list(self._pending):
            text = json.dumps(key)
            room -= len(text) + 1
            if room < 0 and said:
                break
            del self._pending[key]
            if len(text) < _LARGEST_PAYLOAD_BYTES:
                said.append(text)
        return f"[{','.join(said)}]" if said else None

    def _end(self, _connection: object) -> None:
        self._something.set()

    def _hear(self, connection: "_Listener", pid: int, _channel: str, payload: object) -> None:
        if pid == connection.get_server_pid():
            return
        for account_id, session_id in json.loads(str(payload)):
            for noticed in self._watchers:
                noticed(account_id, session_id)
