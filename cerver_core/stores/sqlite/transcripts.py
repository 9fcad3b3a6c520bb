"""The transcripts of one account: append in one transaction with what it means for the session, read by window."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from cerver_core.clock import Clock, to_us
from cerver_core.errors import StoreUnavailable
from cerver_core.stores.base import (
    KEEP,
    Appended,
    ClosedExec,
    EntryDraft,
    EntryRewrite,
    MetricDelta,
    OpenExec,
    Page,
    ReadWindow,
    SearchQuery,
    SearchResult,
    SessionChange,
)
from cerver_core.stores.placing import draft_bytes, place_drafts
from cerver_core.stores.refusals import check_seq, check_state
from cerver_core.stores.sqlite.backlog import has_unindexed
from cerver_core.stores.sqlite.changes import amend, close_exec, count, locate, open_exec
from cerver_core.stores.sqlite.entries import insert_entries, known_ids, read_all, read_page, seqs_in, size_of
from cerver_core.stores.sqlite.handover import Handover
from cerver_core.stores.sqlite.inline import InlineReader
from cerver_core.stores.sqlite.rewrites import Rewrite, forget_words
from cerver_core.stores.sqlite.sql import Database
from cerver_core.stores.sqlite.transaction import Head, Transaction
from cerver_core.wire.sessions import Lifecycle

__all__ = ["SqliteTranscripts"]

_FEW_ENTRIES = 200
_FEW_BYTES = 256 * 1024
"""So much is read on the event loop's own thread, in less time than two ways between threads take. Our choice."""

_CATCH_UP_S = 2.0
_PURGE_LIMIT_S = 3_600.0
"""A purge writes the whole file anew; on a slow disk tens of gigabytes take so long. Our choice."""

_log = logging.getLogger(__name__)


class SqliteTranscripts:
    """The transcripts of one account."""

    def __init__(
        self,
        account_id: str,
        inline: InlineReader,
        reads: Handover[Database],
        writes: Handover[Transaction],
        clock: Clock,
    ) -> None:
        self._account_id = account_id
        self._inline = inline
        self._reads = reads
        self._writes = writes
        self._clock = clock

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

        The append is activity: unless `change` gives a time, `updated_at_us` becomes the present.
        """
        drafts = tuple(entries)
        now_us = to_us(self._clock.now())
        append = _Append(self._account_id, session_id, drafts, now_us, expected_seq, change, delta, opens, closes)
        return await self._writes.call(append, draft_bytes(drafts))

    async def read(self, session_id: str, window: ReadWindow) -> Page:
        """Read consecutive entries within the window's bounds, at least one if there is any."""
        few = None if window.whole else await self._inline.call(_ReadFew(self._account_id, session_id, window))
        return few or await self._reads.call(_Read(self._account_id, session_id, window))

    async def search(self, query: SearchQuery) -> SearchResult:
        """Find sessions, the best first; what waits to be indexed is indexed before, for up to two seconds."""
        from cerver_core.stores.sqlite.search import Search  # noqa: PLC0415 - most processes never search

        if await self._reads.call(has_unindexed):
            await self._catch_up()
        return await self._reads.call(Search(self._account_id, query))

    async def _catch_up(self) -> None:
        end = self._clock.monotonic() + _CATCH_UP_S
        try:
            while await self._writes.call(_index_slice):
                if self._clock.monotonic() > end:
                    return
        except StoreUnavailable as error:
            # A full disk lets nothing be indexed; what is indexed can be searched, and the answer says how far it goes.
            _log.warning("a search could not index what is new: %s", error)

    async def rewrite(
        self, session_id: str, entries: Sequence[EntryRewrite], *, change: SessionChange | None = None
    ) -> None:
        """Replace entries in place, and the session's own texts: all of it durably, or none."""
        size = sum(len(entry.body) + len(entry.view or "") for entry in entries)
        await self._writes.call(Rewrite(self._account_id, session_id, tuple(entries), change), size)

    async def purge(self) -> None:
        """Remove what was replaced from the index, the file's free room and the write-ahead log."""
        await self._writes.call(forget_words, limit_s=_PURGE_LIMIT_S)

    async def open_execs(self) -> Sequence[tuple[str, OpenExec]]:
        """List the executions under way, the longest running first."""
        return await self._reads.call(self._open_execs)

    def _open_execs(self, connection: Database) -> Sequence[tuple[str, OpenExec]]:
        rows = connection.execute(
            "SELECT s.id, e.tool_id, e.holder, e.started_at_us FROM open_execs e JOIN sessions s USING (session_key) "
            "WHERE s.account_id = ? ORDER BY e.started_at_us, e.tool_id",
            (self._account_id,),
        )
        return [(session_id, OpenExec(tool_id, holder, at_us)) for session_id, tool_id, holder, at_us in rows]


def _index_slice(transaction: Transaction) -> bool:
    from cerver_core.stores.sqlite.index import index_slice  # noqa: PLC0415 - as above

    return index_slice(transaction.flush())


@dataclass(slots=True)
class _Append:
    account_id: str
    session_id: str
    drafts: Sequence[EntryDraft]
    now_us: int
    expected_seq: int | None
    change: SessionChange | None
    delta: MetricDelta | None
    opens: OpenExec | None
    closes: ClosedExec | None

    def __call__(self, transaction: Transaction) -> Appended:
        head = transaction.head(self.account_id, self.session_id)
        database, session_key = transaction.database, head.session_key
        placed = place_drafts(head.last_seq, self.drafts, known_ids(database, session_key))
        added = len(placed.fresh)
        if self.drafts and not added:
            return Appended(placed.seqs, 0, head.last_seq)
        self._check(head)
        insert_entries(database, session_key, placed.fresh)
        if self.change is not None:
            amend(database, session_key, self.change)
        if self.delta is not None:
            count(database, session_key, self.delta)
        state = self._settle_state(database, head)
        transaction.move(head, state, self._updated_at_us(), added=added, by_user=placed.by_user)
        return Appended(placed.seqs, added, head.last_seq)

    def _check(self, head: Head) -> None:
        check_seq(self.session_id, head.last_seq, self.expected_seq)
        check_state(self.session_id, head.state, self.change)

    def _settle_state(self, database: Database, head: Head) -> Lifecycle:
        state = head.state
        if self.change is not None and self.change.state is not KEEP:
            state = self.change.state
        if self.opens is not None:
            open_exec(database, head.session_key, self.opens)
            state = "running"
        if self.closes is not None and close_exec(database, head.session_key, self.closes) and state == "running":
            state = "idle"
        return state

    def _updated_at_us(self) -> int:
        if self.change is None or self.change.updated_at_us is KEEP:
            return self.now_us
        return self.change.updated_at_us


@dataclass(slots=True)
class _Read:
    account_id: str
    session_id: str
    window: ReadWindow

    def __call__(self, connection: Database) -> Page:
        # Two statements, one truth: entries up to a last_seq that was committed with them are there and never change.
        session_key, _, last_seq = locate(connection, self.account_id, self.session_id)
        return read_page(connection, session_key, last_seq, self.window)


@dataclass(slots=True)
class _ReadFew:
    """Reads where little is asked for; null where it is much."""

    account_id: str
    session_id: str
    window: ReadWindow

    def __call__(self, connection: Database) -> Page | None:
        session_key, _, last_seq = locate(connection, self.account_id, self.session_id)
        seqs = seqs_in(self.window, last_seq)
        if len(seqs) > _FEW_ENTRIES or size_of(connection, session_key, seqs) > min(_FEW_BYTES, self.window.max_bytes):
            return None
        return Page(read_all(connection, session_key, seqs), last_seq, seqs.start)
