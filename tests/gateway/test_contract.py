"""The contract suite on the hosted road: client, socket, gateway, engine."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from cerver_core.api import Cerver
from cerver_core.client import Client
from cerver_core.testing.cerver import CerverContract
from tests.gateway.roads import gateway, sqlite_host


class TestAClientOfAGatewayOnSqlite(CerverContract):
    @pytest.fixture
    async def cerver(self, tmp_path: Path) -> AsyncIterator[Cerver]:
        async with (
            gateway(partial(sqlite_host, tmp_path)) as running,
            Client(running.url, running.token, timeout_s=20) as client,
        ):
            yield client
