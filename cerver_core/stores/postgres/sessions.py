"""The sessions of one account: create, find, list, change, forget."""

from collections.abc import Callable, Sequence
from functools import partial

from cerver_core.errors import Conflict
from cerver_core.stores.base import KEEP, EntryDraft, MetricDelta, SessionChange, SessionQuery, StoredSession
from cerver_core.stores.placing import place_drafts
from cerver_core.stores.postgres.changes import Changes, Head, lock
from cerver_core.stores.postgres.database import Connection, Database
from cerver_core.stores.postgres.entries import delete_entries, insert_entries, refuse_drafts
from cerver_core.stores.postgres.index import forget_session, lock_index
from cerver_core.stores.postgres.listing import list_statement
from cerver_core.stores.postgres.rows import INSERT_DETAILS, INSERT_SESSION, as_account, read_rows, select_sessions
from cerver_core.stores.postgres.texts import kept, kept_all
from cerver_core.stores.refusals import check_state, not_found
from cerver_core.stores.rows import detail_values, session_values

__all__ = ["PostgresSessions"]

_SHORTEST_PREFIX = 4
_LAST_CHARACTER = "\U0010ffff"
_GET = as_account(select_sessions("s.id = $2"))
_GET_AGAIN = select_sessions("s.id = $2").replace("who.account_id", "$1")
_NAMED = "SELECT session_key, updated_at_us, id FROM sessions WHERE account_id = who.account_id AND name = $2"
_PREFIXED = (
    "SELECT session_key, updated_at_us, id FROM sessions WHERE account_id = who.account_id AND id BETWEEN $2 AND $4"
)
_NEWEST = "ORDER BY updated_at_us DESC, id DESC"
_DUE = as_account(
    select_sessions(
        # By state, which no index has, instead of by status: each session shall be found by its key.
        "d.account_id = who.account_id AND d.sandbox IS NOT NULL AND d.workspace_delete_at_us <= $2 "
        "AND s.state IN ('terminated', 'failed')",
        "ORDER BY d.workspace_delete_at_us LIMIT $3",
    )
)


def _find_statement(keys: str) -> str:
    page = f"SELECT session_key FROM ({keys}) found {_NEWEST} LIMIT $3"  # noqa: S608 - words of ours
    return as_account(select_sessions(f"s.session_key IN ({page})", "ORDER BY s.updated_at_us DESC, s.id DESC"))


_FIND_NAMED = _find_statement(_NAMED)
_FIND = _find_statement(f"{_NAMED} UNION {_PREFIXED}")


class PostgresSessions:
    """The sessions of one account."""

    def __init__(self, account_id: str, database: Database, committed: Callable[[str, str], None]) -> None:
        self._account_id = account_id
        self._database = database
        self._committed = committed

    async def create(self, session: StoredSession, entries: Sequence[EntryDraft] = ()) -> StoredSession:
        """Keep a new session with its first entries, durably.

        Raises:
            Conflict: this account has a session by this id already.
        """
        drafts = tuple(entries)
        refuse_drafts(drafts)
        placed = place_drafts(0, drafts, lambda _: None)
        values = session_values(self._account_id, session, last_seq=len(placed.fresh), by_user=placed.by_user)

        async def work(connection: Connection) -> StoredSession:
            session_key = await connection.fetchval(INSERT_SESSION, *kept_all(values))
            if session_key is None:
                raise Conflict(f"there is a session {session.id} already; make a new id")
            head = Head(kept(self._account_id), session_key, session.state, 0)
            details = (self._account_id, *detail_values(session_key, session))
            await connection.execute(INSERT_DETAILS, *kept_all(details))
            await insert_entries(connection, head, placed.fresh)
            return await self._get_again(connection, session.id)

        return await self._database.transact(self._account_id, work)

    async def get(self, session_id: str) -> StoredSession:
        """Read one by its full id."""
        found = await self._select(_GET, session_id)
        if not found:
            raise not_found(session_id)
        return found[0]

    async def find(self, reference: str, *, limit: int) -> Sequence[StoredSession]:
        """Find by full id, else by exact name or by prefix of the id; newest activity first."""
        if found := await self._select(_GET, reference):
            return found[:limit]
        if len(reference) < _SHORTEST_PREFIX:
            return await self._select(_FIND_NAMED, reference, limit)
        return await self._select(_FIND, reference, limit, reference + _LAST_CHARACTER)

    async def list(self, query: SessionQuery) -> Sequence[StoredSession]:
        """List a page, newest activity first.

        `source`, `project` and `parent_id` have an index each; of several together one is used and the others are
        tested row by row.
        """
        statement, values = list_statement(self._account_id, query)
        return await self._select(statement, *values[1:])

    async def change(self, session_id: str, change: SessionChange, delta: MetricDelta | None = None) -> StoredSession:
        """Change one session, durably, and answer it as it is then."""

        async def work(connection: Connection) -> StoredSession:
            head = await lock(connection, self._account_id, session_id)
            check_state(session_id, head.state, change)
            changes = Changes(head)
            state = head.state if change.state is KEEP else change.state
            changes.move(state, 0 if change.updated_at_us is KEEP else change.updated_at_us)
            changes.amend(change)
            if delta is not None:
                changes.count(delta)
            await changes.write(connection)
            return await self._get_again(connection, session_id)

        changed = await self._database.transact(self._account_id, work)
        self._committed(self._account_id, session_id)  # who follows it in another replica learns of its end
        return changed

    async def delete(self, session_id: str) -> None:
        """Forget a session with its transcript; one that is not there is forgotten already."""
        await self._database.transact(self._account_id, partial(self._delete, session_id=session_id))
        self._committed(self._account_id, session_id)

    async def due_workspaces(self, now_us: int, *, limit: int) -> Sequence[StoredSession]:
        """List ended sessions whose sandbox still stands though its time has passed; the longest due first."""
        return await self._select(_DUE, now_us, limit)

    async def _select(self, statement: str, *values: str | int) -> Sequence[StoredSession]:
        return read_rows(await self._database.fetch(statement, *kept_all((self._account_id, *values))))

    async def _get_again(self, connection: Connection, session_id: str) -> StoredSession:
        return read_rows(await connection.fetch(_GET_AGAIN, kept(self._account_id), kept(session_id)))[0]

    async def _delete(self, connection: Connection, *, session_id: str) -> None:
        await lock_index(connection, self._account_id)
        row = "SELECT session_key FROM sessions WHERE account_id = $1 AND id = $2 FOR UPDATE"
        session_key = await connection.fetchval(row, kept(self._account_id), kept(session_id))
        if session_key is None:
            return
        await forget_session(connection, self._account_id, session_key)
        await delete_entries(connection, session_key)
        for table in ("open_execs", "session_details", "sessions"):
            await connection.execute(f"DELETE FROM {table} WHERE session_key = $1", session_key)  # noqa: S608 - names of ours
