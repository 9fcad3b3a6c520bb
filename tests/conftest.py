"""Settings that hold for every test."""

import pytest
from hypothesis import settings

settings.register_profile("cerver", deadline=None)
settings.load_profile("cerver")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the loop that the packages run on."""
    return "asyncio"
