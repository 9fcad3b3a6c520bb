"""`network=False` at the clouds: passed on by those that can cut a sandbox off, refused by the others."""

import json
from collections.abc import Callable, Mapping

import httpx2
import pytest
from pydantic import JsonValue

from cerver_core.errors import CerverError, IsolationUnavailable, NotSupported
from cerver_core.plugins import OWN_PROVIDERS
from cerver_core.providers.base import SandboxRequest
from cerver_core.wire.computes import Requirements

HONOURS: Mapping[str, tuple[str, JsonValue]] = {
    "vercel": ("networkPolicy", {"mode": "deny-all"}),
    "e2b": ("allow_internet_access", False),
    "daytona": ("networkBlockAll", True),
}
REFUSES = ("cloudflare", "p69")


class Recorder(httpx2.AsyncBaseTransport):
    """Keeps what is asked, and refuses it."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, JsonValue]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.bodies.append(json.loads(await request.aread() or b"{}"))
        return httpx2.Response(400, json={"message": "no"})


async def bodies_of(name: str, needs: Requirements, error: type[CerverError]) -> list[dict[str, JsonValue]]:
    """Try to make a sandbox, and give what was sent."""
    recorder = Recorder()
    make: Callable[[], httpx2.AsyncBaseTransport] = lambda: recorder  # noqa: E731
    member = OWN_PROVIDERS[name]
    given = {one: "https://vendor.example" if one.endswith("_URL") else "x" * 20 for one in member.needs[-1]}
    async with member.make(given, make) as provider:
        with pytest.raises(error):
            await provider.create(SandboxRequest("session", needs))
    return recorder.bodies


@pytest.mark.parametrize("name", OWN_PROVIDERS)
async def test_no_network_is_passed_on_or_refused(name: str) -> None:
    cut = Requirements(network=False)
    if name in REFUSES:
        assert await bodies_of(name, cut, NotSupported) == []
        return
    field, value = HONOURS[name]
    bodies = await bodies_of(name, cut, CerverError)
    assert bodies[0][field] == value
    assert (await bodies_of(name, Requirements(), CerverError))[0].get(field) != value


async def test_a_p69_server_is_not_asked_for_a_level_that_it_cannot_name() -> None:
    assert await bodies_of("p69", Requirements(isolation="sandbox"), IsolationUnavailable) == []
