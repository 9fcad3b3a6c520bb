"""For whom the engine works: the account, the key that asked, the project it is bound to, and the gateway around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cerver_core.errors import NotSupported
from cerver_core.keys import prefix_of

if TYPE_CHECKING:
    from cerver_core.api.caller import Caller
    from cerver_core.engine.directory import Directory
    from cerver_core.engine.own_providers import OwnProviders
    from cerver_core.sealing import Sealer
    from cerver_core.secrets.base import SecretBackend
    from cerver_core.secrets.connection import VaultConnection
    from cerver_core.stores.records import RecordStore

__all__ = ["LOCAL_ACCOUNT", "HostOptions", "Hosting", "SignUp", "Tenant"]

LOCAL_ACCOUNT = "local"
"""The one account of an embedded Cerver."""

SignUp = Literal["open", "invite", "closed"]
OpenVault = Callable[["VaultConnection"], "SecretBackend"]


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What the operator of a gateway decided.

    `base_url` is where people reach it. `spending_limit_usd` is the monthly limit of accounts that set none; null for
    no limit. `requires_project_key`: sessions are made with a key of a project, or by naming one.
    `shares_own_secrets`: the operator's own sessions get the secrets of the gateway's backend when they have no vault.
    `shares_own_providers`: everybody's sessions run on what this process opened of its environment, and on this machine
    where that is one; otherwise the operator's account alone does, and others bring their credentials.
    `allows_private_networks`: addresses that customers give may lead to this machine and its networks.
    """

    base_url: str = "http://127.0.0.1:8787"
    signup: SignUp = "closed"
    allows_trials: bool = False
    spending_limit_usd: float | None = None
    requires_project_key: bool = False
    allows_private_networks: bool = False
    shares_own_secrets: bool = False
    shares_own_providers: bool = False
    owners: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hosting:
    """What a gateway knows beyond one account. `pepper` is the key under which API keys are hashed."""

    directory: Directory
    sealer: Sealer
    pepper: bytes = field(repr=False)
    options: HostOptions
    open_vault: Mapping[str, OpenVault]
    records_of: Callable[[str], RecordStore]
    """Gives the records of an account by its id; for the operator's work and for letting people in."""
    own_providers: OwnProviders | None = None
    """Opens the providers that accounts bring credentials for; null where none can be brought."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """The account, and the caller who asks for it; without `hosting` it is this machine's own user."""

    caller: Caller
    hosting: Hosting | None = None

    @property
    def account_id(self) -> str:
        """The account."""
        return self.caller.account_id

    @property
    def project(self) -> str | None:
        """The slug of the project that the asking key is bound to; null for a key of the whole account."""
        return self.caller.project_slug

    @property
    def key(self) -> str:
        """The asking key's prefix, as the audit trail shows it."""
        return LOCAL_ACCOUNT if self.hosting is None else prefix_of(self.caller.kind, self.caller.key_id)

    def hosted(self, what: str) -> Hosting:
        """Give what a gateway knows.

        Raises:
            NotSupported: this Cerver runs embedded; the message says that `what` belongs to a gateway.
        """
        if self.hosting is None:
            raise NotSupported(
                f"{what} belong to a gateway, and this Cerver runs embedded, for you alone: start `cerver serve`, or "
                "set CERVER_API_TOKEN to a gateway's key"
            )
        return self.hosting
