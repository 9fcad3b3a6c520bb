"""A credential of a provider is sent to its vendor and stands nowhere else: in no ref, output, error or log."""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cerver_core.errors import CerverError
from cerver_core.plugins import PROVIDERS
from cerver_core.providers.base import SandboxRequest
from cerver_core.providers.cloudflare import CloudflareProvider
from cerver_core.providers.daytona import DaytonaProvider
from cerver_core.providers.e2b import E2bProvider
from cerver_core.providers.p69 import P69Provider
from cerver_core.providers.vercel import VercelProvider
from cerver_core.testing.clouds import Fault
from cerver_core.testing.clouds.cloudflare import CloudflareCloud
from cerver_core.testing.clouds.daytona import DaytonaCloud
from cerver_core.testing.clouds.e2b import E2bCloud
from cerver_core.testing.clouds.p69 import P69Server
from cerver_core.testing.clouds.vercel import VercelCloud
from cerver_core.testing.providers import run
from cerver_core.wire.computes import Requirements

Cloud = CloudflareCloud | DaytonaCloud | E2bCloud | P69Server | VercelCloud
Adapter = CloudflareProvider | DaytonaProvider | E2bProvider | P69Provider | VercelProvider
REQUEST = SandboxRequest("session-1", Requirements())


@dataclass(frozen=True)
class Case:
    """One vendor: its stand-in, its adapter, and the variable that holds the credential."""

    cloud: Callable[[Path], Cloud]
    provider: Callable[[Mapping[str, str]], Adapter]
    credential: str


CASES = {
    "p69": Case(P69Server, P69Provider, "P69_API_TOKEN"),
    "vercel": Case(VercelCloud, VercelProvider, "VERCEL_TOKEN"),
    "e2b": Case(E2bCloud, E2bProvider, "E2B_API_KEY"),
    "daytona": Case(DaytonaCloud, DaytonaProvider, "DAYTONA_API_KEY"),
    "cloudflare": Case(CloudflareCloud, CloudflareProvider, "SANDBOX_API_KEY"),
}


@pytest.fixture(scope="module", params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def cloud(case: Case, home: Path) -> Iterator[Cloud]:
    with case.cloud(home) as cloud:
        yield cloud


def our_log(caplog: pytest.LogCaptureFixture) -> str:
    """Give what was logged on our side; the stand-in's server, in the same process, logs the headers that it got."""
    return "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn"))


def test_every_remote_provider_is_tried() -> None:
    assert set(CASES) == set(PROVIDERS) - {"local"}


async def test_a_credential_stands_in_no_ref_output_or_log(
    case: Case, cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    secret = cloud.environ[case.credential]
    caplog.set_level(logging.DEBUG)
    async with case.provider(cloud.environ) as provider:
        ref = await provider.create(REQUEST)
        ran = await run(provider, ref, "env; cat /proc/[0-9]*/cmdline 2>/dev/null; pwd")
        await provider.write_file(ref, "file", b"x")
        described = await provider.describe()
        await provider.destroy(ref)
    assert any(secret in str(seen.headers) for seen in cloud.faults.seen)
    assert ran.exited.exit_code == 0
    assert secret not in f"{ref}{described!r}{ran.stdout!r}{ran.stderr!r}"
    assert secret not in our_log(caplog)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
async def test_an_error_does_not_repeat_a_credential_that_the_vendor_echoes(
    case: Case, cloud: Cloud, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    secret = cloud.environ[case.credential]
    caplog.set_level(logging.DEBUG)
    echo = f"the request with Authorization: Bearer {secret} was refused"
    bodies: tuple[object, ...] = ({"message": echo, "code": secret}, {"error": {"message": echo}}, echo.encode())
    async with case.provider(cloud.environ) as provider:
        for body in bodies:
            cloud.faults.plan(Fault("POST ", status, body, {"x-request-id": "request-1"}))
            with pytest.raises(CerverError) as refused:
                await provider.create(REQUEST)
            cloud.faults.clear()
            error = refused.value
            assert secret not in "".join(traceback.format_exception(error))
            assert secret not in f"{error.message}{error.detail}"
    assert secret not in our_log(caplog)
