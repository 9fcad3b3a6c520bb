"""The host: who turns a caller's key into that caller's Cerver. What a gateway is handed."""

from __future__ import annotations

from typing import Protocol

from cerver_core.api.caller import Caller
from cerver_core.api.cerver import Cerver
from cerver_core.api.logins import Logins
from cerver_core.api.replies import Replies

__all__ = ["Host"]


class Host(Protocol):
    """Knows every account; gives each caller their own Cerver and nothing of another's."""

    async def authenticate(self, token: str) -> Caller:
        """Find out whose key this is.

        Raises:
            Unauthorized: it is malformed, unknown, revoked or expired; one message for all of them.
        """
        ...

    def cerver(self, caller: Caller) -> Cerver:
        """Give the caller's Cerver; cheap, and the same engine behind it for every call of an account."""
        ...

    def replies(self, caller: Caller) -> Replies:
        """Give what was answered to the caller's account under idempotency keys."""
        ...

    @property
    def logins(self) -> Logins:
        """Ways to a key: what is asked without one."""
        ...

    async def is_ready(self) -> bool:
        """Tell whether calls can be served now: the store answers."""
        ...
