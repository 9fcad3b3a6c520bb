"""The contract suite on the Vercel adapter, over the stand-in."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.providers.base import Provider
from cerver_core.providers.vercel import VercelProvider
from cerver_core.testing.clouds.vercel import VercelCloud
from cerver_core.testing.providers import (
    BackgroundContract,
    ExtendableContract,
    ForkableContract,
    InteractiveContract,
    ListingContract,
    PreviewsContract,
    ProviderContract,
    Providers,
    SnapshotsContract,
    StatefulContract,
)


@pytest.fixture(scope="module")
def cloud(home: Path) -> Iterator[VercelCloud]:
    with VercelCloud(home) as cloud:
        yield cloud


class TestVercel(
    ProviderContract,
    BackgroundContract,
    ExtendableContract,
    ForkableContract,
    InteractiveContract,
    ListingContract,
    PreviewsContract,
    SnapshotsContract,
    StatefulContract,
):
    @pytest.fixture
    def providers(self, cloud: VercelCloud) -> Providers:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with VercelProvider(cloud.environ) as provider:
                yield provider

        return opened
