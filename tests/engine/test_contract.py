"""The contract suite on the embedded road."""

from collections.abc import AsyncIterator
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
