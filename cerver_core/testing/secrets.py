"""The contract suite of `cerver_core.secrets.base.SecretBackend`: every backend passes it.

Inherit `SecretBackendContract` and override its `backend` fixture with an open backend that holds exactly `HELD`. A
backend that asks over a network inherits `RemoteSecretBackendContract` and overrides `unreachable` as well.
"""

import traceback

import anyio
import pytest

from cerver_core.errors import (
    SecretBackendUnreachable,
    SecretEmpty,
    SecretError,
    SecretNameInvalid,
    SecretNotFound,
)
from cerver_core.secrets.base import SecretBackend

__all__ = ["HELD", "INVALID_NAMES", "RemoteSecretBackendContract", "SecretBackendContract"]

HELD = {
    "SUITE_KEY": 'sk-suite-value/with "quotes" and ünicode €',
    "SUITE_LINES": "first line of it\nsecond line of it\n",
    "suite_lower": "a-value-under-a-small-name",
    "SUITE_EMPTY": "",
}
"""What the backend under test holds."""

INVALID_NAMES = ("", "A" * 256, "A" * 10_000, "A\0B", "A\nB", "A\x7fB", "A\x85B", "A\ud800B", ".", "..")
"""Names that no backend may be asked for."""


class SecretBackendContract:
    """What holds for every backend."""

    @pytest.fixture
    def backend(self) -> SecretBackend:
        """Give an open backend that holds exactly `HELD`; the inheriting class overrides this."""
        raise TypeError(f"{type(self).__name__} must override the fixture 'backend'")

    @pytest.mark.parametrize("name", ["SUITE_KEY", "SUITE_LINES", "suite_lower"])
    async def test_a_secret_comes_back_whole_with_its_name_and_source(self, backend: SecretBackend, name: str) -> None:
        secret = await backend.fetch(name)

        assert (secret.name, secret.value, secret.source) == (name, HELD[name], backend.name)

    async def test_a_missing_name_is_not_found_and_named(self, backend: SecretBackend) -> None:
        with pytest.raises(SecretNotFound, match="'SUITE_MISSING'"):
            await backend.fetch("SUITE_MISSING")

    @pytest.mark.parametrize("name", ["suite_key", "SUITE_LOWER", "SUITE_KE", "SUITE_KEY2"])
    async def test_a_name_matches_exactly(self, backend: SecretBackend, name: str) -> None:
        with pytest.raises(SecretNotFound):
            await backend.fetch(name)

    @pytest.mark.parametrize("name", ["../SUITE_KEY", "%53UITE_KEY", "SUITE_KEY?x=1#", "SUITE_KEY/", "a b&c=d;e+f"])
    async def test_a_crafted_name_is_only_a_name(self, backend: SecretBackend, name: str) -> None:
        with pytest.raises(SecretNotFound):
            await backend.fetch(name)

    async def test_an_empty_value_is_an_error_of_its_own(self, backend: SecretBackend) -> None:
        with pytest.raises(SecretEmpty, match="'SUITE_EMPTY'"):
            await backend.fetch("SUITE_EMPTY")

    @pytest.mark.parametrize("name", INVALID_NAMES, ids=lambda name: repr(name)[:12])
    async def test_an_invalid_name_is_refused_in_one_short_printable_line(
        self, backend: SecretBackend, name: str
    ) -> None:
        with pytest.raises(SecretNameInvalid) as caught:
            await backend.fetch(name)

        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 200

    @pytest.mark.parametrize("name", [None, 7, b"SUITE_KEY", ["SUITE_KEY"]])
    async def test_a_name_that_is_not_text_is_refused(self, backend: SecretBackend, name: str) -> None:
        with pytest.raises(SecretNameInvalid, match="must be text"):
            await backend.fetch(name)

    async def test_every_error_is_a_value_error_and_shows_no_value(self, backend: SecretBackend) -> None:
        await backend.fetch("SUITE_KEY")
        for name in ("SUITE_MISSING", "SUITE_EMPTY", "suite_key", ""):
            with pytest.raises(SecretError) as caught:
                await backend.fetch(name)
            assert isinstance(caught.value, ValueError)
            shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
            assert not any(value in shown for value in HELD.values() if value)

    async def test_a_secret_shows_its_value_in_no_repr(self, backend: SecretBackend) -> None:
        assert HELD["SUITE_KEY"] not in repr(await backend.fetch("SUITE_KEY"))

    async def test_many_callers_at_once_are_all_answered(self, backend: SecretBackend) -> None:
        values: list[str] = []

        async def fetch(name: str) -> None:
            values.append((await backend.fetch(name)).value)

        async with anyio.create_task_group() as callers:
            for name in ("SUITE_KEY", "suite_lower") * 10:
                callers.start_soon(fetch, name)
        assert sorted(values) == sorted([HELD["SUITE_KEY"], HELD["suite_lower"]] * 10)

    async def test_a_check_answers_in_one_line_without_a_value(self, backend: SecretBackend) -> None:
        line = await backend.check()

        assert line.startswith(backend.name)
        assert line.isprintable()
        assert not any(value in line for value in HELD.values() if value)


class RemoteSecretBackendContract(SecretBackendContract):
    """What also holds for a backend on the other side of a network."""

    @pytest.fixture
    def unreachable(self) -> SecretBackend:
        """Give an open backend whose server does not answer; the inheriting class overrides this."""
        raise TypeError(f"{type(self).__name__} must override the fixture 'unreachable'")

    async def test_unreachable_is_not_missing(self, unreachable: SecretBackend) -> None:
        with pytest.raises(SecretBackendUnreachable, match="'SUITE_KEY'"):
            await unreachable.fetch("SUITE_KEY")

    async def test_a_check_of_an_unreachable_backend_raises(self, unreachable: SecretBackend) -> None:
        with pytest.raises(SecretBackendUnreachable):
            await unreachable.check()
