"""The host: who turns a caller's key into that caller's Cerver. What a gateway is handed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from cerver_core.api.cerver import Cerver
from cerver_core.api.logins import Logins
from cerver_core.api.replies import Replies

if TYPE_CHECKING:
    from cerver_core.wire.model import UtcTime

__all__ = ["Caller", "Host", "KeyKind", "Scope"]

KeyKind = Literal["secret", "publishable"]
Scope = Literal["read", "write", "admin"]
"""`read`: GET alone. `write`: everything but keys, vaults and provider credentials. `admin`: everything. Our choice."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the key says. A key with a `project_slug` sees that project alone.

    A publishable key is bound to a project and to `allowed_origins`. `is_operator` may use the operator's endpoints.
    """

    account_id: str
    key_id: str
    kind: KeyKind = "secret"
    scopes: frozenset[Scope] = frozenset({"read", "write", "admin"})
    project_slug: str | None = None
    allowed_origins: tuple[str, ...] = ()
    is_operator: bool = False
    expires_at: UtcTime | None = None
    limits: Mapping[str, int] = field(default_factory=dict[str, int])


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
