"""The operations of vaults, and of the credentials that an account brings for its providers."""

from cerver_core.errors import Forbidden, NotFound, NotSupported, ProviderFailed, ProviderRefused
from cerver_core.wire import vaults
from cerver_core.wire.operations.operation import JSON, Operation

__all__ = ["VAULTS"]

_ALL = "/v2/account/infisical"
_ONE = f"{_ALL}/{{vault_id}}"
_CREDENTIALS = "/v2/account/providers"
_ERRORS = (NotFound, Forbidden, NotSupported)

VAULTS = (
    Operation(
        "vaults.list",
        "GET",
        _ALL,
        "List the vaults, without their credentials.",
        reply=(vaults.VaultList,),
        errors=_ERRORS,
        is_admin=True,
    ),
    Operation(
        "vaults.create",
        "POST",
        _ALL,
        "Connect a secret store.",
        body=vaults.CreateVault,
        body_media=JSON,
        reply=(vaults.VaultCreated,),
        status=201,
        errors=_ERRORS,
        is_admin=True,
    ),
    Operation(
        "vaults.update",
        "PATCH",
        _ONE,
        "Change a vault; what is not named stays.",
        body=vaults.UpdateVault,
        body_media=JSON,
        reply=(vaults.Vault,),
        errors=_ERRORS,
        is_admin=True,
    ),
    Operation(
        "vaults.delete",
        "DELETE",
        _ONE,
        "Forget a vault and its credential.",
        reply_media=None,
        status=204,
        errors=_ERRORS,
        is_admin=True,
    ),
    Operation(
        "vaults.verify",
        "POST",
        f"{_ONE}/verify",
        "Ask a vault whether it answers and accepts its credential.",
        reply=(vaults.VaultVerified,),
        errors=(*_ERRORS, ProviderRefused, ProviderFailed),
        is_admin=True,
    ),
    Operation(
        "vaults.list_credentials",
        "GET",
        _CREDENTIALS,
        "List the providers that the account brought credentials for, without the values.",
        reply=(vaults.ProviderCredentialsList,),
        errors=_ERRORS,
        is_admin=True,
    ),
    Operation(
        "vaults.set_credentials",
        "POST",
        _CREDENTIALS,
        "Give the credentials of a provider: values, which are kept encrypted, or references to secrets.",
        body=vaults.SetCredentials,
        body_media=JSON,
        reply=(vaults.ProviderCredentials,),
        errors=_ERRORS,
        is_admin=True,
    ),
    Operation(
        "vaults.delete_credentials",
        "DELETE",
        f"{_CREDENTIALS}/{{provider}}",
        "Forget the credentials of a provider.",
        reply_media=None,
        status=204,
        errors=_ERRORS,
        is_admin=True,
    ),
)
