"""What the adapters of E2B and Vercel make of failures that are injected at the stand-ins."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from cerver_core.errors import CerverError, NotFound, ProviderRefused, ProviderUnavailable, RateLimited
from cerver_core.providers.base import Provider, SandboxRef, SandboxRequest
from cerver_core.providers.e2b import E2bProvider
from cerver_core.providers.vercel import VercelProvider
from cerver_core.testing.clouds import Fault
from cerver_core.testing.clouds.e2b import E2bCloud
from cerver_core.testing.clouds.vercel import VercelCloud
from cerver_core.testing.infisical import refusing_url
from cerver_core.testing.providers import run
from cerver_core.testing.providers.endings import survivors
from cerver_core.wire.computes import Requirements

Cloud = E2bCloud | VercelCloud
REQUEST = SandboxRequest("session-1", Requirements())
CREATES = r"POST (/api)?/v[23]/sandboxes$"
RUNS = r"POST (/process.Process/Start|.*/cmd)$"


@pytest.fixture(scope="module", params=["e2b", "vercel"])
def cloud(request: pytest.FixtureRequest, home: Path) -> Iterator[Cloud]:
    with E2bCloud(home) if request.param == "e2b" else VercelCloud(home) as cloud:
        yield cloud


def provider_of(cloud: Cloud, **changed: str) -> E2bProvider | VercelProvider:
    environ: Mapping[str, str] = {**cloud.environ, **changed}
    return E2bProvider(environ) if isinstance(cloud, E2bCloud) else VercelProvider(environ)


@pytest.fixture
async def provider(cloud: Cloud) -> AsyncGenerator[Provider]:
    cloud.faults.clear()
    async with provider_of(cloud) as provider:
        yield provider


@pytest.fixture
async def ref(provider: Provider) -> AsyncGenerator[SandboxRef]:
    ref = await provider.create(REQUEST)
    yield ref
    await provider.destroy(ref)


async def test_a_wrong_credential_is_named_and_not_shown(cloud: Cloud) -> None:
    name = "E2B_API_KEY" if isinstance(cloud, E2bCloud) else "VERCEL_TOKEN"
    async with provider_of(cloud, **{name: "wrong-credential-1234"}) as provider:
        with pytest.raises(ProviderRefused, match=name) as refused:
            await provider.create(REQUEST)
    assert "wrong-credential-1234" not in f"{refused.value} {refused.value.detail}"


@pytest.mark.parametrize("status", [402, 409, 429, 500, 503])
async def test_a_provider_that_cannot_make_a_sandbox_lets_another_try(
    cloud: Cloud, provider: Provider, status: int
) -> None:
    before = cloud.count
    cloud.faults.plan(Fault(CREATES, status, {"message": "no more for you"}, {"Retry-After": "7"}))
    with pytest.raises(ProviderUnavailable, match="no more for you") as refused:
        await provider.create(REQUEST)
    assert (refused.value.detail["status"], refused.value.detail["retry_after_s"]) == (status, 7.0)
    assert cloud.count == before


async def test_a_broken_answer_to_the_making_lets_another_try(cloud: Cloud, provider: Provider) -> None:
    for fault in (Fault(CREATES, cut_after=10), Fault(CREATES, 200, b'{"half": '), Fault(CREATES, 200, {})):
        cloud.faults.plan(fault)
        with pytest.raises(ProviderUnavailable):
            await provider.create(REQUEST)


async def test_a_cloud_that_is_not_there_lets_another_try(cloud: Cloud) -> None:
    url = refusing_url()
    async with provider_of(cloud, E2B_API_URL=url, E2B_SANDBOX_URL=url, VERCEL_API_URL=url) as provider:
        with pytest.raises(ProviderUnavailable, match="cannot be reached"):
            await provider.create(REQUEST)


async def test_a_half_made_sandbox_is_removed(cloud: Cloud, provider: Provider) -> None:
    before = cloud.count
    cloud.faults.plan(Fault(RUNS, 503, {"message": "not today"}))
    with pytest.raises(ProviderUnavailable):
        await provider.create(REQUEST)
    assert cloud.count == before


async def test_a_request_id_is_kept_for_the_vendors_support(cloud: Cloud, provider: Provider, ref: SandboxRef) -> None:
    header = "x-request-id" if isinstance(cloud, E2bCloud) else "x-vercel-id"
    cloud.faults.plan(Fault(RUNS, 500, {"message": "oops"}, {header: "req-77"}))
    with pytest.raises(ProviderUnavailable) as failed:
        await provider.read_file(ref, "file", max_bytes=10)
    assert failed.value.detail["request_id"] == "req-77"


async def test_too_many_requests_say_when_to_come_back_and_nothing_is_sent_again(
    cloud: Cloud, provider: Provider, ref: SandboxRef
) -> None:
    cloud.faults.clear()
    cloud.faults.plan(Fault(RUNS, 429, {"message": "slow down"}, {"Retry-After": "3"}))
    with pytest.raises(RateLimited) as refused:
        await run(provider, ref, "echo x >> ran")
    assert refused.value.detail["retry_after_s"] == 3.0
    assert len(cloud.faults.seen) == 1
    assert (await provider.list_files(ref, ".", recursive=True)).entries == ()


async def test_a_stream_that_breaks_runs_nothing_twice(cloud: Cloud, provider: Provider, ref: SandboxRef) -> None:
    code = "echo x >> ran; echo $$ > pids; seq 20000; if [ -e stay ]; then sleep 300; fi; exit 7"
    if isinstance(cloud, VercelCloud):
        # Its log is told again from the beginning, so nothing is lost.
        cloud.faults.plan(Fault(RUNS, cut_after=60_000))
        cloud.faults.plan(Fault(r"GET .*/logs$", cut_after=100_000))
        ran = await run(provider, ref, code)
        assert (ran.exited.exit_code, len(ran.text.splitlines()), ran.text[-5:]) == (7, 20_000, "20000")
    else:
        await provider.write_file(ref, "stay", b"x")
        cloud.faults.plan(Fault(RUNS, cut_after=60_000))
        with pytest.raises(ProviderUnavailable):
            await run(provider, ref, code)
        assert await survivors(provider, ref) == "0"
    assert await provider.read_file(ref, "ran", max_bytes=10) == b"x\n"


async def test_a_stream_that_breaks_before_its_first_word_ends_what_it_may_have_begun(
    cloud: Cloud, provider: Provider, ref: SandboxRef
) -> None:
    cloud.faults.plan(Fault(RUNS, cut_after=1))
    with pytest.raises(CerverError):
        await run(provider, ref, "echo $$ > pids; sleep 300")
    alive = await run(provider, ref, "[ -e pids ] && kill -0 $(cat pids) 2>/dev/null && echo alive; true")
    assert alive.text == ""


async def test_a_sandbox_that_expired_is_said_to_be_gone(cloud: Cloud, provider: Provider) -> None:
    ref = await provider.create(REQUEST)
    cloud.expire(ref.sandbox_id)
    with pytest.raises(NotFound, match=ref.sandbox_id if isinstance(cloud, E2bCloud) else "gone"):
        await run(provider, ref, "true")
    if isinstance(cloud, VercelCloud):
        # Its disk was kept: the next call starts it again.
        assert (await run(provider, ref, "echo again")).text == "again"
    await provider.destroy(ref)


async def test_the_credential_of_the_account_never_goes_into_a_sandbox(cloud: Cloud, provider: Provider) -> None:
    ref = await provider.create(REQUEST)
    await run(provider, ref, "true")
    await provider.destroy(ref)
    if isinstance(cloud, E2bCloud):
        inside = [seen for seen in cloud.faults.seen if seen.path.startswith("/process")]
        assert inside
        assert [seen for seen in inside if cloud.api_key in str(seen.headers)] == []
    assert cast("str", getattr(cloud, "api_key", None) or getattr(cloud, "token", "")) not in str(ref)
