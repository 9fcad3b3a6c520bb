"""The suites of accounts, projects and vaults: on a host, over a gateway; and what an embedded Cerver does of it."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from cerver_core.api import Cerver
from cerver_core.client import Client
from cerver_core.connect import connect
from cerver_core.errors import NotSupported
from cerver_core.testing.cerver.account import AccountContract
from cerver_core.testing.cerver.projects import ProjectContract
from cerver_core.testing.cerver.vaults import VaultContract
from cerver_core.wire.account import BillingPeriod, CreateKey
from tests.engine.roads import settings_for
from tests.gateway.roads import gateway, sqlite_host
from tests.hosting.roads import hosted, operator


class TestAnEmbeddedCerver(ProjectContract):
    @pytest.fixture
    async def cerver(self, tmp_path: Path) -> AsyncIterator[Cerver]:
        async with connect(settings_for(tmp_path)) as cerver:
            yield cerver

    async def test_it_has_no_keys_and_says_what_does(self, cerver: Cerver) -> None:
        assert (await cerver.account.whoami()).account_id == "local"
        assert (await cerver.account.billing(BillingPeriod())).totals.total_usd == 0
        for asked in (cerver.account.list_keys(), cerver.account.create_key(CreateKey()), cerver.vaults.list()):
            with pytest.raises(NotSupported, match="cerver serve"):
                await asked


class TestAHost(ProjectContract, AccountContract, VaultContract):
    @pytest.fixture
    async def cerver(self, tmp_path: Path) -> AsyncIterator[Cerver]:
        async with hosted(tmp_path) as host:
            yield await (await operator(host)).cerver()


class TestAClientOfAGateway(ProjectContract, AccountContract, VaultContract):
    @pytest.fixture
    async def cerver(self, tmp_path: Path) -> AsyncIterator[Cerver]:
        async with (
            gateway(partial(sqlite_host, tmp_path)) as running,
            Client(running.url, running.token, timeout_s=20) as client,
        ):
            yield client
