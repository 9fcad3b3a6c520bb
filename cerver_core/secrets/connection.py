"""What it takes to connect a customer's vault; which backend it becomes is the assembly's to say."""

from dataclasses import dataclass, field

__all__ = ["VaultConnection"]


@dataclass(frozen=True, slots=True)
class VaultConnection:
    """A customer's secret store and the credential for it. The credential shows in no repr.

    `allows_private_networks` lets the address lead to this machine and its networks.
    """

    provider: str
    project_id: str | None = None
    environment: str | None = None
    site_url: str | None = None
    token: str | None = field(default=None, repr=False)
    client_id: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    allows_private_networks: bool = False
