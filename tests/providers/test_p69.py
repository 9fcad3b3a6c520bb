"""The contract suite on the p69 adapter, over a server of each generation."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import pytest

from cerver_core.providers.base import Provider
from cerver_core.providers.p69 import P69Provider
from cerver_core.testing.clouds.p69 import P69Server
from cerver_core.testing.providers import ProviderContract, Providers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[P69Server]:
    with P69Server(tmp_path_factory.mktemp("p69")) as server:
        yield server


def environ(server: P69Server) -> dict[str, str]:
    return {"P69_API_TOKEN": server.token, "P69_BASE_URL": server.url}


class TestP69(ProviderContract):
    @pytest.fixture
    def providers(self, server: P69Server) -> Providers:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with P69Provider(environ(server)) as provider:
                yield provider

        return opened
