"""The contract of dumps on the SQLite store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cerver_core.stores.base import Store
from cerver_core.stores.sqlite import SqliteStore
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.stores.dumps import DumpContract


class TestFromSqliteToSqlite(DumpContract):
    @pytest.fixture
    async def store(self, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
        async with SqliteStore(tmp_path / "cerver.db", clock=clock) as store:
            yield store

    @pytest.fixture
    async def target(self, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Store]:
        async with SqliteStore(tmp_path / "target.db", clock=clock) as store:
            yield store
