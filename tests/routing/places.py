"""Providers that run on this machine under other names, and fail when a test says so."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio

from cerver_core.clock import Clock, SystemClock
from cerver_core.engine import Engine
from cerver_core.engine.engine import AccountCerver
from cerver_core.errors import CerverError
from cerver_core.plugins import secret_backend, store
from cerver_core.providers.abilities import SESSION_LABEL, SandboxInfo
from cerver_core.providers.base import SandboxRef, SandboxRequest
from cerver_core.providers.local import LocalProvider
from cerver_core.testing.clock import ManualClock
from tests.engine.roads import settings_for

__all__ = ["Elsewhere", "opened"]


class Elsewhere(LocalProvider):
    """This machine as if it were a cloud: real sandboxes, under another name, that fail as scripted.

    `fails` are the errors of the next creations, `keeps` those of the next deletions. `leaves_half`: the next creation
    makes a sandbox and is then stuck.
    `takes` moves a manual clock with each creation.
    """

    def __init__(self, home: Path, name: str, *, takes: timedelta | None = None, clock: Clock | None = None) -> None:
        super().__init__(home / name, isolation="process")
        self._name = name
        self._takes = takes
        self._clock = clock
        self.fails: deque[CerverError] = deque()
        self.keeps: deque[CerverError] = deque()
        self.leaves_half = False
        self.asked = 0
        self.standing: dict[str, tuple[SandboxRef, str]] = {}
        self.all_gone = anyio.Event()

    @property
    def name(self) -> str:
        return self._name

    async def create(self, request: SandboxRequest) -> SandboxRef:
        self.asked += 1
        if self._takes is not None and isinstance(self._clock, ManualClock):
            self._clock.advance(self._takes)
        if self.fails:
            raise self.fails.popleft()
        ref = await super().create(request)
        self.standing[ref.sandbox_id] = (ref, request.session_id)
        if self.leaves_half:
            await anyio.sleep_forever()
        return ref

    async def destroy(self, ref: SandboxRef) -> None:
        if self.keeps:
            raise self.keeps.popleft()
        await super().destroy(ref)
        self.standing.pop(ref.sandbox_id, None)
        if not self.standing:
            self.all_gone.set()

    async def sandboxes(self) -> AsyncIterator[SandboxInfo]:
        for ref, session_id in list(self.standing.values()):
            yield SandboxInfo(ref, "running", labels={SESSION_LABEL: session_id})


@asynccontextmanager
async def opened(
    home: Path, providers: Sequence[LocalProvider], *, clock: Clock | None = None
) -> AsyncGenerator[AccountCerver]:
    """Open the engine over these providers, on a store of its own."""
    settings = settings_for(home)
    by_name = {provider.name: provider for provider in providers}
    engine = Engine(store(settings), by_name, secret_backend(settings), clock=clock or SystemClock())
    async with engine:
        yield engine.account("local", sweep=False)
