"""The contract of stores: sessions and their transcripts, per account, durable and in order.

A store keeps text it does not understand. Redaction, views of large entries and every rule of the lifecycle live
above it; atomicity, the numbering of entries, idempotency and the fences between processes live here.
Times are whole microseconds since 1970-01-01 UTC.
"""

from collections.abc import AsyncIterable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol, Self, runtime_checkable

from cerver_core.metrics import MetricDelta, SessionCounters
from cerver_core.stores.dumping import Batch, Snapshot
from cerver_core.stores.queries import SearchQuery
from cerver_core.stores.records import RecordStore
from cerver_core.stores.shapes import (
    KEEP,
    Appended,
    ClosedExec,
    EntryDraft,
    EntryRewrite,
    FoundEntry,
    FoundTranscript,
    OpenExec,
    Page,
    ReadWindow,
    SearchResult,
    SessionChange,
    SessionQuery,
    StoredEntry,
    StoredSession,
)

__all__ = [
    "KEEP",
    "AccountStore",
    "Appended",
    "ClosedExec",
    "EntryDraft",
    "EntryRewrite",
    "FoundEntry",
    "FoundTranscript",
    "MetricDelta",
    "OpenExec",
    "Page",
    "ReadWindow",
    "SearchQuery",
    "SearchResult",
    "SessionChange",
    "SessionCounters",
    "SessionQuery",
    "SessionStore",
    "Store",
    "StoredEntry",
    "StoredSession",
    "TranscriptStore",
    "WatchedStore",
]


class SessionStore(Protocol):
    """The sessions of one account."""

    async def create(self, session: StoredSession, entries: Sequence[EntryDraft] = ()) -> StoredSession:
        """Keep a new session with its first entries, durably; answers it as kept."""
        ...

    async def get(self, session_id: str) -> StoredSession:
        """Read one by its full id.

        Raises:
            SessionNotFound: this account has none by this id.
        """
        ...

    async def find(self, reference: str, *, limit: int) -> Sequence[StoredSession]:
        """Find by full id, else by exact name or by prefix of the id (4 characters or more); newest activity first."""
        ...

    async def list(self, query: SessionQuery) -> Sequence[StoredSession]:
        """List, newest activity first, ties by id descending, at a cost that does not grow with the store.

        With `status`: `running`; `idle` and active since `stale_before_us`; `ended`, or idle and stale since then.
        `states` narrows a status to some of its states, and then what is stale is not in it.
        """
        ...

    async def change(self, session_id: str, change: SessionChange, delta: MetricDelta | None = None) -> StoredSession:
        """Change one session, durably, and answer it as it is then.

        Raises:
            SessionNotFound: there is none by this id.
            SessionStateConflict: its state is not in `from_states`; nothing changed.
        """
        ...

    async def delete(self, session_id: str) -> None:
        """Forget a session with its transcript: only for one that never came to be (its creation failed)."""
        ...

    async def due_workspaces(self, now_us: int, *, limit: int) -> Sequence[StoredSession]:
        """List ended sessions whose sandbox still stands though `workspace_delete_at_us` has passed."""
        ...


class TranscriptStore(Protocol):
    """The transcripts of one account."""

    async def append(
        self,
        session_id: str,
        entries: Sequence[EntryDraft],
        *,
        expected_seq: int | None = None,
        change: SessionChange | None = None,
        delta: MetricDelta | None = None,
        opens: OpenExec | None = None,
        closes: ClosedExec | None = None,
    ) -> Appended:
        """Append and change the session in one transaction; durable when it returns.

        Drafts with a `client_id` that is known keep their seq and add nothing. When all are known, `expected_seq`,
        `change`, `delta`, `opens` and `closes` are passed over: the call is a repeat of one that was done.

        Raises:
            SessionNotFound: there is none by this id.
            SequenceConflict: `expected_seq` is not the last seq (`detail["last_seq"]`); nothing changed.
            EntryConflict: a `client_id` is known with another fingerprint (`detail["id"]`); nothing changed.
            SessionStateConflict: the state is not in `change.from_states`; nothing changed.
        """
        ...

    async def read(self, session_id: str, window: ReadWindow) -> Page:
        """Read consecutive entries within the window's bounds, at least one if there is any; never half of a group.

        Raises:
            SessionNotFound: there is none by this id.
        """
        ...

    async def search(self, query: SearchQuery) -> SearchResult:
        """Find sessions by what stands in their entries, their names and their tasks, the best first.

        Entries that any process committed before the call are found, unless so many wait to be indexed that it would
        take seconds: `indexed_up_to_us` says so. The same query over the same entries gives the same answer. The cost
        is bounded: of a word that stands in very many entries the newest count.
        """
        ...

    async def rewrite(
        self, session_id: str, entries: Sequence[EntryRewrite], *, change: SessionChange | None = None
    ) -> None:
        """Replace entries in place, and the session's own texts: all of it durably, or none. It is no activity.

        Searches find what stands there now. The old text may still be in the store's files until `purge`.

        Raises:
            SessionNotFound: there is none by this id.
            InvalidInput: an entry is not there; nothing was replaced.
        """
        ...

    async def purge(self) -> None:
        """Remove what was replaced from the files: afterwards none of them holds it. Takes as long as a copy of all.

        Raises:
            StoreUnavailable: another process keeps the old text; call it again.
        """
        ...

    async def open_execs(self) -> Sequence[tuple[str, OpenExec]]:
        """List the executions under way, as (session id, execution)."""
        ...


class AccountStore(Protocol):
    """What one account keeps. No method of it can reach another account's rows."""

    @property
    def sessions(self) -> SessionStore:
        """The sessions."""
        ...

    @property
    def transcripts(self) -> TranscriptStore:
        """Their transcripts."""
        ...

    @property
    def records(self) -> RecordStore:
        """Everything small: keys, projects, policies, audit lines, sums."""
        ...


class Store(Protocol):
    """A place that keeps accounts apart. An async context manager: entering opens it, leaving closes it."""

    async def __aenter__(self) -> Self:
        """Open, and migrate to this version's schema if it is older.

        Raises:
            StoreUnavailable: it cannot be opened or written.
            StoreCorrupt: it is damaged.
            SchemaTooNew: a newer Cerver wrote it.
        """
        ...

    async def __aexit__(self, *exc_info: object) -> None:
        """Finish what was acknowledged and close."""
        ...

    def account(self, account_id: str) -> AccountStore:
        """Give the rows of one account."""
        ...

    @property
    def directory(self) -> RecordStore:
        """The records that belong to no account: which accounts there are, and which key is whose."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Hold on to what all accounts and the directory keep now, until the block is left; no writer waits for it."""
        ...

    async def restore(self, batches: AsyncIterable[Batch]) -> None:
        """Fill an empty store with all of the batches, durably, or with none: an error of theirs leaves it empty.

        They come in the order of `TABLES`. Searches find it as what was just appended: whoever has the store open
        next indexes it.

        Raises:
            Conflict: the store holds something.
            InvalidInput: the rows contradict each other, or are none that this store can keep.
        """
        ...


@runtime_checkable
class WatchedStore(Protocol):
    """A store that can tell when another process wrote; an ability that not every store has."""

    def on_write(self, wake: Callable[[], float]) -> AbstractContextManager[bool]:
        """Call `wake` soon after any process on this machine wrote, this one too, until the block is left.

        It answers for how many seconds it wants to be left in peace; a write in that time is told after it.

        It is called in the event loop that the store belongs to. Gives false where nobody can tell: then it never is.
        """
        ...
