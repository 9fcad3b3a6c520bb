"""Which providers one account's work may run on: those that this process shares with it, and those it brought."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

from cerver_core.engine.context import Context
from cerver_core.engine.directory import JsonObject, every
from cerver_core.engine.secret_sources import CREDENTIALS, SESSION_CREDENTIALS, SecretSources, row_of
from cerver_core.engine.tenant import Hosting
from cerver_core.errors import (
    Conflict,
    NoComputeAvailable,
    NotFound,
    NotSupported,
    ProviderUnavailable,
    SessionStateConflict,
)
from cerver_core.providers.base import Provider
from cerver_core.stores.base import StoredSession
from cerver_core.stores.records import Record, RecordStore
from cerver_core.wire.sessions import Lifecycle

__all__ = ["OWN", "Offer", "Reachable"]

OWN = "own_credentials"
"""Where a session's sandbox, as it is kept, says that credentials of its own opened it."""

_ENDED: frozenset[Lifecycle] = frozenset({"terminated", "failed"})


@dataclass(frozen=True, slots=True)
class Offer:
    """The providers that can be asked now, by name; and why one cannot that the account brought credentials for."""

    providers: Mapping[str, Provider]
    obstacles: Mapping[str, str]


class Reachable:
    """Finds the providers of one account. Its own credentials come before what the process shares."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tenant = context.tenant
        self._sources = SecretSources(context)

    async def all(self, session_id: str | None = None) -> Offer:
        """Give all that can be asked now; with a session that brought credentials, by those."""
        hosting = self._tenant.hosting
        if hosting is None or hosting.own_providers is None:
            return Offer(await self._shared(), self._context.obstacles)
        providers, obstacles = dict(await self._shared()), dict[str, str]()
        records = [one async for one in every(self._records(hosting), CREDENTIALS, now_us=self._context.now_us())]
        if session_id is not None and (own := await self._of_session(hosting, session_id)) is not None:
            records.append(own)
        for record in records:
            name = _name(record)
            if not hosting.own_providers.can_make(name):
                continue
            try:
                providers[name] = await self._opened(hosting, record)
                obstacles.pop(name, None)
            except NoComputeAvailable as error:
                providers.pop(name, None)
                obstacles[name] = error.message
        return Offer(providers, obstacles)

    async def named(self, name: str, session: StoredSession | None = None) -> Provider:
        """Give a provider by its name, for a session if need be.

        Raises:
            NoComputeAvailable: the account brought no credentials for it, or they cannot be used; says why.
            ProviderUnavailable: embedded, it is not configured in this process.
        """
        hosting = self._tenant.hosting
        if hosting is not None and hosting.own_providers is not None and hosting.own_providers.can_make(name):
            record = None
            if session is not None and (session.sandbox or {}).get(OWN) is True:
                record = await self._of_session(hosting, session.id)
            else:
                record = await self._records(hosting).get(CREDENTIALS, name, now_us=self._context.now_us())
            if record is not None:
                return await self._opened(hosting, record)
        shared = await self._shared()
        if name in shared:
            return shared[name]
        if hosting is None:
            raise ProviderUnavailable(f"provider {name} is not configured here", provider=name)
        if hosting.own_providers is None or not hosting.own_providers.can_make(name):
            raise NoComputeAvailable(
                f"this gateway has no provider {name}: ask the one that has it, or start this one with its settings",
                provider=name,
            )
        raise NoComputeAvailable(
            f"provider {name} is not there for this account: give its credentials with POST /v2/account/providers",
            provider=name,
        )

    async def of_session(self, session: StoredSession) -> Provider:
        """Find the provider under a session.

        Raises:
            SessionStateConflict: the session is memory alone, over, or paused; the message says what to do.
            NoComputeAvailable, ProviderUnavailable: its provider cannot be asked; see `named`.
        """
        if session.state in _ENDED:
            raise SessionStateConflict(
                f"session {session.id} is {session.state}: its transcript can be read, nothing runs in it any more; "
                "create or spawn another",
                state=session.state,
            )
        if session.provider is None or session.sandbox is None:
            raise SessionStateConflict(
                f"session {session.id} has no compute: leave the session out (session_id, --session) to run in a new "
                f"one, create one with compute, or give it one over HTTP (POST /v2/sessions/{session.id}/compute)",
                state=session.state,
            )
        if session.state == "paused":
            raise SessionStateConflict(f"session {session.id} is paused: resume it first", state=session.state)
        return await self.named(session.provider, session)

    def busy(self, provider: Provider) -> AbstractContextManager[None]:
        """Keep a provider open within the block, however long that takes."""
        hosting = self._tenant.hosting
        if hosting is None or hosting.own_providers is None:
            return nullcontext()
        return hosting.own_providers.busy(provider)

    async def bring(self, session_id: str, provider: str, credentials: Mapping[str, str]) -> None:
        """Keep credentials for one session's provider, sealed, until that session leaves its compute.

        Raises:
            NotSupported: this Cerver runs embedded, or nobody can bring this provider.
        """
        hosting = self._tenant.hosting
        if hosting is None or hosting.own_providers is None:
            raise NotSupported(
                "credentials in a request are for a gateway, which keeps them sealed: set the provider's variables "
                "where this Cerver runs"
            )
        hosting.own_providers.require(provider)
        sealed = hosting.sealer.seal(self._tenant.account_id, row_of(SESSION_CREDENTIALS, session_id), credentials)
        data: JsonObject = {"provider": provider, "sealed": sealed}
        await self._records(hosting).put(SESSION_CREDENTIALS, session_id, data, now_us=self._context.now_us())

    async def forget(self, session_id: str, provider: str) -> None:
        """Forget what a session brought, if it did."""
        hosting = self._tenant.hosting
        if hosting is not None and hosting.own_providers is not None:
            await self._records(hosting).delete(SESSION_CREDENTIALS, session_id)
            hosting.own_providers.drop((self._tenant.account_id, f"{SESSION_CREDENTIALS}/{session_id}"), provider)

    async def _opened(self, hosting: Hosting, record: Record) -> Provider:
        assert hosting.own_providers is not None
        of = f"{record.kind}/{record.id}" if record.kind == SESSION_CREDENTIALS else record.kind
        return await hosting.own_providers.get(
            (self._tenant.account_id, of),
            _name(record),
            (record.version, record.created_at_us),
            partial(self._fetched, hosting, record),
            refetch=bool(record.data.get("references")),
        )

    async def _fetched(self, hosting: Hosting, record: Record) -> Mapping[str, str]:
        try:
            return await self._sources.values(hosting, record)
        except NotFound as error:
            raise Conflict(f"the vault that they refer to is gone: {error.message}") from error

    async def _shared(self) -> Mapping[str, Provider]:
        """Give what this process opened of its own environment, to whom that belongs."""
        hosting = self._tenant.hosting
        if hosting is None or hosting.options.shares_own_providers or not self._context.providers:
            return self._context.providers
        account_id = self._tenant.account_id
        if account_id in hosting.options.owners:
            return self._context.providers
        try:
            is_operators = (await hosting.directory.account(account_id)).is_operator
        except NotFound:
            is_operators = False
        return self._context.providers if is_operators else {}

    async def _of_session(self, hosting: Hosting, session_id: str) -> Record | None:
        return await self._records(hosting).get(SESSION_CREDENTIALS, session_id, now_us=self._context.now_us())

    def _records(self, hosting: Hosting) -> RecordStore:
        # The account's own, whatever the project of the asking key.
        return hosting.records_of(self._tenant.account_id)


def _name(record: Record) -> str:
    return str(record.data.get("provider")) if record.kind == SESSION_CREDENTIALS else record.id
