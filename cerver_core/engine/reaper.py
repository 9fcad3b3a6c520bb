"""Finds and destroys what a failed or interrupted creation left at a provider."""

import logging

import anyio

from cerver_core.errors import CerverError
from cerver_core.providers.abilities import SESSION_LABEL, Listing
from cerver_core.providers.base import Provider

__all__ = ["clear"]

log = logging.getLogger(__name__)

_LIMIT_S = 20


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
