"""What the adapters of Cloudflare, Daytona and p69 make of failures that are injected at the stand-ins."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cerver_core.errors import (
    DeadlineExceeded,
    NotFound,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from cerver_core.providers.base import Provider, SandboxRef, SandboxRequest
from cerver_core.providers.cloudflare import CloudflareProvider
from cerver_core.providers.daytona import DaytonaProvider
from cerver_core.providers.p69 import P69Provider
from cerver_core.testing.clouds import Fault
from cerver_core.testing.clouds.cloudflare import CloudflareCloud
from cerver_core.testing.clouds.daytona import DaytonaCloud
from cerver_core.testing.clouds.p69 import P69Server
from cerver_core.testing.infisical import refusing_url
from cerver_core.testing.providers import run
from cerver_core.testing.providers.endings import survivors
from cerver_core.wire.computes import Requirements

Cloud = CloudflareCloud | DaytonaCloud | P69Server
REQUEST = SandboxRequest("session-1", Requirements())


@dataclass(frozen=True)
class Case:
    """One vendor: how to open it, which variable holds the credential and which the address, and its requests."""

    cloud: Callable[[Path], Cloud]
    provider: Callable[[Mapping[str, str]], CloudflareProvider | DaytonaProvider | P69Provider]
    credential: str
    address: str
    creates: str
    runs: str


CASES = {
    "cloudflare": Case(
        CloudflareCloud, CloudflareProvider, "SANDBOX_API_KEY", "CLOUDFLARE_SANDBOX_URL", "POST /v1/sandbox$", "/exec$"
    ),
    "daytona": Case(
        DaytonaCloud, DaytonaProvider, "DAYTONA_API_KEY", "DAYTONA_API_URL", "POST /api/sandbox$", "/exec$"
    ),
    "p69": Case(P69Server, P69Provider, "P69_API_TOKEN", "P69_BASE_URL", "POST /.*/sandboxes$", "/run/stream$"),
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def cloud(case: Case, home: Path) -> Iterator[Cloud]:
    with case.cloud(home) as cloud:
        yield cloud


@pytest.fixture
async def provider(case: Case, cloud: Cloud) -> AsyncGenerator[Provider]:
    cloud.faults.clear()
    async with case.provider(cloud.environ) as provider:
        yield provider


@pytest.fixture
async def ref(provider: Provider) -> AsyncGenerator[SandboxRef]:
    ref = await provider.create(REQUEST)
    yield ref
    await provider.destroy(ref)


def held(cloud: Cloud) -> int:
    return len(cloud.sandboxes) if isinstance(cloud, DaytonaCloud) else len(cloud.machines)


async def test_a_wrong_credential_is_named_and_not_shown(case: Case, cloud: Cloud) -> None:
    async with case.provider({**cloud.environ, case.credential: "wrong-credential-1234"}) as provider:
        with pytest.raises(ProviderRefused, match=case.credential) as refused:
            await provider.create(REQUEST)
    assert "wrong-credential-1234" not in f"{refused.value} {refused.value.detail}"


@pytest.mark.parametrize("status", [402, 409, 429, 500, 503])
async def test_a_provider_that_cannot_make_a_sandbox_lets_another_try(
    case: Case, cloud: Cloud, provider: Provider, status: int
) -> None:
    before = held(cloud)
    cloud.faults.plan(Fault(case.creates, status, {"message": "no more for you"}, {"Retry-After": "7"}))
    with pytest.raises(ProviderUnavailable, match="no more for you") as refused:
        await provider.create(REQUEST)
    assert (refused.value.detail["status"], refused.value.detail["retry_after_s"]) == (status, 7.0)
    assert held(cloud) == before


async def test_a_broken_answer_to_the_making_lets_another_try(case: Case, cloud: Cloud, provider: Provider) -> None:
    for fault in (
        Fault(case.creates, cut_after=5),
        Fault(case.creates, 200, b'{"half": '),
        Fault(case.creates, 200, {}),
    ):
        cloud.faults.plan(fault)
        with pytest.raises(ProviderUnavailable):
            await provider.create(REQUEST)


async def test_a_cloud_that_is_not_there_lets_another_try(case: Case, cloud: Cloud) -> None:
    async with case.provider({**cloud.environ, case.address: refusing_url()}) as provider:
        with pytest.raises(ProviderUnavailable, match="cannot be reached"):
            await provider.create(REQUEST)


async def test_a_half_made_sandbox_is_removed(case: Case, cloud: Cloud, provider: Provider) -> None:
    before = held(cloud)
    cloud.faults.plan(Fault(case.runs, 503, {"message": "not today"}))
    with pytest.raises(ProviderUnavailable):
        await provider.create(REQUEST)
    assert held(cloud) == before


async def test_too_many_requests_say_when_to_come_back_and_nothing_is_sent_again(
    case: Case, cloud: Cloud, provider: Provider, ref: SandboxRef
) -> None:
    cloud.faults.plan(Fault(case.runs, 429, {"message": "slow down"}, {"Retry-After": "3"}))
    with pytest.raises(RateLimited) as refused:
        await run(provider, ref, "echo x >> ran")
    assert refused.value.detail["retry_after_s"] == 3.0
    assert (await provider.list_files(ref, ".", recursive=True)).entries == ()


async def test_a_stream_that_breaks_runs_nothing_twice_and_leaves_nothing(
    case: Case, cloud: Cloud, provider: Provider, ref: SandboxRef
) -> None:
    if isinstance(cloud, DaytonaCloud):
        pytest.skip("its output comes over a socket; see the test of its own")
    cloud.faults.plan(Fault(case.runs, cut_after=20_000))
    with pytest.raises(ProviderUnavailable):
        await run(provider, ref, "echo x >> ran; echo $$ > pids; seq 20000; sleep 300")
    assert await survivors(provider, ref) == "0"
    assert await provider.read_file(ref, "ran", max_bytes=10) == b"x\n"


async def test_a_sandbox_that_expired_is_said_to_be_gone(case: Case, cloud: Cloud, provider: Provider) -> None:
    ref = await provider.create(REQUEST)
    await provider.destroy(ref)
    with pytest.raises(NotFound):
        await run(provider, ref, "true")
    await provider.destroy(ref)


async def test_a_cloud_that_says_nothing_is_given_up_at_its_deadline(
    case: Case, cloud: Cloud, provider: Provider, ref: SandboxRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(provider, P69Provider):
        pytest.skip("its own address is asked for nothing else")
    del case
    monkeypatch.setattr("cerver_core.providers.cloudflare.provider.START_S", 0.3)
    monkeypatch.setattr("cerver_core.providers.daytona.provider._BOOT_S", 0.3)
    cloud.faults.plan(Fault(r"POST .*/(tunnel/\d+|stop)$", holds=True))
    asked = provider.preview(ref, 8000) if isinstance(provider, CloudflareProvider) else None
    with pytest.raises(DeadlineExceeded):
        await (asked or _paused(provider, ref))


async def _paused(provider: Provider, ref: SandboxRef) -> None:
    assert isinstance(provider, DaytonaProvider)
    await provider.pause(ref)


async def test_a_daytona_sandbox_that_does_not_come_up_says_why_and_is_removed(home: Path) -> None:
    with DaytonaCloud(home) as cloud:
        cloud.created_state = "error"
        async with DaytonaProvider(cloud.environ) as provider:
            with pytest.raises(ProviderUnavailable, match="could not bring the sandbox up: error"):
                await provider.create(REQUEST)
        assert cloud.sandboxes == {}


async def test_a_daytona_log_that_breaks_off_ends_the_command_and_runs_nothing_twice(home: Path) -> None:
    with DaytonaCloud(home) as cloud:
        async with DaytonaProvider(cloud.environ) as provider:
            ref = await provider.create(REQUEST)
            cloud.broken_logs = 1
            with pytest.raises(ProviderUnavailable, match="closed it with code 1011; the command may go on"):
                await run(provider, ref, "echo x >> ran; echo $$ > pids; seq 20000; sleep 300")
            assert await survivors(provider, ref) == "0"
            assert await provider.read_file(ref, "ran", max_bytes=10) == b"x\n"
