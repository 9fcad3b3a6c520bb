from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cerver_core.engine.hosting import EngineHost
from cerver_core.testing.clock import ManualClock
from tests.hosting.roads import Person, account_of, hosted, operator


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def host(tmp_path: Path, clock: ManualClock) -> AsyncIterator[EngineHost]:
    async with hosted(tmp_path, clock=clock) as opened:
        yield opened


@pytest.fixture
async def owner(host: EngineHost) -> Person:
    return await operator(host)


@pytest.fixture
async def ann(owner: Person) -> Person:
    return await account_of(owner, "ann@example.com")


@pytest.fixture
async def bob(owner: Person) -> Person:
    return await account_of(owner, "bob@example.com")
