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
from cerver_core.errors import ProviderUnavailable, SessionStateConflict
from cerver_core.providers.base import Provider, SandboxRef
from cerver_core.redaction import KnownSecrets
from cerver_core.secrets.base import SecretBackend
from cerver_core.stores.base import AccountStore, StoredSession
from cerver_core.wire.sessions import Lifecycle

__all__ = ["Context", "sandbox_from_json", "sandbox_to_json"]

_ENDED: frozenset[Lifecycle] = frozenset({"terminated", "failed"})


@dataclass(frozen=True, slots=True)
class Context:
    """Handed to every resource; it owns nothing and outlives nothing."""

    rows: AccountStore
    providers: Mapping[str, Provider]
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

    def provider_of(self, session: StoredSession) -> Provider:
        """Find the provider under a session.

        Raises:
            SessionStateConflict: the session is memory alone, over, or paused; the message says what to do.
            ProviderUnavailable: its provider is not configured in this process.
        """
        if session.state in _ENDED:
            raise SessionStateConflict(
                f"session {session.id} is {session.state}: its transcript can be read, nothing runs in it any more; "
                "create or spawn another",
                state=session.state,
            )
        if session.provider is None or session.sandbox is None:
            raise SessionStateConflict(
                f"session {session.id} has no compute: attach one, or create a session with compute",
                state=session.state,
            )
        if session.state == "paused":
            raise SessionStateConflict(f"session {session.id} is paused: resume it first", state=session.state)
        return self.provider_named(session.provider)

    def provider_named(self, name: str) -> Provider:
        """Find a provider by name.

        Raises:
            ProviderUnavailable: it is not configured in this process.
        """
        if name not in self.providers:
            raise ProviderUnavailable(f"provider {name} is not configured here", provider=name)
        return self.providers[name]


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
