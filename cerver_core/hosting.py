"""Assembly of a host: the engine over a store, for one account whose keys are kept in the store's directory."""

import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256

from cerver_core import plugins
from cerver_core.api import Caller, Cerver
from cerver_core.api.replies import Replies
from cerver_core.clock import Clock, SystemClock, to_us
from cerver_core.config import Settings
from cerver_core.engine import Engine
from cerver_core.engine.replies import EngineReplies
from cerver_core.errors import Unauthorized
from cerver_core.providers.base import Provider
from cerver_core.redaction import KnownSecrets
from cerver_core.stores.base import Store

__all__ = ["SingleHost", "open_host"]

_ACCOUNT = "local"
_KEYS = "gateway_key"


class SingleHost:
    """Satisfies `cerver_core.api.Host` for one account: every key in the directory is an admin's."""

    def __init__(self, store: Store, cerver: Cerver, clock: Clock) -> None:
        self._store = store
        self._cerver = cerver
        self._clock = clock
        self._replies = EngineReplies(store.account(_ACCOUNT).records, clock)
        self._known: dict[bytes, Caller] = {}

    async def first_key(self) -> str | None:
        """Make the first key; null when there is one already."""
        now_us = to_us(self._clock.now())
        if await self._store.directory.list(_KEYS, now_us=now_us, limit=1):
            return None
        token = f"ck_{secrets.token_urlsafe(32)}"
        await self._store.directory.put(_KEYS, _digest(token).hex(), {}, now_us=now_us)
        return token

    async def authenticate(self, token: str) -> Caller:
        """Find out whose key this is."""
        digest = _digest(token)
        caller = self._known.get(digest)
        if caller is None:
            kept = await self._store.directory.get(_KEYS, digest.hex(), now_us=to_us(self._clock.now()))
            if kept is None:
                raise Unauthorized("the key is not accepted")
            caller = self._known[digest] = Caller(account_id=_ACCOUNT, key_id=digest.hex()[:16])
        return caller

    def cerver(self, caller: Caller) -> Cerver:
        """Give the account's Cerver."""
        del caller
        return self._cerver

    def replies(self, caller: Caller) -> Replies:
        """Give what was answered under idempotency keys."""
        del caller
        return self._replies

    async def is_ready(self) -> bool:
        """Tell whether the store answers."""
        await self._store.directory.list(_KEYS, now_us=to_us(self._clock.now()), limit=1)
        return True


@asynccontextmanager
async def open_host(
    settings: Settings, *, is_local_compute: bool, known: KnownSecrets | None = None
) -> AsyncGenerator[SingleHost]:
    """Open what a gateway serves; without `is_local_compute` no code runs on this machine."""
    engine_store = plugins.store(settings)
    clock = SystemClock()
    secret_backend = plugins.secret_backend(settings)
    engine = Engine(
        engine_store, _providers(settings, is_local_compute), secret_backend, known=known, detection=settings.redact
    )
    async with engine:
        yield SingleHost(engine_store, engine.account(_ACCOUNT), clock)


def _providers(settings: Settings, is_local_compute: bool) -> Mapping[str, Provider]:
    return {name: plugins.provider(name, settings) for name in plugins.PROVIDERS if is_local_compute or name != "local"}


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
