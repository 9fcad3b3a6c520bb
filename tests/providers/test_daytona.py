"""The contract suite on the Daytona adapter, over the stand-in: for containers, and for virtual machines."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.errors import NotSupported
from cerver_core.providers.base import Provider, SandboxRef
from cerver_core.providers.daytona import DaytonaProvider
from cerver_core.testing.clouds.daytona import DaytonaCloud
from cerver_core.testing.providers import (
    BackgroundContract,
    ExtendableContract,
    ForkableContract,
    InteractiveContract,
    ListingContract,
    ProviderContract,
    Providers,
    SnapshotsContract,
    StatefulContract,
)


@pytest.fixture(scope="module")
def containers(home: Path) -> Iterator[DaytonaCloud]:
    with DaytonaCloud(home) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def machines(home: Path) -> Iterator[DaytonaCloud]:
    with DaytonaCloud(home, sandbox_class="linux-vm") as cloud:
        yield cloud


def opens(cloud: DaytonaCloud) -> Providers:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[Provider]:
        async with DaytonaProvider(cloud.environ) as provider:
            yield provider

    return opened


class TestDaytona(
    ProviderContract, BackgroundContract, ExtendableContract, InteractiveContract, ListingContract, StatefulContract
):
    @pytest.fixture
    def providers(self, containers: DaytonaCloud) -> Providers:
        return opens(containers)

    async def test_a_port_is_reached_with_a_token(self, provider: DaytonaProvider, ref: SandboxRef) -> None:
        preview = await provider.preview(ref, 8000)
        assert preview.url == f"https://8000-{ref.sandbox_id}.proxy.stand-in.example"
        assert preview.headers == {"x-daytona-preview-token": "token-for-8000"}

    async def test_what_a_container_cannot_do_is_said(self, provider: DaytonaProvider, ref: SandboxRef) -> None:
        with pytest.raises(NotSupported, match="daytona offers forks for virtual machines only"):
            await provider.fork(ref, session_id="other")
        with pytest.raises(NotSupported, match="daytona offers snapshots of a running sandbox for virtual machines"):
            await provider.snapshot(ref)


class TestDaytonaMachines(ForkableContract, SnapshotsContract):
    @pytest.fixture
    def providers(self, machines: DaytonaCloud) -> Providers:
        return opens(machines)
