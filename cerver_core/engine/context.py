"""What every resource of the engine works with: one account's rows, the providers, the clock, the known secrets."""

from collections.abc import Mapping
from dataclasses import dataclass

from anyio.abc import TaskGroup
from pydantic import JsonValue

from cerver_core.clock import Clock, to_us
from cerver_core.engine.feed import Feed
from cerver_core.engine.journal import Journal
from cerver_core.engine.masking import Masking
from cerver_core.engine.tenant import Tenant
from cerver_core.providers.base import Provider, SandboxRef
from cerver_core.redaction import KnownSecrets
from cerver_core.secrets.base import SecretBackend
from cerver_core.stores.base import AccountStore, StoredSession

__all__ = ["Context", "sandbox_from_json", "sandbox_to_json"]


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every resource; it owns nothing and outlives nothing.

    `providers` are those that this process opened of its environment, `obstacles` say why others that it names could
    not be; whose work may run on which, `Reachable` says.
    """

    rows: AccountStore
    providers: Mapping[str, Provider]
    obstacles: Mapping[str, str]
    secrets: SecretBackend
    known: KnownSecrets
    masking: Masking
    clock: Clock
    feed: Feed
    journal: Journal
    holder: str
    tasks: TaskGroup
    tenant: Tenant

    def now_us(self) -> int:
        """Tell the time as the store keeps it."""
        return to_us(self.clock.now())


def sandbox_from_json(session: StoredSession) -> SandboxRef:
    """Read the sandbox of a session that has one."""
    kept = session.sandbox or {}
    data = kept.get("data")
    return SandboxRef(
        provider=str(kept.get("provider")),
        sandbox_id=str(kept.get("sandbox_id")),
        compute_id=str(kept.get("compute_id")),
        data=data if isinstance(data, dict) else {},
    )


def sandbox_to_json(ref: SandboxRef) -> dict[str, JsonValue]:
    """Write a sandbox as the store keeps it."""
    return {
        "provider": ref.provider,
        "sandbox_id": ref.sandbox_id,
        "compute_id": ref.compute_id,
        "data": dict(ref.data),
    }
