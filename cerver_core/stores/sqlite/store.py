"""The embedded store as others see it: opens and closes the threads, and gives each account its part."""

from collections.abc import AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Literal, Self

import anyio
import anyio.to_thread

from cerver_core.clock import Clock, SystemClock
from cerver_core.errors import StoreUnavailable
from cerver_core.stores.base import AccountStore, SessionStore, TranscriptStore
from cerver_core.stores.dumping import Batch, Snapshot
from cerver_core.stores.records import RecordStore
from cerver_core.stores.sqlite import dumping
from cerver_core.stores.sqlite.handover import Handover
from cerver_core.stores.sqlite.inline import InlineReader
from cerver_core.stores.sqlite.readers import Readers
from cerver_core.stores.sqlite.records import SqliteRecords
from cerver_core.stores.sqlite.sessions import SqliteSessions
from cerver_core.stores.sqlite.sql import Database
from cerver_core.stores.sqlite.transaction import Transaction
from cerver_core.stores.sqlite.transcripts import SqliteTranscripts
from cerver_core.stores.sqlite.watch import WriteWatch
from cerver_core.stores.sqlite.writer import Writer, lock_path

__all__ = ["SqliteStore"]

_NO_ACCOUNT = ""
_MOST_CALLS = 1_024
_MOST_BYTES = 64 * 1024 * 1024
_END_LIMIT_S = 5.0
_FAILED_END_LIMIT_S = 0.2  # a thread that waits for a lock may wait on: it holds nothing


class SqliteStore:
    """Sessions and transcripts in one SQLite file, which any number of processes may share.

    `durability="full"` makes an acknowledged write survive a loss of power, and always the death of the process;
    `"relaxed"` leaves the last moments before a loss of power to the operating system. No call waits longer than
    `answer_limit_s`. Belongs to the event loop in which it is entered.
    """

    def __init__(
        self,
        path: Path,
        *,
        durability: Literal["full", "relaxed"] = "full",
        clock: Clock | None = None,
        answer_limit_s: float = 30.0,
    ) -> None:
        self._path = path
        self._durability: Literal["full", "relaxed"] = durability
        self._clock = clock or SystemClock()
        self._answer_limit_s = answer_limit_s
        self._open: _Threads | None = None

    async def __aenter__(self) -> Self:
        """Open the file, migrate it if it is older, and start the threads.

        The folder is made for this user alone (0700) when it is not there, and the files always are (0600).
        """
        if self._open is not None:
            raise StoreUnavailable("the store is open already; open another one")
        threads = _Threads(self._path, self._durability, self._answer_limit_s)
        try:
            await threads.start()
        except BaseException:
            await threads.end(_FAILED_END_LIMIT_S)
            raise
        self._open = threads
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Finish what waits, fold the write-ahead log into the file and end the threads."""
        threads, self._open = self._open, None
        if threads is not None:
            await threads.end(_END_LIMIT_S)

    def account(self, account_id: str) -> AccountStore:
        """Give the rows of one account.

        Raises:
            StoreUnavailable: the store is not open.
        """
        return _SqliteAccount(account_id, self._threads(), self._clock)

    def on_write(self, wake: Callable[[], float]) -> AbstractContextManager[bool]:
        """Call `wake` soon after any process on this machine wrote; see `WatchedStore`.

        Raises:
            StoreUnavailable: the store is not open.
        """
        return self._threads().watch.on_write(wake)

    @property
    def directory(self) -> RecordStore:
        """The records that belong to no account.

        Raises:
            StoreUnavailable: the store is not open.
        """
        threads = self._threads()
        return SqliteRecords(_NO_ACCOUNT, threads.inline, threads.reads, threads.writes)

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Hold on to what the file holds now."""
        self._threads()
        return dumping.snapshot_of(self._path)

    async def restore(self, batches: AsyncIterable[Batch]) -> None:
        """Fill an empty file with all of the batches, or with none; other writers wait until it is done, and give up.

        For a moment it takes the room of the file twice, since all of it stands in the write-ahead log first.
        """
        self._threads()
        await dumping.restore(self._path, self._durability, batches)

    def _threads(self) -> "_Threads":
        if self._open is None:
            raise StoreUnavailable("the store is not open; enter it first")
        return self._open


class _SqliteAccount:
    def __init__(self, account_id: str, threads: "_Threads", clock: Clock) -> None:
        self._sessions = SqliteSessions(account_id, threads.inline, threads.reads, threads.writes)
        self._transcripts = SqliteTranscripts(account_id, threads.inline, threads.reads, threads.writes, clock)
        self._records = SqliteRecords(account_id, threads.inline, threads.reads, threads.writes)

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


class _Threads:
    """The threads of an open store and the queues that lead to them."""

    def __init__(self, path: Path, durability: Literal["full", "relaxed"], limit_s: float) -> None:
        late = partial(_late, path)
        self.writes = Handover[Transaction](most_calls=_MOST_CALLS, most_bytes=_MOST_BYTES, limit_s=limit_s, late=late)
        self.reads = Handover[Database](most_calls=_MOST_CALLS, most_bytes=_MOST_BYTES, limit_s=limit_s, late=late)
        self.inline = InlineReader(path, self.reads)
        self.watch = WriteWatch(lock_path(path))
        self._writer = Writer(path, durability, self.writes)
        self._readers = Readers(path, self.reads)

    async def start(self) -> None:
        """Start them; the file is open, and can be written, when it returns."""
        self._writer.start()
        await self.writes.call(_nothing)
        self._readers.start()

    async def end(self, limit_s: float) -> None:
        """End them: first those that read, so that the writer is the last to let go of the file."""
        self.inline.close()
        self.reads.close(Readers.COUNT)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._readers.join, limit_s)
            self.writes.close(1)
            await anyio.to_thread.run_sync(self._writer.join, limit_s)


def _nothing(_transaction: Transaction) -> None:
    return None


def _late(path: Path, limit_s: float) -> StoreUnavailable:
    return StoreUnavailable(
        f"the database {path} did not answer within {limit_s:g} s: another process may hold its lock, or the disk may "
        "be very slow; what was asked may still be done"
    )
