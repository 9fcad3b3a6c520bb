"""The contract suite on the engine, over each store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cerver_core.api import Cerver
from cerver_core.connect import connect
from cerver_core.testing.cerver import CerverContract
from tests.engine.roads import settings_for


class TestTheEngine(CerverContract):
    @pytest.fixture
    async def cerver(self, tmp_path: Path) -> AsyncIterator[Cerver]:
        async with connect(settings_for(tmp_path)) as cerver:
            yield cerver


class TestTheEngineOverPostgres(CerverContract):
    @pytest.fixture
    async def cerver(self, tmp_path: Path, emptied_postgres_url: str) -> AsyncIterator[Cerver]:
        async with connect(replace(settings_for(tmp_path), database_url=emptied_postgres_url)) as cerver:
            yield cerver
