"""The contract suite on the Postgres store."""

from collections.abc import AsyncIterator

import pytest

from cerver_core.stores.base import Store
from cerver_core.stores.postgres import PostgresStore
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.stores import StoreContract


class TestThePostgresStore(StoreContract):
    @pytest.fixture
    async def store(self, emptied_postgres_url: str, clock: ManualClock) -> AsyncIterator[Store]:
        async with PostgresStore(emptied_postgres_url, clock=clock) as store:
            yield store
