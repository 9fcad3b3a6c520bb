"""Vaults and providers' credentials, asked of a gateway."""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from cerver_core.client.transport import Transport

__all__ = ["ClientVaults"]


class ClientVaults:
    """See `cerver_core.api.vaults.Vaults`."""

    def __init__(self, transport: "Transport") -> None:
        self._transport = transport

    async def list(self) -> VaultList:
        """List the vaults."""
        return await self._transport.call("vaults.list", VaultList)

    async def create(self, request: CreateVault) -> VaultCreated:
        """Keep a connection and check it once."""
        return await self._transport.call("vaults.create", VaultCreated, body=request)

    async def update(self, vault_id: str, request: UpdateVault) -> Vault:
        """Change what is named."""
        return await self._transport.call("vaults.update", Vault, names={"vault_id": vault_id}, body=request)

    async def delete(self, vault_id: str) -> None:
        """Forget a connection."""
        await self._transport.call_bytes("vaults.delete", names={"vault_id": vault_id})

    async def verify(self, vault_id: str) -> VaultVerified:
        """Ask whether the vault answers."""
        return await self._transport.call("vaults.verify", VaultVerified, names={"vault_id": vault_id})

    async def list_credentials(self) -> ProviderCredentialsList:
        """List the providers that credentials are kept for."""
        return await self._transport.call("vaults.list_credentials", ProviderCredentialsList)

    async def set_credentials(self, request: SetCredentials) -> ProviderCredentials:
        """Keep a provider's credentials."""
        return await self._transport.call("vaults.set_credentials", ProviderCredentials, body=request)

    async def delete_credentials(self, provider: str) -> None:
        """Forget a provider's credentials."""
        await self._transport.call_bytes("vaults.delete_credentials", names={"provider": provider})
