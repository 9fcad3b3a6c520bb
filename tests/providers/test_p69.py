"""The contract suite on the p69 adapter, and servers of the older generation."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cerver_core.errors import NotFound, NotSupported, ProviderUnavailable
from cerver_core.providers.base import Provider, SandboxRequest
from cerver_core.providers.p69 import P69Provider
from cerver_core.testing.clouds.p69 import P69Server
from cerver_core.testing.providers import (
    BackgroundContract,
    InteractiveContract,
    ProviderContract,
    Providers,
    StatefulContract,
    run,
)
from cerver_core.wire.computes import Requirements

REQUEST = SandboxRequest("session", Requirements())


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[P69Server]:
    with P69Server(home) as server:
        yield server


class TestP69(ProviderContract, BackgroundContract, InteractiveContract, StatefulContract):
    @pytest.fixture
    def providers(self, server: P69Server) -> Providers:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with P69Provider(server.environ) as provider:
                yield provider

        return opened


async def test_a_server_of_the_older_generation_works_without_streams(home: Path) -> None:
    with P69Server(home, generation="old") as server:
        async with P69Provider(server.environ) as provider:
            ref = await provider.create(REQUEST)
            ran = await run(provider, ref, r"printf 'a\377\000b'; echo err >&2; exit 3")
            assert (ran.stdout, ran.stderr, ran.exited.exit_code) == (b"a\xff\x00b", b"err\n", 3)
            late = await run(provider, ref, "echo some; sleep 300", timeout_s=0.5)
            assert (late.text, late.exited.exit_code, late.exited.timed_out) == ("some", 124, True)
            await provider.write_file(ref, "file", bytes(200_000))
            assert await provider.read_file(ref, "file", max_bytes=200_000) == bytes(200_000)
            await provider.destroy(ref)
            with pytest.raises(NotFound):
                await run(provider, ref, "true")


async def test_a_server_that_hands_code_to_an_agent_is_found_out(home: Path) -> None:
    with P69Server(home, generation="old", takes_prompts=True) as server:
        async with P69Provider(server.environ) as provider:
            with pytest.raises(ProviderUnavailable, match="hands code to a coding agent"):
                await provider.create(REQUEST)
        assert server.machines == {}


async def test_a_server_that_is_gone_is_offline_and_breaks_no_list(home: Path) -> None:
    with P69Server(home) as server:
        environ = server.environ
        async with P69Provider(environ) as provider:
            assert ((await provider.describe()).status, (await provider.describe()).label) == ("ready", "a machine")
    async with P69Provider(environ) as provider:
        assert (await provider.describe()).status == "offline"
        with pytest.raises(ProviderUnavailable):
            await provider.create(REQUEST)


async def test_the_network_cannot_be_cut_off(server: P69Server) -> None:
    async with P69Provider(server.environ) as provider:
        with pytest.raises(NotSupported, match="p69 cannot cut a sandbox off"):
            await provider.create(SandboxRequest("session", Requirements(network=False)))
