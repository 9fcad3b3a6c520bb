"""The contract suite on the E2B adapter, over the stand-in."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.providers.base import Provider
from cerver_core.providers.e2b import E2bProvider
from cerver_core.testing.clouds.e2b import E2bCloud
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
def cloud(home: Path) -> Iterator[E2bCloud]:
    with E2bCloud(home) as cloud:
        yield cloud


class TestE2b(
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
    def providers(self, cloud: E2bCloud) -> Providers:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with E2bProvider(cloud.environ) as provider:
                yield provider

        return opened
