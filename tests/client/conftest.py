from collections.abc import AsyncIterator, Iterator

import pytest

from cerver_core.client import Client
from cerver_core.testing.gateway import StandInGateway, stand_in_gateway


class Pauses:
    """Takes the place of waiting between attempts, and remembers how long each would have been."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def gateway() -> Iterator[StandInGateway]:
    with stand_in_gateway() as running:
        yield running


@pytest.fixture
async def client(gateway: StandInGateway, pauses: Pauses) -> AsyncIterator[Client]:
    async with Client(gateway.url, gateway.token, timeout_s=10, sleep=pauses.sleep) as opened:
        yield opened
