"""The contract suite on the local provider, at each isolation level."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from cerver_core.providers.base import Provider, SandboxRef
from cerver_core.providers.local import LocalProvider
from cerver_core.testing.providers import ProviderContract, Providers, run
from cerver_core.wire.computes import IsolationLevel


class LocalContract(ProviderContract):
    level: ClassVar[IsolationLevel]

    @pytest.fixture
    def providers(self, home: Path) -> Providers:
        @asynccontextmanager
        async def opened() -> AsyncGenerator[Provider]:
            async with LocalProvider(home, isolation=self.level) as provider:
                compute = await provider.describe()
                if self.level in compute.unavailable_levels:
                    pytest.skip(f"no {self.level} here: {compute.unavailable_levels[self.level]}")
                yield provider

        return opened

    async def test_the_sandbox_has_the_asked_level(self, provider: LocalProvider, ref: SandboxRef) -> None:
        isolation = await provider.isolation(ref)
        assert isolation is not None
        assert (isolation.level, isolation.weaker_than_asked) == (self.level, False)

    async def test_programs_that_pip_puts_into_the_home_are_found(
        self, provider: LocalProvider, ref: SandboxRef
    ) -> None:
        make = (
            'mkdir -p ~/.local/bin; printf "#!/bin/sh\\necho hi" > ~/.local/bin/says; chmod +x ~/.local/bin/says; says'
        )
        assert (await run(provider, ref, make)).text == "hi"


class TestProcess(LocalContract):
    level = "process"


class TestConfined(LocalContract):
    level = "confined"


class TestSandbox(LocalContract):
    level = "sandbox"
