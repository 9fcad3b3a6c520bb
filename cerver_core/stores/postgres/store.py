"""The hosted store as others see it: opens and closes what one replica holds, and gives each account its part."""

from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
from typing import Self

import anyio

from cerver_core.clock import Clock, SystemClock
from cerver_core.errors import StoreUnavailable
from cerver_core.stores.base import AccountStore, SessionStore, TranscriptStore
from cerver_core.stores.dumping import Batch, Snapshot
from cerver_core.stores.notices import Noticed
from cerver_core.stores.postgres import dumping
from cerver_core.stores.postgres.database import Database
from cerver_core.stores.postgres.groups import Committer, Request
from cerver_core.stores.postgres.indexer import Indexer
from cerver_core.stores.postgres.notices import Notices
from cerver_core.stores.postgres.records import PostgresRecords
from cerver_core.stores.postgres.sessions import PostgresSessions
from cerver_core.stores.postgres.texts import DIRECTORY, kept, plain
from cerver_core.stores.postgres.transcripts import PostgresTranscripts
from cerver_core.stores.records import RecordStore

__all__ = ["PostgresStore"]


class PostgresStore:
    """Sessions and transcripts in one Postgres database, which any number of replicas may share.

    No call waits longer than `answer_limit_s`; while the server cannot be reached, calls wait `connect_limit_s` for it
    to come back. Belongs to the event loop, and to the task, in which it is entered.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock | None = None,
        answer_limit_s: float = 30.0,
        connect_limit_s: float = 5.0,
        most_connections: int = 16,
    ) -> None:
        self._clock = clock or SystemClock()
        self._database = Database(
            url, limit_s=answer_limit_s, connect_limit_s=connect_limit_s, most_connections=most_connections
        )
        self._notices = Notices(self._database)
        self._indexer = Indexer(self._database)
        self._committer: Committer | None = None
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Reach the server, migrate the database if it is older, and start what writes groups."""
        if self._committer is not None:
            raise StoreUnavailable("the store is open already; open another one")
        async with AsyncExitStack() as exits:
            exits.push_async_callback(self._database.close)
            await self._database.open()
            background = await exits.enter_async_context(anyio.create_task_group())
            exits.callback(background.cancel_scope.cancel)
            background.start_soon(self._notices.run)
            background.start_soon(self._indexer.run)
            writing = await exits.enter_async_context(anyio.create_task_group())
            committer = Committer(self._database, self._note_group)
            exits.callback(committer.close)
            writing.start_soon(committer.run)
            self._committer = committer
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Finish what waits and close the connections."""
        self._committer = None
        await self._exits.aclose()

    def account(self, account_id: str) -> AccountStore:
        """Give the rows of one account.

        Raises:
            StoreUnavailable: the store is not open.
        """
        transcripts = PostgresTranscripts(account_id, self._database, self._opened(), self._note, self._clock)
        return _PostgresAccount(account_id, self._database, transcripts, self._note)

    @property
    def directory(self) -> RecordStore:
        """The records that belong to no account.

        Raises:
            StoreUnavailable: the store is not open.
        """
        self._opened()
        return PostgresRecords(DIRECTORY, self._database)

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Hold on to what the database holds now."""
        self._opened()
        return dumping.snapshot_of(self._database)

    async def restore(self, batches: AsyncIterable[Batch]) -> None:
        """Fill an empty database with all of the batches, or with none."""
        self._opened()
        await dumping.restore(self._database, batches)

    def watch(self, noticed: Noticed) -> AbstractContextManager[None]:
        """Call `noticed` for what other replicas append; see `Noticing.watch`."""
        return self._notices.watch(noticed)

    def _opened(self) -> Committer:
        if self._committer is None:
            raise StoreUnavailable("the store is not open; enter it first")
        return self._committer

    def _note_group(self, written: Sequence[Request]) -> None:
        for request in written:
            self._note(plain(request.account), plain(request.session))

    def _note(self, account_id: str, session_id: str) -> None:
        self._notices.note(account_id, session_id)
        self._indexer.note(account_id)


class _PostgresAccount:
    def __init__(
        self,
        account_id: str,
        database: Database,
        transcripts: PostgresTranscripts,
        committed: Callable[[str, str], None],
    ) -> None:
        self._sessions = PostgresSessions(account_id, database, committed)
        self._transcripts = transcripts
        self._records = PostgresRecords(kept(account_id), database)

    @property
    def sessions(self) -> SessionStore:
        """The sessions."""
        return self._sessions

    @property
    def transcripts(self) -> TranscriptStore:
        """Their transcripts."""
        return self._transcripts

    @property
    def records(self) -> RecordStore:
        """Everything small."""
        return self._records
