"""The env backend passes the contract and guards Cerver's own credentials."""

import os

import pytest

from cerver_core.errors import SecretError, SecretNotFound, SecretReserved
from cerver_core.secrets.base import SecretBackend
from cerver_core.secrets.env import EnvBackend
from cerver_core.testing.secrets import HELD, SecretBackendContract

RESERVED = [
    "CERVER_API_TOKEN",
    "CERVER_API_KEY",
    "CERVER_MASTER_KEY",
    "CERVER_DATABASE_URL",
    "CERVER_SECRETS_BACKEND",
    "INFISICAL_TOKEN",
    "INFISICAL_CLIENT_SECRET",
    "INFISICAL_",
]


class TestEnvBackend(SecretBackendContract):
    @pytest.fixture
    def backend(self) -> SecretBackend:
        return EnvBackend(HELD)


@pytest.mark.parametrize("name", [*RESERVED, "infisical_token", "Cerver_Api_Token"])
async def test_cerver_s_own_credentials_are_never_served(name: str) -> None:
    with pytest.raises(SecretReserved, match="reserved") as caught:
        await EnvBackend({name: "a-credential"}).fetch(name)

    assert "a-credential" not in repr(caught.value)


async def test_a_reserved_name_is_refused_whether_it_is_set_or_not() -> None:
    with pytest.raises(SecretReserved):
        await EnvBackend({}).fetch("INFISICAL_TOKEN")


async def test_the_process_s_environment_is_read_at_the_time_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = EnvBackend()
    with pytest.raises(SecretNotFound):
        await backend.fetch("CERVER_TEST_LATE")

    monkeypatch.setenv("CERVER_TEST_LATE", "set-after-the-fact")

    assert (await backend.fetch("CERVER_TEST_LATE")).value == "set-after-the-fact"


async def test_bytes_that_are_not_utf_8_are_an_error_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environb, b"CERVER_TEST_BYTES", b"caf\xe9-secret")

    with pytest.raises(SecretError, match="'CERVER_TEST_BYTES' holds bytes that are not UTF-8") as caught:
        await EnvBackend().fetch("CERVER_TEST_BYTES")

    assert "caf" not in str(caught.value)
    assert (await EnvBackend().fetch("PATH")).source == "env"
