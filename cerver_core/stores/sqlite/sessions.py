"""The sessions of one account: create, find, list, change, forget."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from cerver_core.errors import Conflict
from cerver_core.stores.base import KEEP, EntryDraft, MetricDelta, SessionChange, SessionQuery, StoredSession
from cerver_core.stores.placing import draft_bytes, place_drafts
from cerver_core.stores.refusals import check_state, not_found
from cerver_core.stores.rows import SELECT_SESSIONS, detail_values, read_session, session_values
from cerver_core.stores.sqlite.changes import amend, count, locate, move
from cerver_core.stores.sqlite.entries import delete_entries, insert_entries, known_ids
from cerver_core.stores.sqlite.handover import Handover
from cerver_core.stores.sqlite.inline import InlineReader
from cerver_core.stores.sqlite.listing import list_statement
from cerver_core.stores.sqlite.rows import INSERT_DETAILS, INSERT_SESSION, SELECT_OPENED
from cerver_core.stores.sqlite.sql import Database
from cerver_core.stores.sqlite.transaction import Transaction

__all__ = ["SqliteSessions"]

_SHORTEST_PREFIX = 4
_LAST_CHARACTER = "\U0010ffff"


class SqliteSessions:
    """The sessions of one account."""

    def __init__(
        self, account_id: str, inline: InlineReader, reads: Handover[Database], writes: Handover[Transaction]
    ) -> None:
        self._account_id = account_id
        self._inline = inline
        self._reads = reads
        self._writes = writes

    async def create(self, session: StoredSession, entries: Sequence[EntryDraft] = ()) -> StoredSession:
        """Keep a new session with its first entries, durably.

        Raises:
            Conflict: this account has a session by this id already.
        """
        work = partial(_create, account_id=self._account_id, session=session, drafts=tuple(entries))
        return await self._writes.call(work, draft_bytes(entries))

    async def get(self, session_id: str) -> StoredSession:
        """Read one by its full id."""
        return await self._inline.call(partial(_get, account_id=self._account_id, session_id=session_id))

    async def find(self, reference: str, *, limit: int) -> Sequence[StoredSession]:
        """Find by full id, else by exact name or by prefix of the id; newest activity first."""
        return await self._reads.call(partial(_find, account_id=self._account_id, reference=reference, limit=limit))

    async def list(self, query: SessionQuery) -> Sequence[StoredSession]:
        """List a page, newest activity first.

        `source`, `project` and `parent_id` have an index each; of several together one is used and the others are
        tested row by row.
        """
        statement, values = list_statement(self._account_id, query)
        return await self._reads.call(partial(_select, statement=statement, values=values))

    async def change(self, session_id: str, change: SessionChange, delta: MetricDelta | None = None) -> StoredSession:
        """Change one session, durably, and answer it as it is then."""
        work = partial(_change, account_id=self._account_id, session_id=session_id, change=change, delta=delta)
        return await self._writes.call(work)

    async def delete(self, session_id: str) -> None:
        """Forget a session with its transcript; one that is not there is forgotten already."""
        await self._writes.call(partial(_delete, account_id=self._account_id, session_id=session_id))

    async def due_workspaces(self, now_us: int, *, limit: int) -> Sequence[StoredSession]:
        """List ended sessions whose sandbox still stands though its time has passed; the longest due first."""
        statement = (
            f"{SELECT_SESSIONS} WHERE d.sandbox IS NOT NULL AND d.workspace_delete_at_us <= ? "
            "AND s.account_id = ? AND s.status = 'ended' ORDER BY d.workspace_delete_at_us LIMIT ?"
        )
        return await self._reads.call(partial(_select, statement=statement, values=(now_us, self._account_id, limit)))


def _create(
    transaction: Transaction, *, account_id: str, session: StoredSession, drafts: Sequence[EntryDraft]
) -> StoredSession:
    connection = transaction.flush()
    if connection.execute("SELECT 1 FROM sessions WHERE account_id = ? AND id = ?", (account_id, session.id)).get:
        raise Conflict(f"there is a session {session.id} already; make a new id")
    placed = place_drafts(0, drafts, known_ids(connection, 0))
    values = session_values(account_id, session, last_seq=len(placed.fresh), by_user=placed.by_user)
    session_key = connection.execute(INSERT_SESSION, values).get
    connection.execute(INSERT_DETAILS, detail_values(session_key, session))
    insert_entries(connection, session_key, placed.fresh)
    return _get(connection, account_id=account_id, session_id=session.id)


def _get(connection: Database, *, account_id: str, session_id: str) -> StoredSession:
    found = _select(
        connection, statement=f"{SELECT_OPENED} WHERE s.account_id = ? AND s.id = ?", values=(account_id, session_id)
    )
    if not found:
        raise not_found(session_id)
    return found[0]


def _find(connection: Database, *, account_id: str, reference: str, limit: int) -> Sequence[StoredSession]:
    exact = f"{SELECT_OPENED} WHERE s.account_id = ? AND s.id = ?"
    if found := _select(connection, statement=exact, values=(account_id, reference)):
        return found[:limit]
    keys = "SELECT session_key, updated_at_us, id FROM sessions WHERE account_id = ?1 AND name = ?2"
    if len(reference) >= _SHORTEST_PREFIX:
        keys += (
            " UNION SELECT session_key, updated_at_us, id FROM sessions WHERE account_id = ?1 AND id BETWEEN ?2 AND ?3"
        )
    page = f"SELECT session_key FROM ({keys} ORDER BY updated_at_us DESC, id DESC LIMIT ?4)"  # noqa: S608 - words of ours
    statement = f"{SELECT_OPENED} WHERE s.session_key IN ({page}) ORDER BY s.updated_at_us DESC, s.id DESC"
    return _select(connection, statement=statement, values=(account_id, reference, reference + _LAST_CHARACTER, limit))


def _select(connection: Database, *, statement: str, values: Sequence[Any]) -> Sequence[StoredSession]:
    return [read_session(row) for row in connection.execute(statement, values)]


def _change(
    transaction: Transaction,
    *,
    account_id: str,
    session_id: str,
    change: SessionChange,
    delta: MetricDelta | None,
) -> StoredSession:
    connection = transaction.flush()
    session_key, state, _ = locate(connection, account_id, session_id)
    check_state(session_id, state, change)
    new_state = state if change.state is KEEP else change.state
    updated_at_us = 0 if change.updated_at_us is KEEP else change.updated_at_us
    move(connection, session_key, new_state, updated_at_us)
    amend(connection, session_key, change)
    if delta is not None:
        count(connection, session_key, delta)
    return _get(connection, account_id=account_id, session_id=session_id)


def _delete(transaction: Transaction, *, account_id: str, session_id: str) -> None:
    connection = transaction.flush()
    row = "SELECT session_key FROM sessions WHERE account_id = ? AND id = ?"
    session_key = connection.execute(row, (account_id, session_id)).get
    if session_key is None:
        return
    delete_entries(connection, session_key)
    for table in ("open_execs", "session_details", "sessions"):
        connection.execute(f"DELETE FROM {table} WHERE session_key = ?", (session_key,))  # noqa: S608 - names of ours
