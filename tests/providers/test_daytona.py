"""The contract suite on the Daytona adapter, over the stand-in."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import pytest

from cerver_core.providers.base import Provider
from cerver_core.providers.daytona import DaytonaProvider
from cerver_core.testing.clouds.daytona import DaytonaCloud
from cerver_core.testing.providers import ProviderContract, Providers


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaytonaCloud]:
    with DaytonaCloud(tmp_path_factory.mktemp("daytona")) as cloud:
        yield cloud


def environ(cloud: DaytonaCloud) -> dict[str, str]:
    return {"DAYTONA_API_KEY": cloud.api_key, "DAYTONA_API_URL": cloud.url}


class TestDaytona(ProviderContract):
    @pytest.fixture
    def providers(self, cloud: DaytonaCloud) -> Providers:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with DaytonaProvider(environ(cloud)) as provider:
                yield provider

        return opened
