"""The contract of dumps on the Postgres store, and from one kind of store to the other."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import pytest

from cerver_core.stores.base import Store
from cerver_core.stores.dumping import TABLES, Batch
from cerver_core.stores.postgres import PostgresStore
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.postgres import PostgresServer
from cerver_core.testing.stores.dumps import DumpContract
from cerver_core.testing.stores.ground import kept
from cerver_core.testing.stores.search import said


class TestFromPostgresToPostgres(DumpContract):
    """The target belongs to a user without privileges, whom row-level security binds."""

    @pytest.fixture
    async def store(self, emptied_postgres_url: str, clock: ManualClock) -> AsyncIterator[Store]:
        async with PostgresStore(emptied_postgres_url, clock=clock) as store:
            yield store

    @pytest.fixture
    async def target(self, postgres_server: PostgresServer, clock: ManualClock) -> AsyncIterator[Store]:
        database = postgres_server.create_database()
        role = f"owner_of_{database}"
        postgres_server.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER")
        postgres_server.execute(f"ALTER DATABASE {database} OWNER TO {role}")
        async with PostgresStore(postgres_server.url(database, role), clock=clock) as store:
            yield store


class TestFromSqliteToPostgres(DumpContract):
    @pytest.fixture
    async def store(self, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
        async with SqliteStore(tmp_path / "cerver.db", clock=clock) as store:
            yield store

    @pytest.fixture
    async def target(self, emptied_postgres_url: str, clock: ManualClock) -> AsyncIterator[Store]:
        async with PostgresStore(emptied_postgres_url, clock=clock) as store:
            yield store


class TestFromPostgresToSqlite(DumpContract):
    @pytest.fixture
    async def store(self, emptied_postgres_url: str, clock: ManualClock) -> AsyncIterator[Store]:
        async with PostgresStore(emptied_postgres_url, clock=clock) as store:
            yield store

    @pytest.fixture
    async def target(self, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
        async with SqliteStore(tmp_path / "target.db", clock=clock) as store:
            yield store


async def test_what_was_restored_is_indexed_by_whoever_opens_the_store_next(
    emptied_postgres_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    async def batches() -> AsyncIterator[Batch]:
        for table in TABLES:
            async for rows in snapshot.rows(table):
                yield table, rows

    async with SqliteStore(tmp_path / "cerver.db") as store:
        await store.account("acme").sessions.create(kept("5e55"), [said("a zebra")])
        async with PostgresStore(emptied_postgres_url) as target, store.snapshot() as snapshot:
            await target.restore(batches())
    counted = "SELECT count(*) FROM sessions WHERE indexed_seq = 1"
    database = urlsplit(emptied_postgres_url).path[1:]
    assert postgres_server.execute(counted, database) == "0"
    async with PostgresStore(emptied_postgres_url):
        with anyio.fail_after(20):
            while postgres_server.execute(counted, database) != "1":  # noqa: ASYNC110 - the database tells nobody
                await anyio.sleep(0.05)
