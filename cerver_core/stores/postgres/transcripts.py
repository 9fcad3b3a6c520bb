"""The transcripts of one account: append in one transaction with what it means for the session, read by window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cerver_core.clock import Clock, to_us
from cerver_core.errors import InvalidInput
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
from cerver_core.stores.placing import place_drafts, spliced_text
from cerver_core.stores.postgres.changes import Changes, Head, close_exec, lock, open_exec
from cerver_core.stores.postgres.database import Connection, Database
from cerver_core.stores.postgres.entries import (
    READS,
    insert_entries,
    known_ids,
    read_values,
    refuse_drafts,
    replace_entry,
)
from cerver_core.stores.postgres.faults import translating
from cerver_core.stores.postgres.groups import Committer, Request
from cerver_core.stores.postgres.index import forget, lock_index, reindex
from cerver_core.stores.postgres.rows import as_account
from cerver_core.stores.postgres.search import catch_up, search_account
from cerver_core.stores.postgres.texts import kept, plain
from cerver_core.stores.refusals import check_seq, check_state, not_found
from cerver_core.wire.sessions import Lifecycle

__all__ = ["PostgresTranscripts"]

_CATCH_UP_S = 2.0
_PURGE_LIMIT_S = 3_600.0
_VACUUM = "VACUUM sessions, session_details, entries, whole_bodies, postings, title_words"
_NO_CHANGE = SessionChange()
_OPEN_EXECS = as_account(
    "SELECT s.id, e.tool_id, e.holder, e.started_at_us FROM open_execs e JOIN sessions s USING (session_key) "
    "WHERE e.account_id = who.account_id ORDER BY e.started_at_us, e.tool_id"
)


class PostgresTranscripts:
    """The transcripts of one account."""

    def __init__(
        self,
        account_id: str,
        database: Database,
        committer: Committer,
        committed: Callable[[str, str], None],
        clock: Clock,
    ) -> None:
        self._account_id = account_id
        self._database = database
        self._committer = committer
        self._committed = committed
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
        refuse_drafts(drafts)
        change = change or _NO_CHANGE
        at_us = to_us(self._clock.now()) if change.updated_at_us is KEEP else change.updated_at_us
        is_plain = expected_seq is None and delta is None and opens is None and closes is None
        if is_plain and drafts and _moves_alone(change) and not any(draft.client_id is not None for draft in drafts):
            return await self._append_grouped(session_id, drafts, at_us)
        append = _Append(self._account_id, session_id, drafts, at_us, expected_seq, change, delta, opens, closes)
        appended = await self._database.transact(self._account_id, append)
        self._committed(self._account_id, session_id)
        return appended

    async def _append_grouped(self, session_id: str, drafts: Sequence[EntryDraft], at_us: int) -> Appended:
        request = Request(kept(self._account_id), kept(session_id), at_us, drafts)
        base = await self._committer.append(request)
        if base is None:
            raise not_found(session_id)
        last_seq = base + len(drafts)
        return Appended(tuple(range(base + 1, last_seq + 1)), len(drafts), last_seq)

    async def read(self, session_id: str, window: ReadWindow) -> Page:
        """Read consecutive entries within the window's bounds, at least one if there is any."""
        statement = READS[window.whole, window.from_seq is not None]
        values = (kept(self._account_id), kept(session_id), *read_values(window))
        rows = await self._database.fetch(statement, *values)
        if not rows:
            raise not_found(session_id)
        raw = tuple(spliced_text(seq, body) for _, seq, body in rows if seq is not None)
        return Page(raw, rows[0][0], rows[0][1] or 1)

    async def search(self, query: SearchQuery) -> SearchResult:
        """Find sessions, the best first; what waits to be indexed is indexed before, for up to two seconds."""
        end = self._clock.monotonic() + _CATCH_UP_S
        while await catch_up(self._database, self._account_id):
            if self._clock.monotonic() > end:
                break
        return await search_account(self._database, self._account_id, query)

    async def rewrite(
        self, session_id: str, entries: Sequence[EntryRewrite], *, change: SessionChange | None = None
    ) -> None:
        """Replace entries in place, and the session's own texts: all of it durably, or none."""
        refuse_drafts(entries)

        async def work(connection: Connection) -> None:
            seqs = [entry.seq for entry in entries]
            # Before the session is locked: whoever indexes has the index first, and then the sessions.
            await lock_index(connection, self._account_id)
            head = await lock(connection, self._account_id, session_id)
            for entry in entries:
                if not 1 <= entry.seq <= head.last_seq:
                    raise InvalidInput(f"session {session_id} has no entry {entry.seq}; nothing was replaced")
            await forget(connection, self._account_id, head.session_key, seqs)
            for entry in entries:
                await replace_entry(connection, head, entry)
            await reindex(connection, self._account_id, head.session_key, seqs)
            if change is not None:
                changes = Changes(head)
                changes.amend(change)
                await changes.write(connection)

        await self._database.transact(self._account_id, work)

    async def purge(self) -> None:
        """Remove what was replaced from the tables and their indexes; nobody waits for it meanwhile.

        The server's write-ahead log, its replicas' and its backups are its operator's: they hold the old text for as
        long as they are kept.
        """
        with translating():
            connection = await self._database.connect(as_owner=True)
            try:
                await connection.execute(_VACUUM, timeout=_PURGE_LIMIT_S)
            finally:
                connection.terminate()

    async def open_execs(self) -> Sequence[tuple[str, OpenExec]]:
        """List the executions under way, the longest running first."""
        rows = await self._database.fetch(_OPEN_EXECS, kept(self._account_id))
        return [
            (plain(session_id), OpenExec(plain(tool_id), plain(holder), at_us))
            for session_id, tool_id, holder, at_us in rows
        ]


def _moves_alone(change: SessionChange) -> bool:
    """Tell whether a change sets the time of the last activity and nothing else."""
    return change == SessionChange(updated_at_us=change.updated_at_us)


@dataclass(slots=True)
class _Append:
    account_id: str
    session_id: str
    drafts: Sequence[EntryDraft]
    at_us: int
    expected_seq: int | None
    change: SessionChange
    delta: MetricDelta | None
    opens: OpenExec | None
    closes: ClosedExec | None

    async def __call__(self, connection: Connection) -> Appended:
        head = await lock(connection, self.account_id, self.session_id)
        ids = await known_ids(connection, head.session_key, self.drafts)
        placed = place_drafts(head.last_seq, self.drafts, ids)
        added = len(placed.fresh)
        if self.drafts and not added:
            return Appended(placed.seqs, 0, head.last_seq)
        check_seq(self.session_id, head.last_seq, self.expected_seq)
        check_state(self.session_id, head.state, self.change)
        await insert_entries(connection, head, placed.fresh)
        changes = Changes(head)
        changes.amend(self.change)
        if self.delta is not None:
            changes.count(self.delta)
        state = await self._settle_state(connection, head)
        changes.move(state, self.at_us, added=added, by_user=placed.by_user)
        await changes.write(connection)
        return Appended(placed.seqs, added, head.last_seq + added)

    async def _settle_state(self, connection: Connection, head: Head) -> Lifecycle:
        state = head.state if self.change.state is KEEP else self.change.state
        if self.opens is not None:
            await open_exec(connection, head, self.opens)
            state = "running"
        if self.closes is not None and await close_exec(connection, head, self.closes) and state == "running":
            state = "idle"
        return state
