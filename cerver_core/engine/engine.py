"""The engine: a store, providers and a secret backend, opened together; one Cerver per account over them."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Self

import anyio

from cerver_core.clock import Clock, SystemClock
from cerver_core.engine.computes import EngineComputes
from cerver_core.engine.context import Context
from cerver_core.engine.executions import Executions
from cerver_core.engine.feed import Feed
from cerver_core.engine.files import EngineFiles
from cerver_core.engine.holders import this_process
from cerver_core.engine.journal import Journal
from cerver_core.engine.lifecycle import Lifecycles
from cerver_core.engine.masking import Detection, Masking
from cerver_core.engine.placement import Placement
from cerver_core.engine.retention import Retention
from cerver_core.engine.routing import EngineRouting
from cerver_core.engine.sessions import EngineSessions
from cerver_core.engine.transcripts import EngineTranscripts
from cerver_core.providers.base import Provider
from cerver_core.redaction import KnownSecrets
from cerver_core.secrets.base import SecretBackend
from cerver_core.stores.base import Store

__all__ = ["AccountCerver", "Engine"]


class AccountCerver:
    """One account's Cerver, done here. Satisfies `cerver_core.api.Cerver`."""

    def __init__(self, context: Context) -> None:
        placement = Placement(context)
        self.context = context
        self.sessions = EngineSessions(context, Lifecycles(context, placement))
        self.transcripts = EngineTranscripts(context)
        self.computes = EngineComputes(context, Executions(context))
        self.files = EngineFiles(context)
        self.routing = EngineRouting(placement)


class Engine:
    """Opens what it is handed and closes it again; an async context manager.

    Leaving it ends every process that its providers hold on this machine, and returns when the store is closed.
    """

    def __init__(
        self,
        store: Store,
        providers: Mapping[str, Provider],
        secrets: SecretBackend,
        *,
        known: KnownSecrets | None = None,
        clock: Clock | None = None,
        detection: Detection = "on",
    ) -> None:
        self._store = store
        self._providers = providers
        self._secrets = secrets
        self._known = known or KnownSecrets()
        self._clock = clock or SystemClock()
        self._masking = Masking(self._known, detection)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the store, then the providers and the secret backend."""
        async with AsyncExitStack() as exits:
            await exits.enter_async_context(self._store)
            await exits.enter_async_context(self._secrets)
            for provider in self._providers.values():
                await exits.enter_async_context(provider)
            self._tasks = await exits.enter_async_context(anyio.create_task_group())
            exits.callback(self._tasks.cancel_scope.cancel)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End the background work, the providers' processes, and close the store."""
        await self._exits.aclose()

    def account(self, account_id: str, *, sweep: bool = True) -> AccountCerver:
        """Give one account's Cerver; with `sweep`, its left-behinds are put right in the background from now on."""
        rows = self._store.account(account_id)
        feed = Feed()
        context = Context(
            rows=rows,
            providers=self._providers,
            secrets=self._secrets,
            known=self._known,
            masking=self._masking,
            clock=self._clock,
            feed=feed,
            journal=Journal(rows.transcripts, self._masking, self._clock, feed),
            holder=this_process(),
            tasks=self._tasks,
        )
        if sweep:
            self._tasks.start_soon(Retention(context).run)
        return AccountCerver(context)
