"""The contract suite on the hosted road: client, socket, gateway, engine, over each store."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from cerver_core.api import Cerver
from cerver_core.client import Client
from cerver_core.testing.cerver import CerverContract
from tests.gateway.roads import gateway, postgres_host, sqlite_host


class TestAClientOfAGatewayOnSqlite(CerverContract):
    @pytest.fixture
    async def cerver(self, tmp_path: Path) -> AsyncIterator[Cerver]:
        async with (
            gateway(partial(sqlite_host, tmp_path)) as running,
            Client(running.url, running.token, timeout_s=20) as client,
        ):
            yield client


class TestAClientOfAGatewayOnPostgres(CerverContract):
    @pytest.fixture
    async def cerver(self, tmp_path: Path, emptied_postgres_url: str) -> AsyncIterator[Cerver]:
        async with (
            gateway(partial(postgres_host, tmp_path, emptied_postgres_url)) as running,
            Client(running.url, running.token, timeout_s=20) as client,
        ):
            yield client
