"""The contract suite as tests of one installed provider, opened with this process's environment; see `plugin`."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points

import pytest

from cerver_core.providers.base import Provider
from cerver_core.providers.nine import as_provider
from cerver_core.testing.providers import ProviderContract, Providers

__all__ = ["TestProvider"]

pytestmark = pytest.mark.anyio


class TestProvider(ProviderContract):
    """Every promise of a provider, asked of the one that `--cerver-provider` names."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Cerver runs on asyncio."""
        return "asyncio"

    @pytest.fixture
    def providers(self, pytestconfig: pytest.Config) -> Providers:
        """Open it as Cerver does."""
        name = pytestconfig.getoption("--cerver-provider")
        if not isinstance(name, str):
            pytest.fail("say which provider: --cerver-provider NAME")
        found = tuple(entry_points(group="cerver.providers", name=name))
        if len(found) != 1:
            pytest.fail(
                f"{len(found)} installed packages bring a provider {name!r} in `cerver.providers`; it takes one"
            )

        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with as_provider(found[0].load()(os.environ)) as provider:
                yield provider

        return opened
