"""A stand-in of either age, and backends that ask it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from cerver_core.errors import SecretError
from cerver_core.secrets.infisical import InfisicalBackend, InfisicalLimits, InfisicalSettings
from cerver_core.testing.clock import ManualClock
from cerver_core.testing.infisical import Age, InfisicalStandIn
from cerver_core.testing.secrets import HELD

Open = Callable[..., Awaitable[InfisicalBackend]]


class Pauses:
    """Takes the place of sleeping; lists how long was asked for."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture(params=["2024", "today"])
def age(request: pytest.FixtureRequest) -> Age:
    return cast("Age", request.param)


@pytest.fixture
def stand_in(age: Age) -> Iterator[InfisicalStandIn]:
    vault = {"prod": HELD, "dev": {"SUITE_KEY": "the-dev-value", "DEV_ONLY": "another-dev-value"}}
    with InfisicalStandIn(age, vault=vault) as server:
        yield server


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def open_backend(stand_in: InfisicalStandIn, pauses: Pauses, clock: ManualClock) -> AsyncIterator[Open]:
    """Give a function that opens a backend on the stand-in: with a glob service token, or with the given settings."""
    async with AsyncExitStack() as stack:

        async def open_one(limits: InfisicalLimits | None = None, **changed: Any) -> InfisicalBackend:
            place: dict[str, Any] = {"project_id": "proj-1", "site_url": stand_in.url, **changed}
            if not changed.keys() & {"token", "client_id"}:
                place["token"] = stand_in.add_service_token(path="/**")
            backend = InfisicalBackend(InfisicalSettings(**place), limits=limits, clock=clock, sleep=pauses)
            return await stack.enter_async_context(backend)

        yield open_one


async def identified(open_backend: Open, stand_in: InfisicalStandIn, **identity: object) -> InfisicalBackend:
    known = stand_in.add_identity(**identity)  # pyright: ignore[reportArgumentType] - passed through as written
    return await open_backend(client_id=known.client_id, client_secret=known.client_secret)


def paths(stand_in: InfisicalStandIn) -> list[str]:
    return [urlsplit(seen.target).path for seen in stand_in.seen]


async def fails(backend: InfisicalBackend, kind: type[SecretError], name: str = "SUITE_KEY") -> SecretError:
    with pytest.raises(kind) as caught:
        await backend.fetch(name)
    assert type(caught.value) is kind
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value
