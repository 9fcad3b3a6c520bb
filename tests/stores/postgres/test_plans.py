"""What a call costs the server: the rows that it reads, whatever the account holds and the planner knows of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import pytest

from cerver_core.search.query import parse
from cerver_core.stores.base import (
    AccountStore,
    ClosedExec,
    EntryDraft,
    OpenExec,
    ReadWindow,
    SearchQuery,
    SessionChange,
    SessionQuery,
)
from cerver_core.stores.postgres import PostgresStore
from cerver_core.testing.postgres import PostgresServer
from cerver_core.testing.stores.ground import draft, kept

_PAGE = 50
_MOST_ROWS = 600
"""A page of 50 sessions reads up to three ranges of 50 keys, two rows of each session and its first entries."""

_ACCOUNTS = "unnest(ARRAY['acme', 'beta', 'gamma']) a"
_FILL = f"""
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', name);
    END LOOP;
END $$;
INSERT INTO sessions (account_id, id, state, updated_at_us, last_seq, name, source, project, parent_id, exec_ms_total,
        exec_count, stream_open_ms_total, stream_count, user_entry_count, indexed_seq, is_described)
    SELECT a, 's' || lpad(n::text, 5, '0'), (ARRAY['ready', 'running', 'terminated'])[n % 3 + 1], 1000000 + n, size,
        CASE WHEN n % 2 = 0 THEN 'name ' || n END, 'cli', 'p' || n % 2, CASE WHEN n > 1 THEN 's00001' END,
        0, 0, 0, 0, 1, size, true
    FROM {_ACCOUNTS}, generate_series(1, SESSIONS) n, LATERAL (SELECT CASE WHEN n = 1 THEN 4000 ELSE 4 END AS size) z;
INSERT INTO session_details (account_id, session_key, created_at_us, session_type, workload, task, requirements, policy,
        metadata, sandbox, workspace_delete_at_us)
    SELECT account_id, session_key, 1, '', '', '', '{{}}', '{{}}', '{{}}', '{{}}', session_key FROM sessions;
INSERT INTO entries SELECT account_id, session_key, n, '{{"role":"user","content":"' || repeat('tale ', 90) || '"}}'
    FROM sessions, generate_series(1, last_seq) n;
INSERT INTO client_ids SELECT account_id, session_key, 'c' || n, n, 'same'
    FROM sessions, generate_series(1, last_seq) n;
INSERT INTO records SELECT a, 'note', lpad(n::text, 5, '0'), '{{}}', 1, 1, 1, NULL
    FROM {_ACCOUNTS}, generate_series(1, 1000) n;
INSERT INTO counters SELECT a, 'c' || n, 1 FROM {_ACCOUNTS}, generate_series(1, 1000) n;
"""
_READ = """
SELECT t.relname, t.seq_scan::int, (SELECT sum(i.idx_tup_read)::int FROM pg_stat_user_indexes i WHERE i.relid = t.relid)
FROM pg_stat_user_tables t WHERE t.relname <> 'cerver_schema'
"""


@pytest.fixture(params=["few sessions", "many sessions", "many sessions, analyzed"])
async def store(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, postgres_url: str
) -> AsyncIterator[PostgresStore]:
    """Open a store of three accounts with long transcripts; the planner knows nothing of it, or all."""
    database = urlsplit(postgres_url).path[1:]
    postgres_server.execute(_FILL.replace("SESSIONS", "10" if "few" in request.param else "1000"), database)
    if "analyzed" in request.param:
        postgres_server.execute("ANALYZE", database)
    async with PostgresStore(postgres_url, most_connections=1) as store:
        yield store


async def _read_rows(store: PostgresStore) -> Mapping[str, tuple[int, int]]:
    """Give for each table how often it was scanned, and how many rows were read by its indexes, until now."""
    await store._database.fetch("SELECT pg_stat_force_next_flush()")
    return {table: (scans, rows) for table, scans, rows in await store._database.fetch(_READ)}


def _calls(account: AccountStore) -> Mapping[str, Callable[[], Awaitable[object]]]:
    """Give every call that is made often, on what is largest in the account."""
    read, append = partial(account.transcripts.read, "s00001"), partial(account.transcripts.append, "s00001")
    sessions, records = account.sessions, account.records
    said = SearchQuery(query=parse("quokka", datetime(2026, 11, 22, tzinfo=UTC)), limit=5)
    return {
        "append": partial(append, [draft("quokka")]),
        "append with an id": partial(append, [draft("x", "id")]),
        "append of an id that is known": partial(append, [EntryDraft('{"a":1}', "c7", b"same")]),
        "begin an execution": partial(append, [draft("x")], opens=OpenExec("tool", "me", 1)),
        "end an execution": partial(append, [draft("x")], closes=ClosedExec("tool")),
        "read the end": partial(read, ReadWindow(limit=_PAGE)),
        "read the end in full": partial(read, ReadWindow(limit=_PAGE, whole=True)),
        "read on": partial(read, ReadWindow(from_seq=2000, limit=_PAGE)),
        "read on in full": partial(read, ReadWindow(from_seq=2000, limit=_PAGE, whole=True)),
        "get": partial(sessions.get, "s00002"),
        "find by prefix": partial(sessions.find, "s0000", limit=5),
        "find by name": partial(sessions.find, "name 8", limit=5),
        "list": partial(sessions.list, SessionQuery(limit=_PAGE)),
        "list a project": partial(sessions.list, SessionQuery(limit=_PAGE, project="p1")),
        "list a source": partial(sessions.list, SessionQuery(limit=_PAGE, source="cli")),
        "list children": partial(sessions.list, SessionQuery(limit=_PAGE, parent_id="s00001")),
        "list what is due": partial(sessions.due_workspaces, 100, limit=5),
        "list executions": account.transcripts.open_execs,
        "create": partial(sessions.create, kept("new"), [draft("x")]),
        "change": partial(sessions.change, "s00003", SessionChange(name="new")),
        "delete": partial(sessions.delete, "new"),
        "read a record": partial(records.get, "note", "00500", now_us=2),
        "list records": partial(records.list, "note", now_us=2, limit=_PAGE),
        "list records on": partial(records.list, "note", now_us=2, limit=_PAGE, after="00500", newest=True),
        "put a record": partial(records.put, "note", "00500", {}, now_us=2),
        "delete a record": partial(records.delete, "note", "00500"),
        "read a counter": partial(records.counter, "c500"),
        "add to a counter": partial(records.add, "c500", 1),
        "search": partial(account.transcripts.search, said),
    }


async def test_no_call_scans_a_table_or_reads_more_rows_than_its_answer_needs(store: PostgresStore) -> None:
    too_many: dict[str, dict[str, tuple[int, int]]] = {}
    for name, call in _calls(store.account("acme")).items():
        before = await _read_rows(store)
        await call()
        after = await _read_rows(store)
        read = {
            table: (scans - before[table][0], rows - before[table][1])
            for table, (scans, rows) in after.items()
            if (scans, rows) != before[table]
        }
        assert read
        if sum(rows for _, rows in read.values()) > _MOST_ROWS or any(scans for scans, _ in read.values()):
            too_many[name] = read
    assert too_many == {}
