"""The engine: a store, providers and a secret backend, opened together; one Cerver per account over them.

A resource's module loads when it is first asked for: an agent waits for its first answer, which needs one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

import anyio

from cerver_core.api.caller import Caller
from cerver_core.clock import Clock, SystemClock
from cerver_core.engine.context import Context
from cerver_core.engine.feed import Feed
from cerver_core.engine.holders import this_process
from cerver_core.engine.journal import Journal
from cerver_core.engine.masking import Detection, Masking
from cerver_core.engine.retention import Retention
from cerver_core.engine.tenant import Tenant
from cerver_core.redaction import KnownSecrets
from cerver_core.stores.base import WatchedStore
from cerver_core.stores.notices import Noticing

if TYPE_CHECKING:
    lazy = property  # a checker takes a cached property for none, where a protocol asks for one

    from cerver_core.engine.account import EngineAccount
    from cerver_core.engine.admin import EngineAdmin
    from cerver_core.engine.computes import EngineComputes
    from cerver_core.engine.files import EngineFiles
    from cerver_core.engine.lifecycle import Lifecycles
    from cerver_core.engine.placement import Placement
    from cerver_core.engine.projects import EngineProjects
    from cerver_core.engine.routing import EngineRouting
    from cerver_core.engine.sessions import EngineSessions
    from cerver_core.engine.transcripts import EngineTranscripts
    from cerver_core.engine.vaults import EngineVaults
    from cerver_core.providers.base import Provider
    from cerver_core.secrets.base import SecretBackend
    from cerver_core.stores.base import Store
else:
    from functools import cached_property as lazy

__all__ = ["AccountCerver", "Engine"]


class AccountCerver:
    """One account's Cerver, done here. Satisfies `cerver_core.api.Cerver`."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @lazy
    def sessions(self) -> EngineSessions:
        """Open, find, pause, resume, spawn and end sessions."""
        from cerver_core.engine.sessions import EngineSessions

        return EngineSessions(self.context, self._open_lifecycles)

    @lazy
    def transcripts(self) -> EngineTranscripts:
        """Append to transcripts, read and export them."""
        from cerver_core.engine.transcripts import EngineTranscripts

        return EngineTranscripts(self.context)

    @lazy
    def computes(self) -> EngineComputes:
        """Find places and run code in a session's sandbox."""
        from cerver_core.engine.computes import EngineComputes
        from cerver_core.engine.executions import Executions

        return EngineComputes(self.context, Executions(self.context))

    @lazy
    def files(self) -> EngineFiles:
        """Move files in and out of a session's workspace."""
        from cerver_core.engine.files import EngineFiles

        return EngineFiles(self.context)

    @lazy
    def routing(self) -> EngineRouting:
        """Ask where work should run, and why."""
        from cerver_core.engine.routing import EngineRouting

        return EngineRouting(self.context, self._placement)

    @lazy
    def projects(self) -> EngineProjects:
        """Projects, their environments and repos."""
        from cerver_core.engine.projects import EngineProjects

        return EngineProjects(self.context)

    @lazy
    def account(self) -> EngineAccount:
        """Keys, bills, limits, the audit trail."""
        from cerver_core.engine.account import EngineAccount

        return EngineAccount(self.context, self.projects)

    @lazy
    def admin(self) -> EngineAdmin:
        """What the operator of a gateway does about accounts."""
        from cerver_core.engine.admin import EngineAdmin

        return EngineAdmin(self.context)

    @lazy
    def vaults(self) -> EngineVaults:
        """Connections to secret stores, and providers' credentials."""
        from cerver_core.engine.vaults import EngineVaults

        return EngineVaults(self.context)

    def _open_lifecycles(self) -> Lifecycles:
        from cerver_core.engine.lifecycle import Lifecycles

        return Lifecycles(self.context, self._placement)

    @lazy
    def _placement(self) -> Placement:
        from cerver_core.engine.placement import Placement

        return Placement(self.context)


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
        obstacles: Mapping[str, str] | None = None,
    ) -> None:
        self.store = store
        self._providers = providers
        self._obstacles = obstacles or {}
        self._secrets = secrets
        self._known = known or KnownSecrets()
        self.clock = clock or SystemClock()
        self._masking = Masking(self._known, detection)
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the store, then the providers and the secret backend."""
        async with AsyncExitStack() as exits:
            await exits.enter_async_context(self.store)
            await exits.enter_async_context(self._secrets)
            for provider in self._providers.values():
                await exits.enter_async_context(provider)
            self.tasks = await exits.enter_async_context(anyio.create_task_group())
            exits.callback(self.tasks.cancel_scope.cancel)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End the background work, the providers' processes, and close the store."""
        await self._exits.aclose()

    def account(self, account_id: str, *, sweep: bool = True) -> AccountCerver:
        """Give this machine's own Cerver; with `sweep`, left-behinds are put right in the background from now on."""
        context = self.context(Tenant(Caller(account_id=account_id, key_id=account_id)), self._masking)
        if sweep:
            self.tasks.start_soon(Retention(context).run)
        return AccountCerver(context)

    def context(self, tenant: Tenant, masking: Masking | None = None) -> Context:
        """Give what the resources of one account work with; without `masking`, it masks no secret of another's."""
        rows = self.store.account(tenant.account_id)
        feed = Feed(self.store if isinstance(self.store, WatchedStore | Noticing) else None)
        known = self._known if masking is not None else KnownSecrets()
        masking = masking or Masking(known, self._masking.detection)
        return Context(
            rows=rows,
            providers=self._providers,
            obstacles=self._obstacles,
            secrets=self._secrets,
            known=known,
            masking=masking,
            clock=self.clock,
            feed=feed,
            journal=Journal(rows.transcripts, masking, self.clock, feed),
            holder=this_process(),
            tasks=self.tasks,
            tenant=tenant,
        )
