"""Who asks, as a key says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from cerver_core.wire.model import UtcTime

__all__ = ["Caller", "KeyKind", "Scope"]

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
