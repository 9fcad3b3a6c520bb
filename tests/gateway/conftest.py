"""A gateway on SQLite for the tests of one module, and ways to ask it without our client."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx2
import pytest

from tests.gateway.roads import Running, gateway, sqlite_host


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Give a gateway with this machine as its compute."""
    home: Path = tmp_path_factory.mktemp("gateway")
    async with gateway(partial(sqlite_host, home)) as opened:
        yield opened


@pytest.fixture
async def http(running: Running) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a bare HTTP client with a good key."""
    headers = {"Authorization": f"Bearer {running.token}"}
    async with httpx2.AsyncClient(base_url=running.url, headers=headers, timeout=20) as client:
        yield client
