"""The contract suite on the Cloudflare adapter, over the stand-in."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.providers.base import Provider
from cerver_core.providers.cloudflare import CloudflareProvider
from cerver_core.testing.clouds.cloudflare import CloudflareCloud
from cerver_core.testing.providers import ProviderContract, Providers


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudflareCloud]:
    with CloudflareCloud(tmp_path_factory.mktemp("cloudflare")) as cloud:
        yield cloud


def environ(cloud: CloudflareCloud) -> dict[str, str]:
    return {"SANDBOX_API_KEY": cloud.api_key, "CLOUDFLARE_SANDBOX_URL": cloud.url}


class TestCloudflare(ProviderContract):
    @pytest.fixture
    def providers(self, cloud: CloudflareCloud, tmp_path: Path) -> Providers:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with CloudflareProvider(environ(cloud), keep=tmp_path / "kept") as provider:
                yield provider

        return opened
