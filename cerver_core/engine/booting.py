"""Makes one sandbox and sees that it has started; which provider is asked is decided elsewhere."""

import anyio

from cerver_core.catalog.computes import PROFILES
from cerver_core.errors import ProviderUnavailable
from cerver_core.providers.base import Command, Exited, Provider, SandboxRef, SandboxRequest

__all__ = ["BOOT_LIMIT_S", "boot"]

BOOT_LIMIT_S = 120.0
"""How long a sandbox may take until it answers, before the next provider is asked. Our choice."""

_CLEAN_UP_LIMIT_S = 20


async def boot(provider: Provider, request: SandboxRequest, *, limit_s: float = BOOT_LIMIT_S) -> SandboxRef:
    """Make a sandbox; where it starts only with its first command, one is run. What does not answer is destroyed.

    Raises:
        ProviderUnavailable: it was made and did not answer; or `create` said so.
    """
    sandbox = await provider.create(request)
    profile = PROFILES.get(provider.name)
    if profile is None or profile.booting == "on_create":
        return sandbox
    try:
        await _first_answer(provider, sandbox, limit_s)
    except BaseException:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_LIMIT_S):
            await provider.destroy(sandbox)
        raise
    return sandbox


async def _first_answer(provider: Provider, sandbox: SandboxRef, limit_s: float) -> None:
    async with provider.exec(sandbox, Command("true", "shell", limit_s)) as events:
        async for event in events:
            if isinstance(event, Exited):
                return
    raise ProviderUnavailable(f"a new sandbox of {provider.name} did not answer", provider=provider.name)
