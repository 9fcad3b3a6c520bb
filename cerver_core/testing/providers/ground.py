"""What the provider suites stand on: how to open a provider, a sandbox in it, and a command run to its end."""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import anyio
import pytest

from cerver_core.providers.base import Command, Exited, Output, Provider, SandboxRef, SandboxRequest
from cerver_core.wire.computes import Requirements, Runtime

__all__ = ["WAIT_S", "ProviderGround", "Providers", "Ran", "run", "start"]

WAIT_S = 30.0
"""How long anything may take before the test fails."""

Providers = Callable[[], AbstractAsyncContextManager[Provider]]
"""Opens another instance of the provider under test, over the same place."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run to its end."""

    stdout: bytes
    stderr: bytes
    exited: Exited

    @property
    def text(self) -> str:
        """What it wrote, without the last line end."""
        return self.stdout.decode().removesuffix("\n")


class ProviderGround:
    """The fixtures of the suites."""

    @pytest.fixture
    def providers(self) -> Providers:
        """Give a way to open the provider; the inheriting class overrides this."""
        raise AssertionError("override the `providers` fixture")

    @pytest.fixture
    def requirements(self) -> Requirements:
        """Say what the sandbox must offer; may be overridden."""
        return Requirements()

    @pytest.fixture
    async def provider(self, providers: Providers) -> AsyncIterator[Provider]:
        """An open provider."""
        async with providers() as provider:
            yield provider

    @pytest.fixture
    async def ref(self, provider: Provider, requirements: Requirements) -> AsyncIterator[SandboxRef]:
        """A new sandbox."""
        ref = await provider.create(SandboxRequest(str(uuid.uuid4()), requirements))
        yield ref
        await provider.destroy(ref)


async def run(
    provider: Provider,
    ref: SandboxRef,
    code: str,
    runtime: Runtime = "shell",
    *,
    timeout_s: float = WAIT_S,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Ran:
    """Run a command to its end."""
    out: list[bytes] = []
    err: list[bytes] = []
    exited: Exited | None = None
    with anyio.fail_after(WAIT_S * 2):
        async with provider.exec(ref, Command(code, runtime, timeout_s, env or {}, cwd)) as events:
            async for event in events:
                assert exited is None, "nothing comes after Exited"
                if isinstance(event, Exited):
                    exited = event
                else:
                    (out if event.stream == "stdout" else err).append(event.data)
    assert exited is not None
    return Ran(b"".join(out), b"".join(err), exited)


@asynccontextmanager
async def start(provider: Provider, ref: SandboxRef, code: str, runtime: Runtime = "shell") -> AsyncGenerator[str]:
    """Start a command and give the first line that it writes; leaving the block cancels it."""
    text = b""
    with anyio.fail_after(WAIT_S):
        async with provider.exec(ref, Command(code, runtime, WAIT_S)) as events:
            async for event in events:
                text += event.data if isinstance(event, Output) else b""
                if b"\n" in text:
                    break
            yield text.decode().partition("\n")[0]
