"""Finds and destroys what failed creations and moves of sessions left at providers."""

import logging
from dataclasses import replace
from typing import cast

import anyio
from pydantic import JsonValue

from cerver_core.engine.context import Context, sandbox_from_json
from cerver_core.engine.directory import every
from cerver_core.engine.reachable import OWN, Reachable
from cerver_core.errors import CerverError, SessionNotFound
from cerver_core.providers.abilities import SESSION_LABEL, Listing
from cerver_core.providers.base import Provider
from cerver_core.stores.base import StoredSession

__all__ = ["Left", "clear"]

log = logging.getLogger(__name__)

_LIMIT_S = 20
_LEFT = "routing.left"
_GIVEN_UP_AFTER_US = 30 * 24 * 3_600 * 1_000_000
"""No cloud that we know keeps a sandbox that is not used for as long as this."""


async def clear(provider: Provider, session_id: str) -> int:
    """Destroy every sandbox that the provider made for a session; tells how many.

    For a session that never came to stand there. A provider that cannot list what it holds is passed over. Failing is
    logged, not raised: the next sweep tries again.
    """
    if not isinstance(provider, Listing):
        return 0
    destroyed = 0
    with anyio.CancelScope(shield=True), anyio.move_on_after(_LIMIT_S):
        try:
            async for info in provider.sandboxes():
                if (info.labels or {}).get(SESSION_LABEL) == session_id:
                    await provider.destroy(info.ref)
                    destroyed += 1
        except CerverError:
            log.warning("what a failed creation left at %s could not be cleared away", provider.name, exc_info=True)
    return destroyed


class Left:
    """The sandboxes that sessions of one account moved away from, until they are destroyed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reachable = Reachable(context)

    async def destroy(self, session: StoredSession) -> None:
        """Destroy the sandbox under a session as it was; where that fails now, each sweep tries again."""
        if session.sandbox is None or session.provider is None:
            return
        try:
            await self._destroy(session)
        except CerverError as error:
            log.warning("the sandbox that session %s left on %s still stands", session.id, session.provider)
            data: dict[str, JsonValue] = {
                "session_id": session.id,
                "provider": session.provider,
                "sandbox": dict(session.sandbox),
                "reason": error.message,
            }
            now_us = self._context.now_us()
            row = f"{session.provider}:{sandbox_from_json(session).sandbox_id}"[:200]
            await self._context.rows.records.put(
                _LEFT, row, data, now_us=now_us, expires_at_us=now_us + _GIVEN_UP_AFTER_US
            )

    async def sweep(self) -> None:
        """Try again to destroy what is left. What still fails is logged; the next sweep tries again."""
        async for record in every(self._context.rows.records, _LEFT, now_us=self._context.now_us()):
            sandbox = record.data.get("sandbox")
            try:
                session = await self._context.rows.sessions.get(str(record.data.get("session_id")))
                kept = cast("dict[str, JsonValue]", sandbox) if isinstance(sandbox, dict) else None
                await self._destroy(replace(session, provider=str(record.data.get("provider")), sandbox=kept))
            except SessionNotFound:
                log.warning("the session of the sandbox %s is gone; it is not looked for any more", record.id)
            except CerverError:
                log.warning("the sandbox %s still stands; the next sweep tries again", record.id, exc_info=True)
                continue
            await self._context.rows.records.delete(_LEFT, record.id)

    async def _destroy(self, session: StoredSession) -> None:
        provider = await self._reachable.named(str(session.provider), session)
        await provider.destroy(sandbox_from_json(session))
        if (session.sandbox or {}).get(OWN) is True:
            await self._reachable.forget(session.id, provider.name)
