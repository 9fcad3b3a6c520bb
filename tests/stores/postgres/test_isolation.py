"""Row-level security as a second wall: what a statement reaches that forgot, or lied about, its account."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import asyncpg
import pytest

from cerver_core.errors import StoreUnavailable
from cerver_core.search.query import parse
from cerver_core.stores.base import EntryDraft, ReadWindow, SearchQuery
from cerver_core.stores.postgres import PostgresStore
from cerver_core.stores.postgres.database import AS_OPERATOR
from cerver_core.stores.postgres.rows import as_account
from cerver_core.testing.postgres import PostgresServer
from cerver_core.testing.stores.ground import bodies, draft, kept

_TABLES = ("sessions", "session_details", "entries", "whole_bodies", "client_ids", "open_execs", "records", "counters")
_INDEX_TABLES = ("indexes", "index_blocks", "indexed_sessions", "postings", "title_words")
_ONE_PER_ACCOUNT = ("account_id", "account_id", "account_id", "account_key", "account_key")
Connection = asyncpg.pool.PoolConnectionProxy


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore(postgres_url) as store:
        for name in ("ours", "theirs"):
            account = store.account(name)
            long = EntryDraft('{"content":"whole"}', view='{"content":"view"}')
            await account.sessions.create(kept("5e55", name=f"name of {name}"), [draft(f"said by {name}", "id"), long])
            await account.records.put("note", "n1", {"of": name}, now_us=1)
            await account.records.add("spent", 7)
        yield store


async def test_a_statement_without_an_account_reaches_nothing(store: PostgresStore) -> None:
    async def counts(connection: "Connection[asyncpg.Record]") -> dict[str, int]:
        return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in every}

    every = (*_TABLES, *_INDEX_TABLES)
    assert await store._database.call(counts) == dict.fromkeys(every, 0)


async def test_the_index_of_one_account_is_as_if_no_other_were_there(store: PostgresStore) -> None:
    asked = SearchQuery(query=parse("said", datetime(2026, 11, 22, tzinfo=UTC)), limit=5)
    for name in ("ours", "theirs"):
        assert len((await store.account(name).transcripts.search(asked)).found) == 1

    async def counts(connection: "Connection[asyncpg.Record]") -> dict[str, int]:
        return {
            table: await connection.fetchval(f"SELECT count(DISTINCT {column}) FROM {table}")
            for table, column in zip(_INDEX_TABLES, _ONE_PER_ACCOUNT, strict=True)
        }

    for name in ("ours", "theirs"):
        assert await store._database.transact(name, counts) == dict.fromkeys(_INDEX_TABLES, 1)


async def test_a_transaction_of_one_account_reaches_no_row_of_another_on_the_same_connection(
    store: PostgresStore,
) -> None:
    async def seen(connection: "Connection[asyncpg.Record]") -> dict[str, set[str]]:
        return {
            table: {row[0] for row in await connection.fetch(f"SELECT account_id FROM {table}")} for table in _TABLES
        }

    filled = ("sessions", "session_details", "entries", "whole_bodies", "client_ids", "records", "counters")
    for name in ("ours", "theirs", "ours"):
        found = await store._database.transact(name, seen)
        assert found == {table: {name} if table in filled else set() for table in _TABLES}


async def test_rows_of_another_account_can_be_neither_written_nor_changed_nor_removed(store: PostgresStore) -> None:
    async def attack(connection: "Connection[asyncpg.Record]") -> list[str]:
        return [
            await connection.execute(f"UPDATE {table} SET account_id = 'ours' WHERE account_id = 'theirs'")
            for table in _TABLES
        ] + [await connection.execute(f"DELETE FROM {table} WHERE account_id = 'theirs'") for table in _TABLES]

    assert await store._database.transact("ours", attack) == ["UPDATE 0"] * 8 + ["DELETE 0"] * 8

    async def plant(connection: "Connection[asyncpg.Record]") -> str:
        return await connection.execute("INSERT INTO counters VALUES ('theirs', 'planted', 1)")

    with pytest.raises(StoreUnavailable, match="InsufficientPrivilegeError"):
        await store._database.transact("ours", plant)
    assert await bodies(store.account("theirs"), "5e55") == [
        '{"seq":1,"content":"said by theirs"}',
        '{"seq":2,"content":"view"}',
    ]


async def test_the_account_is_forgotten_with_the_statement_that_set_it(store: PostgresStore) -> None:
    await store.account("ours").sessions.get("5e55")

    async def left_over(connection: "Connection[asyncpg.Record]") -> str | None:
        return await connection.fetchval("SELECT nullif(current_setting('cerver.account', true), '')")

    assert [await store._database.call(left_over) for _ in range(3)] == [None] * 3


async def test_a_read_that_names_no_account_in_its_conditions_is_stopped_by_the_policies(store: PostgresStore) -> None:
    careless = as_account("SELECT e.account_id, e.body FROM entries e")
    rows = await store._database.fetch(careless, "theirs")
    assert {row[0] for row in rows} == {"theirs"}
    assert len(rows) == 2


async def test_the_policies_bind_every_table_and_its_owner(
    store: PostgresStore, postgres_server: PostgresServer, postgres_url: str
) -> None:
    database = urlsplit(postgres_url).path[1:]
    unbound = postgres_server.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace "
        "AND NOT (relrowsecurity AND relforcerowsecurity)",
        database,
    )
    assert unbound == "cerver_schema"


async def test_statements_run_under_a_role_that_policies_bind(store: PostgresStore) -> None:
    async def role(connection: "Connection[asyncpg.Record]") -> tuple[str, bool]:
        row = await connection.fetchrow(
            "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert row is not None
        return row[0], row[1]

    assert await store._database.call(role) == ("cerver_app", False)


async def test_an_owner_without_privileges_is_bound_itself(postgres_server: PostgresServer) -> None:
    database = postgres_server.create_database()
    role = f"owner_of_{database}"
    postgres_server.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER")
    postgres_server.execute(f"ALTER DATABASE {database} OWNER TO {role}")
    async with PostgresStore(postgres_server.url(database, role)) as store:
        await store.account("theirs").sessions.create(kept("5e55"), [draft("secret")])
        page = await store.account("theirs").transcripts.read("5e55", ReadWindow())
        assert [entry.seq for entry in page.entries] == [1]

        async def look(connection: "Connection[asyncpg.Record]") -> tuple[str, int]:
            return await connection.fetchval("SELECT current_user::text"), await connection.fetchval(
                "SELECT count(*) FROM entries"
            )

        assert await store._database.call(look) == (role, 0)


async def test_what_reads_and_adds_for_every_account_changes_and_removes_nothing(store: PostgresStore) -> None:
    async def as_operator(connection: "Connection[asyncpg.Record]") -> tuple[int, list[str]]:
        await connection.execute(AS_OPERATOR)
        seen = await connection.fetchval("SELECT count(DISTINCT account_id) FROM sessions")
        done = [await connection.execute(f"UPDATE {table} SET account_id = 'ours'") for table in _TABLES]
        return seen, [*done, *[await connection.execute(f"DELETE FROM {table}") for table in _TABLES]]

    assert await store._database.transact("nobody", as_operator) == (2, ["UPDATE 0"] * 8 + ["DELETE 0"] * 8)


@pytest.mark.parametrize(
    "account_id", ["'; DROP TABLE sessions; --", "\x01", "a\0b", "", "é\\'\"", "ours, theirs", "%"]
)
async def test_an_account_is_only_ever_a_name(store: PostgresStore, account_id: str) -> None:
    account = store.account(account_id)
    await account.sessions.create(kept("5e55", name="mine"), [draft("1")])
    await account.transcripts.append("5e55", [draft("2")])
    await account.records.add("spent", 1)
    assert len(await bodies(account, "5e55")) == 2
    assert await account.records.counter("spent") == 1
    assert await store.directory.counter("spent") == 0
    assert len(await bodies(store.account("ours"), "5e55")) == 2
