"""Reads and writes all that the file holds as it is: a snapshot on a connection of its own, and the restoration."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import apsw

from cerver_core.errors import Conflict
from cerver_core.stores.base import OpenExec
from cerver_core.stores.dumping import DumpedCounter, DumpedEntry, DumpedId, DumpedSession, Part, ends_of
from cerver_core.stores.records import Record
from cerver_core.stores.rows import SELECT_SESSIONS, detail_values, read_session, session_values
from cerver_core.stores.sqlite.changes import locate
from cerver_core.stores.sqlite.connection import open_reader
from cerver_core.stores.sqlite.faults import translated
from cerver_core.stores.sqlite.rows import INSERT_DETAILS, INSERT_SESSION
from cerver_core.stores.sqlite.sql import Database
from cerver_core.stores.sqlite.transaction import Transaction

__all__ = ["Restoration", "SqliteSnapshot", "is_empty", "snapshot_of"]

T = TypeVar("T")

_DIRECTORY = ""
_SEQ_BITS = 32
_OWNERS = ("sessions", "records", "counters")
_CLOSE_LIMIT_S = 5.0


class SqliteSnapshot:
    """A read transaction that stays open; one call at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: Database | None = None

    async def begin(self) -> None:
        """Open the file and hold on to what it holds now."""
        await self._call(_begin)

    async def end(self) -> None:
        """Let go of it."""
        if self._connection is not None:
            await anyio.to_thread.run_sync(self._connection.close)

    async def accounts(self) -> Sequence[str]:
        """Name all accounts that keep anything."""
        return await self._call(_accounts)

    async def sessions(self, account_id: str, *, after: str | None = None, limit: int) -> Sequence[DumpedSession]:
        """Read sessions by id."""
        return await self._call(partial(_sessions, values=(account_id, after, limit)))

    async def entries(
        self, account_id: str, session_id: str, *, after: int = 0, limit: int, max_bytes: int
    ) -> Sequence[DumpedEntry]:
        """Read entries by seq, within the bounds."""
        bounds = (after, limit, max_bytes)
        return await self._call(partial(_entries, account_id=account_id, session_id=session_id, bounds=bounds))

    async def ids(
        self, account_id: str, session_id: str, *, after: str | None = None, limit: int
    ) -> Sequence[DumpedId]:
        """Read client ids."""
        return await self._call(partial(_ids, account_id=account_id, session_id=session_id, page=(after, limit)))

    async def records(self, owner: str | None, *, after: tuple[str, str] | None = None, limit: int) -> Sequence[Record]:
        """Read records of all kinds."""
        return await self._call(partial(_records, values=(owner or _DIRECTORY, *(after or ("", "")), limit)))

    async def counters(self, owner: str | None, *, after: str | None = None, limit: int) -> Sequence[DumpedCounter]:
        """Read counters."""
        return await self._call(partial(_counters, values=(owner or _DIRECTORY, after or "", limit)))

    async def _call(self, work: Callable[[Database], T]) -> T:
        def done() -> T:
            try:
                if self._connection is None:
                    self._connection = open_reader(self._path)
                return work(self._connection)
            except (apsw.Error, OSError) as error:
                ours = translated(error, self._path)
                if ours is error:
                    raise
                raise ours from error

        return await anyio.to_thread.run_sync(done)


@asynccontextmanager
async def snapshot_of(path: Path) -> AsyncGenerator[SqliteSnapshot]:
    """Hold on to what the file holds now. The write-ahead log cannot be folded into it meanwhile, and grows."""
    snapshot = SqliteSnapshot(path)
    try:
        await snapshot.begin()
        yield snapshot
    finally:
        with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True):
            await snapshot.end()


def is_empty(connection: Database) -> bool:
    """Tell whether the file holds nothing of anybody."""
    return not any(connection.execute(f"SELECT EXISTS (SELECT 1 FROM {table})").get for table in _OWNERS)  # noqa: S608 - names of ours


@dataclass(frozen=True, slots=True)
class Restoration:
    """Writes parts of one owner as they are, within the writer's transaction."""

    owner: str | None
    parts: Sequence[Part]

    def __call__(self, transaction: Transaction) -> None:
        """Write them; the sessions before all that belongs to them."""
        connection = transaction.flush()
        owner = self.owner or _DIRECTORY
        sessions = [part for part in self.parts if isinstance(part, DumpedSession)]
        try:
            for session in sessions:
                _write_session(connection, owner, session)
            keys = self._write_entries(connection, owner)
            for part in self.parts:
                _write_small(connection, owner, part, keys)
        except apsw.ConstraintError as error:
            raise Conflict("a part of the dump is in the store already; restore into an empty one") from error

    def _write_entries(self, connection: Database, owner: str) -> Mapping[str, int]:
        named = {part.session_id for part in self.parts if isinstance(part, (DumpedEntry, DumpedId))}
        heads = {session_id: locate(connection, owner, session_id) for session_id in named}
        entries = [part for part in self.parts if isinstance(part, DumpedEntry)]
        ends = ends_of(entries, {session_id: last_seq for session_id, (_, _, last_seq) in heads.items()})
        for entry in entries:
            place = heads[entry.session_id][0] << _SEQ_BITS | entry.seq
            connection.execute("INSERT INTO entries (place, body) VALUES (?, ?)", (place, entry.view or entry.body))
            if entry.view:
                connection.execute("INSERT INTO whole_bodies (place, body) VALUES (?, ?)", (place, entry.body))
        for session_id, last_seq in ends.items():
            connection.execute(
                "UPDATE sessions SET last_seq = ? WHERE session_key = ?", (last_seq, heads[session_id][0])
            )
        return {session_id: session_key for session_id, (session_key, _, _) in heads.items()}


