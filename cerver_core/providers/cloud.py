"""`CloudProvider`: what the adapters of clouds share beside the shell: opening, closing, and what was half made."""

from abc import abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Self

import anyio

from cerver_core.providers.base import SandboxRef
from cerver_core.providers.shell.provider import ShellProvider

__all__ = ["CloudProvider"]

_REMOVE_S = 15.0


class CloudProvider(ShellProvider):
    """A `ShellProvider` over wires to a vendor, such as a `CloudHttp`."""

    def __init__(self, *wires: AbstractAsyncContextManager[object]) -> None:
        """Open the wires in their order when the provider is entered, and close them in reverse when it is left."""
        super().__init__()
        self._wires = wires
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            for wire in self._wires:
                await opening.enter_async_context(wire)
            self._opened = opening.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._opened.aclose()

    @abstractmethod
    async def destroy(self, ref: SandboxRef) -> None:
        """Remove the sandbox; see `Provider`."""

    @asynccontextmanager
    async def removed_on_failure(self, ref: SandboxRef) -> AsyncGenerator[None]:
        """Around what makes a new sandbox ready: one that does not become so is removed."""
        try:
            yield
        except BaseException:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_REMOVE_S):
                await self.destroy(ref)
            raise
