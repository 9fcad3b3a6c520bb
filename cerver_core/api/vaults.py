"""The contract of vaults, and of the credentials an account brings for its providers. Values go in, never out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cerver_core.wire.vaults import (
        CreateVault,
        ProviderCredentials,
        ProviderCredentialsList,
        SetCredentials,
        UpdateVault,
        Vault,
        VaultCreated,
        VaultList,
        VaultVerified,
    )

__all__ = ["Vaults"]


class Vaults(Protocol):
    """Connections to secret stores. They belong to a gateway; without one every method raises `NotSupported`.

    An execution's secrets come from the vault of the session's environment, else of its project, else from the
    account's default one.
    """

    async def list(self) -> VaultList:
        """List the vaults, without their credentials."""
        ...

    async def create(self, request: CreateVault) -> VaultCreated:
        """Keep a connection, encrypted, and check it once; one that does not answer is kept with the reason.

        Raises:
            InvalidInput: a part is missing, or the address leads where a customer's may not.
        """
        ...

    async def update(self, vault_id: str, request: UpdateVault) -> Vault:
        """Change what is named.

        Raises:
            NotFound: there is none by this id.
        """
        ...

    async def delete(self, vault_id: str) -> None:
        """Forget a connection; projects that name it fall back on the account's default vault.

        Raises:
            NotFound: there is none by this id.
        """
        ...

    async def verify(self, vault_id: str) -> VaultVerified:
        """Ask whether the vault answers and accepts the credential; what came of it is kept.

        Raises:
            NotFound: there is none by this id.
            ProviderRefused: the vault does not accept the credential.
            ProviderFailed: it does not answer.
        """
        ...

    async def list_credentials(self) -> ProviderCredentialsList:
        """List the providers that credentials are kept for, without the values."""
        ...

    async def set_credentials(self, request: SetCredentials) -> ProviderCredentials:
        """Keep a provider's credentials, encrypted, in place of those before; references are kept as they are.

        Raises:
            InvalidInput: one that the provider needs is missing; the message names it. Nothing changed.
            NotSupported: accounts cannot bring this provider.
        """
        ...

    async def delete_credentials(self, provider: str) -> None:
        """Forget a provider's credentials.

        Raises:
            NotFound: there are none.
        """
        ...
