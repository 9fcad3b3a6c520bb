"""The contract suite on the Cloudflare adapter, over the stand-in."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.errors import NotSupported
from cerver_core.providers.base import Pausable, Provider, SandboxRef, SandboxRequest
from cerver_core.providers.cloudflare import CloudflareProvider, KeepingCloudflareProvider
from cerver_core.testing.clouds.cloudflare import CloudflareCloud
from cerver_core.testing.providers import (
    BackgroundContract,
    InteractiveContract,
    ProviderContract,
    Providers,
    StatefulContract,
    run,
    start,
)
from cerver_core.wire.computes import Requirements


@pytest.fixture(scope="module")
def cloud(home: Path) -> Iterator[CloudflareCloud]:
    with CloudflareCloud(home) as cloud:
        yield cloud


class TestCloudflare(ProviderContract, BackgroundContract, InteractiveContract, StatefulContract):
    @pytest.fixture
    def providers(self, cloud: CloudflareCloud, tmp_path: Path) -> Providers:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with KeepingCloudflareProvider(cloud.environ, keep=tmp_path / "kept") as provider:
                yield provider

        return opened

    async def test_a_port_is_reached_through_a_tunnel(self, provider: CloudflareProvider, ref: SandboxRef) -> None:
        preview = await provider.preview(ref, 8000)
        assert (preview.url, preview.headers) == (f"https://{ref.sandbox_id[:8]}-8000.trycloudflare.com", {})

    async def test_a_paused_workspace_is_kept_here_for_the_user_alone(
        self, provider: KeepingCloudflareProvider, ref: SandboxRef, tmp_path: Path
    ) -> None:
        await provider.pause(ref)
        kept = tmp_path / "kept" / f"{ref.sandbox_id}.tar"
        assert kept.stat().st_mode & 0o077 == 0
        assert kept.parent.stat().st_mode & 0o077 == 0
        await provider.destroy(ref)
        assert not kept.exists()

    async def test_no_variable_stands_in_a_process_s_arguments(self, provider: Provider, ref: SandboxRef) -> None:
        code = (
            "printf %s \"$TOKEN\" >pattern; cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -cf pattern; cat pattern"
        )
        ran = await run(provider, ref, code, env={"TOKEN": "value-that-is-secret"})
        assert ran.text == "0\nvalue-that-is-secret"

    async def test_the_network_cannot_be_cut_off(self, provider: Provider) -> None:
        with pytest.raises(NotSupported, match="cloudflare's bridge cannot cut a sandbox off"):
            await provider.create(SandboxRequest("session", Requirements(network=False)))


async def test_without_a_place_to_keep_files_in_there_is_no_pause(cloud: CloudflareCloud) -> None:
    async with CloudflareProvider(cloud.environ) as provider:
        ref = await provider.create(SandboxRequest("session", Requirements()))
        assert not isinstance(provider, Pausable)
        assert (await provider.describe()).capabilities["pause"] is False
        async with start(provider, ref, "echo up; sleep 300") as first:
            assert first == "up"
        await provider.destroy(ref)
        assert cloud.machines == {}