def _begin(connection: Database) -> None:
    connection.execute("BEGIN")
    _ = connection.execute("SELECT count(*) FROM (SELECT 1 FROM sessions LIMIT 1)").get  # a transaction begins to read


def _accounts(connection: Database) -> Sequence[str]:
    found: set[str] = set()
    for table in _OWNERS:
        # From one name to the next by the index, past everything that each owner keeps.
        rows = connection.execute(
            f"WITH RECURSIVE names (name) AS (SELECT min(account_id) FROM {table} UNION ALL "  # noqa: S608 - names of ours
            f"SELECT (SELECT min(account_id) FROM {table} WHERE account_id > name) FROM names WHERE name IS NOT NULL) "
            "SELECT name FROM names WHERE name IS NOT NULL"
        )
        found.update(name for (name,) in rows)
    return sorted(found - {_DIRECTORY})


def _sessions(connection: Database, *, values: Sequence[Any]) -> Sequence[DumpedSession]:
    rows = connection.execute(
        f"{SELECT_SESSIONS} WHERE s.account_id = ?1 AND (?2 IS NULL OR s.id > ?2) ORDER BY s.id LIMIT ?3", values
    )
    return [
        DumpedSession(session, _execs(connection, values[0], session.id)) for session in map(read_session, list(rows))
    ]


def _execs(connection: Database, account_id: str, session_id: str) -> tuple[OpenExec, ...]:
    rows = connection.execute(
        "SELECT e.tool_id, e.holder, e.started_at_us FROM open_execs e JOIN sessions s USING (session_key) "
        "WHERE s.account_id = ? AND s.id = ? ORDER BY e.tool_id",
        (account_id, session_id),
    )
    return tuple(OpenExec(*row) for row in rows)


def _entries(
    connection: Database, *, account_id: str, session_id: str, bounds: tuple[int, int, int]
) -> Sequence[DumpedEntry]:
    after, limit, room = bounds
    base = locate(connection, account_id, session_id)[0] << _SEQ_BITS
    rows = connection.execute(
        "SELECT e.place - ?1, e.body, w.body FROM entries e LEFT JOIN whole_bodies w USING (place) "
        "WHERE e.place > ?2 AND e.place < ?3 ORDER BY e.place LIMIT ?4",
        (base, base + after, base + (1 << _SEQ_BITS), limit),
    )
    found: list[DumpedEntry] = []
    for seq, body, whole in rows:
        found.append(DumpedEntry(session_id, seq, body if whole is None else whole, None if whole is None else body))
        room -= len(body) + len(whole or "")
        if room <= 0:
            break
    rows.close()
    return found


def _ids(connection: Database, *, account_id: str, session_id: str, page: tuple[str | None, int]) -> Sequence[DumpedId]:
    rows = connection.execute(
        "SELECT client_id, seq, fingerprint FROM client_ids "
        "WHERE session_key = ?1 AND (?2 IS NULL OR client_id > ?2) ORDER BY client_id LIMIT ?3",
        (locate(connection, account_id, session_id)[0], *page),
    )
    return [DumpedId(session_id, *row) for row in rows]


def _records(connection: Database, *, values: Sequence[Any]) -> Sequence[Record]:
    rows = connection.execute(
        "SELECT kind, id, data, version, created_at_us, updated_at_us, expires_at_us FROM records "
        "WHERE account_id = ? AND (kind, id) > (?, ?) ORDER BY kind, id LIMIT ?",
        values,
    )
    return [Record(kind, record_id, json.loads(data), *rest) for kind, record_id, data, *rest in rows]


def _counters(connection: Database, *, values: Sequence[Any]) -> Sequence[DumpedCounter]:
    statement = "SELECT name, value FROM counters WHERE account_id = ? AND name > ? ORDER BY name LIMIT ?"
    return [DumpedCounter(*row) for row in connection.execute(statement, values)]


def _write_session(connection: Database, owner: str, part: DumpedSession) -> None:
    session_key: int = connection.execute(
        INSERT_SESSION, session_values(owner, part.session, last_seq=0, by_user=0)
    ).get
    connection.execute(INSERT_DETAILS, detail_values(session_key, part.session))
    connection.executemany(
        "INSERT INTO open_execs (session_key, tool_id, holder, started_at_us) VALUES (?, ?, ?, ?)",
        [(session_key, opened.tool_id, opened.holder, opened.started_at_us) for opened in part.execs],
    )


def _write_small(connection: Database, owner: str, part: Part, keys: Mapping[str, int]) -> None:
    if isinstance(part, DumpedId):
        connection.execute(
            "INSERT INTO client_ids (session_key, client_id, seq, fingerprint) VALUES (?, ?, ?, ?)",
            (keys[part.session_id], part.client_id, part.seq, part.fingerprint),
        )
    elif isinstance(part, Record):
        text = json.dumps(part.data, ensure_ascii=False, separators=(",", ":"))
        times = (part.created_at_us, part.updated_at_us, part.expires_at_us)
        values = (owner, part.kind, part.id, text, part.version, *times)
        connection.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    elif isinstance(part, DumpedCounter):
        connection.execute("INSERT INTO counters VALUES (?, ?, ?)", (owner, part.name, part.value))
